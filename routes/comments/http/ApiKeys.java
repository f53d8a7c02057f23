package comments.http;

import io.vertx.core.http.HttpServerRequest;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.apache.camel.Message;

/**
 * The API keys that clients must send, as {@code Authorization: Bearer <key>}. Without configured keys, every request passes, at no cost.
 *
 * <p>Any number of threads may call it.
 */
public class ApiKeys {

    private static final String BEARER = "Bearer ";

    private record ApiKey(String name, byte[] sha256) {
    }

    private final List<ApiKey> keys = new ArrayList<>();

    /** The keys: {@code name:hash} of each, separated by commas; a hash is the SHA-256 of the key, in hexadecimal. */
    public void setKeys(String apiKeys) {
        keys.clear();
        if (!apiKeys.isBlank()) {
            for (String key : apiKeys.split(",")) {
                String[] parts = key.strip().split(":");
                keys.add(new ApiKey(parts[0], HexFormat.of().parseHex(parts[1])));
            }
        }
    }

    /**
     * Returns the name of the request's API key; "" if no keys are configured.
     *
     * @throws InvalidRequestException 401 if keys are configured, and the request has none of them
     */
    public String require(Message message) throws InvalidRequestException {
        return keys.isEmpty() ? "" : require(RequestHeaders.of(message, "Authorization"));
    }

    /** Like {@link #require(Message)}, of a request whose body is not read. */
    String require(HttpServerRequest request) throws InvalidRequestException {
        return keys.isEmpty() ? "" : require(request.headers().getAll("Authorization"));
    }

    private String require(List<String> authorization) throws InvalidRequestException {
        // the case of a scheme does not matter (RFC 9110, 11.1)
        if (authorization.size() != 1 || !authorization.get(0).regionMatches(true, 0, BEARER, 0, BEARER.length())) {
            throw InvalidRequestException.unauthorized();
        }
        byte[] given = sha256(authorization.get(0).substring(BEARER.length()).strip());
        String name = null;
        // compares with all keys, each in constant time, so that the time reveals nothing
        for (ApiKey key : keys) {
            if (MessageDigest.isEqual(key.sha256(), given)) {
                name = key.name();
            }
        }
        if (name == null) {
            throw InvalidRequestException.unauthorized();
        }
        return name;
    }

    private static byte[] sha256(String key) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
