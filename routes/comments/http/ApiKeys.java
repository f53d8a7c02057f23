package comments.http;

import io.vertx.core.http.HttpServerRequest;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.camel.Message;

/**
 * The API keys that clients must send, as {@code Authorization: Bearer <key>}, and what each allows. Without configured keys, every
 * client may post and read, at no cost, and none may change or import.
 *
 * <p>Any number of threads may call it.
 */
public class ApiKeys {

    /** What a key allows. The method of a request decides which scope it needs; a body that imports needs one more. */
    public enum Scope {
        /** The method POST. */
        POST,
        /** The methods GET and HEAD. */
        READ,
        /** The methods PATCH and DELETE. */
        CHANGE,
        /** A POST whose comments bring their own ids and times. */
        IMPORT;

        private static final Set<Scope> DEFAULT = Set.of(POST, READ);

        private static Scope of(String method) {
            return switch (method) {
                case "GET", "HEAD" -> READ;
                case "POST" -> POST;
                default -> CHANGE;
            };
        }

        /** As settings and answers name it. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }

        private static Scope named(String name) {
            return valueOf(name.toUpperCase(Locale.ROOT));
        }
    }

    private static final String BEARER = "Bearer ";

    private record ApiKey(String name, byte[] sha256, Set<Scope> scopes) {
    }

    private final List<ApiKey> keys = new ArrayList<>();

    /**
     * The keys: {@code name:hash} or {@code name:hash:scope+scope} of each, separated by commas. A hash is the SHA-256 of the key, in
     * hexadecimal. A key without scopes has post and read.
     */
    public void setKeys(String apiKeys) {
        keys.clear();
        if (!apiKeys.isBlank()) {
            for (String key : apiKeys.split(",")) {
                String[] parts = key.strip().split(":");
                keys.add(new ApiKey(parts[0], HexFormat.of().parseHex(parts[1]), parts.length < 3 ? Scope.DEFAULT
                        : Arrays.stream(parts[2].split("\\+")).map(Scope::named).collect(Collectors.toUnmodifiableSet())));
            }
        }
    }

    /**
     * Requires the scope of the request's method.
     *
     * @return the name of the request's API key; "" if no keys are configured
     * @throws InvalidRequestException 401 if keys are configured, and the request has none of them; 403 if the scope is missing
     */
    public String require(Message message) throws InvalidRequestException {
        return require(message, Scope.of(RequestHeaders.method(message)));
    }

    /**
     * Like {@link #require(Message)}, of a request whose body is not read.
     *
     * @param hash the {@link #hash} of the request's API key
     */
    String require(HttpServerRequest request, byte[] hash) throws InvalidRequestException {
        Scope scope = Scope.of(request.method().name());
        return isOpen(scope) ? "" : require(hash, scope);
    }

    /**
     * Requires a scope, whatever the method.
     *
     * @return the name of the request's API key; "" if no keys are configured
     * @throws InvalidRequestException 401 if keys are configured, and the request has none of them; 403 if the scope is missing
     */
    public String require(Message message, Scope scope) throws InvalidRequestException {
        if (isOpen(scope)) {
            return "";
        }
        byte[] hash = message instanceof EventLoopMessage request ? request.keyHash() : null;
        return require(hash == null ? hash(RequestHeaders.of(message, "Authorization")) : hash, scope);
    }

    /** The SHA-256 of a request's API key, known or not, which is made once for each request; null without a key, or if none is needed. */
    byte[] hash(HttpServerRequest request) {
        return keys.isEmpty() ? null : hash(request.headers().getAll("Authorization"));
    }

    private byte[] hash(List<String> authorization) {
        // the case of a scheme does not matter (RFC 9110, 11.1)
        if (keys.isEmpty() || authorization.size() != 1 || !authorization.get(0).regionMatches(true, 0, BEARER, 0, BEARER.length())) {
            return null;
        }
        return sha256(authorization.get(0).substring(BEARER.length()).strip());
    }

    private boolean isOpen(Scope scope) {
        return keys.isEmpty() && Scope.DEFAULT.contains(scope);
    }

    private String require(byte[] given, Scope scope) throws InvalidRequestException {
        if (keys.isEmpty()) {
            throw InvalidRequestException.forbidden(("This needs an API key with the scope %s, and the server has no API keys:"
                    + " COMMENTS_API_KEYS=name:hash:post+read+%1$s configures one.").formatted(scope));
        }
        if (given == null) {
            throw InvalidRequestException.unauthorized();
        }
        ApiKey known = null;
        // compares with all keys, each in constant time, so that the time reveals nothing
        for (ApiKey key : keys) {
            if (MessageDigest.isEqual(key.sha256(), given)) {
                known = key;
            }
        }
        if (known == null) {
            throw InvalidRequestException.unauthorized();
        }
        if (!known.scopes().contains(scope)) {
            throw InvalidRequestException.forbidden("This API key lacks the scope " + scope + ".");
        }
        return known.name();
    }

    private static byte[] sha256(String key) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
