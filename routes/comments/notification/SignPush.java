package comments.notification;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Clock;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;

/**
 * Sets the headers of <a href="https://www.standardwebhooks.com">Standard Webhooks</a> on a push.
 *
 * <p>{@code webhook-id} is a hash of the body. So a notification has the same id at each attempt, also when the broker delivers
 * it again, publishes it anew, or when another process pushes it. {@code webhook-timestamp} is the time of the attempt.
 * {@code webhook-signature} has one signature for each secret; without a secret there is none.
 *
 * <p>Any number of threads may call it.
 */
public class SignPush implements Processor {

    private static final String PREFIX = "whsec_";
    private static final String HMAC = "HmacSHA256";

    private final Clock clock;
    private List<SecretKeySpec> keys = List.of();

    public SignPush() {
        this(Clock.systemUTC());
    }

    SignPush(Clock clock) {
        this.clock = clock;
    }

    /** The secrets, each as {@code whsec_} and bytes in Base64, separated by spaces; empty: no signature. */
    public void setSecrets(String secrets) {
        keys = Arrays.stream(secrets.strip().split(" +")).filter(secret -> !secret.isEmpty())
                .map(secret -> new SecretKeySpec(Base64.getDecoder().decode(secret.substring(PREFIX.length())), HMAC)).toList();
    }

    @Override
    public void process(Exchange exchange) throws GeneralSecurityException {
        Message message = exchange.getMessage();
        byte[] body = message.getBody(byte[].class);
        String id = "msg_" + Base64.getUrlEncoder().withoutPadding().encodeToString(
                Arrays.copyOf(MessageDigest.getInstance("SHA-256").digest(body), 18));
        long timestamp = clock.instant().getEpochSecond();
        message.setHeader("webhook-id", id);
        message.setHeader("webhook-timestamp", Long.toString(timestamp));
        if (!keys.isEmpty()) {
            message.setHeader("webhook-signature", signatures(id, timestamp, body));
        }
    }

    /** One signature for each secret, separated by spaces. */
    String signatures(String id, long timestamp, byte[] body) {
        return keys.stream().map(key -> signature(key, id + "." + timestamp + ".", body)).collect(Collectors.joining(" "));
    }

    private static String signature(SecretKeySpec key, String prefix, byte[] body) {
        try {
            Mac mac = Mac.getInstance(HMAC);
            mac.init(key);
            mac.update(prefix.getBytes(UTF_8));
            return "v1," + Base64.getEncoder().encodeToString(mac.doFinal(body));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JVM has " + HMAC, e);
        }
    }
}
