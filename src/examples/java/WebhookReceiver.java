import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * A receiver of pushes that checks their signatures, without a library. It prints each notification once. Run it with
 * {@code NOTIFICATIONS_PUSH_SECRET=whsec_… java src/examples/java/WebhookReceiver.java 9000}.
 */
public final class WebhookReceiver {

    private static final Duration TOLERANCE = Duration.ofMinutes(5);
    private static final int MAX_BODY = 16 << 20;
    private static final int REMEMBERED = 10_000;

    private final SecretKeySpec key;
    private final Set<String> seen = Collections.newSetFromMap(Collections.synchronizedMap(new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
            return size() > REMEMBERED;
        }
    }));

    private WebhookReceiver(String secret) {
        key = new SecretKeySpec(Base64.getDecoder().decode(secret.substring("whsec_".length())), "HmacSHA256");
    }

    public static void main(String[] args) throws IOException {
        WebhookReceiver receiver = new WebhookReceiver(System.getenv("NOTIFICATIONS_PUSH_SECRET"));
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])), 0);
        server.createContext("/", receiver::receive);
        server.start();
        System.out.println("Receives pushes on http://127.0.0.1:" + server.getAddress().getPort() + "/");
    }

    private void receive(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readNBytes(MAX_BODY);
            boolean genuine = isGenuine(exchange.getRequestHeaders(), body);
            // a push comes again if its answer was lost
            if (genuine && seen.add(exchange.getRequestHeaders().getFirst("webhook-id"))) {
                System.out.println(new String(body, UTF_8));
            }
            // 401 would be kept aside; a wrong secret is mended, and the push tried again
            exchange.sendResponseHeaders(genuine ? 204 : 503, -1);
        }
    }

    private boolean isGenuine(Headers headers, byte[] body) {
        try {
            String timestamp = headers.getFirst("webhook-timestamp");
            Duration age = Duration.between(Instant.ofEpochSecond(Long.parseLong(timestamp)), Instant.now()).abs();
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(key);
            mac.update((headers.getFirst("webhook-id") + "." + timestamp + ".").getBytes(UTF_8));
            String expected = "v1," + Base64.getEncoder().encodeToString(mac.doFinal(body));
            boolean matches = false;
            for (String signature : headers.getFirst("webhook-signature").split(" ")) {
                // takes as long for a wrong signature as for a right one
                matches |= MessageDigest.isEqual(expected.getBytes(UTF_8), signature.getBytes(UTF_8));
            }
            return matches && age.compareTo(TOLERANCE) < 0;
        } catch (GeneralSecurityException | RuntimeException e) {
            // a header is missing or malformed
            return false;
        }
    }
}
