package comments.load;

import java.util.Map;

/** The API key that requests bring, from an environment variable: other accounts see the arguments of processes. */
final class ApiKey {

    private static final String VARIABLE = "LOAD_API_KEY";
    private static final int UNAUTHORIZED = 401;
    private static final int FORBIDDEN = 403;

    private final String key;

    private ApiKey(String key) {
        this.key = key;
    }

    /** The key of this process; none if the variable is not set, or empty. */
    static ApiKey fromEnvironment() throws Failure {
        String key = System.getenv().getOrDefault(VARIABLE, "");
        // what can't be a header is refused here, by a message without it
        if (!key.matches("[!-~]*")) {
            throw new Failure(VARIABLE + ": it takes one API key, of visible ASCII characters");
        }
        return new ApiKey(key);
    }

    /** The headers of a request. */
    Map<String, String> headers() {
        return key.isEmpty() ? Map.of() : Map.of("Authorization", "Bearer " + key);
    }

    /**
     * Checks the status of an answer.
     *
     * @param what the option with the address of the request
     * @param scope what the request needs
     * @throws Failure if the key is missing, unknown, or lacks the scope
     */
    void check(String what, int status, String scope) throws Failure {
        if (status == UNAUTHORIZED && key.isEmpty()) {
            throw new Failure("%s: it answers 401, since it has COMMENTS_API_KEYS: set %s to a key with the scope %s"
                    .formatted(what, VARIABLE, scope));
        }
        if (status == UNAUTHORIZED) {
            throw new Failure("%s: it answers 401: COMMENTS_API_KEYS has no hash of the key in %s".formatted(what, VARIABLE));
        }
        if (status == FORBIDDEN) {
            throw new Failure("%s: it answers 403: the key in %s has no scope %s in COMMENTS_API_KEYS"
                    .formatted(what, VARIABLE, scope));
        }
    }
}
