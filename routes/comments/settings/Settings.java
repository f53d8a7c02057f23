package comments.settings;

import comments.http.ApiKeys;
import comments.http.ClientAddress;
import comments.http.TlsCertificate;
import comments.postgresql.PostgresUrl;
import comments.postgresql.UnpooledDataSource;
import comments.rabbitmq.BrokerAddress;
import comments.rabbitmq.Prefetch;
import comments.rabbitmq.SpreadConnectionFactory;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The values that each setting of application.properties may have. Any number of threads may call it. */
public final class Settings {

    /** The services that a process can start, by their names in {@code COMMENTS_ROLES}. */
    public static final Set<String> ROLES =
            new TreeSet<>(Set.of("comment-service", "comment-job-processor", "comment-changes",
                    "notification-service", "comment-reader"));

    /** Returns what is wrong with a value, or null. */
    private interface Rule {
        String complaint(String value);
    }

    // Stored, a body is three times as large at most. With a group before it, it fits into a message of 16 MiB, which is what
    // RabbitMQ takes by default from 4.0 on.
    private static final int MAX_BODY = 4_000_000;
    // A message may wait for so long. RabbitMQ closes a channel that holds one for 30 minutes, and delivers it again.
    private static final int MAX_PERIOD = 600_000;

    /** The longest HTTP_DRAIN_DELAY, in milliseconds. */
    public static final int MAX_DRAIN_DELAY = 60_000;

    private static final int MAX_CHANGE_WAIT = 7 * 86_400_000;

    private static final Map<String, Rule> RULES = new LinkedHashMap<>();

    static {
        RULES.put("RABBITMQ_URI", Settings::notAmqp);
        RULES.put("POSTGRES_URL", Settings::notPostgres);
        RULES.put("COMMENTS_ROLES", Settings::notRoles);
        RULES.put("HTTP_HOST", Settings::notHost);
        RULES.put("HTTP_PORT", wholeNumber(1, 65_535));
        RULES.put("MANAGEMENT_HOST", Settings::notHost);
        RULES.put("MANAGEMENT_PORT", wholeNumber(1, 65_535));
        RULES.put("HTTP_EVENT_LOOPS", wholeNumber(0, 256));
        RULES.put("HTTP_TLS_CERTIFICATE", Settings::notReadable);
        RULES.put("HTTP_TLS_KEY", Settings::notReadable);
        RULES.put("COMMENTS_API_KEYS", Settings::notApiKeys);
        RULES.put("COMMENTS_RATE_PER_CALLER", wholeNumber(0, 10_000_000));
        RULES.put("HTTP_MAX_BODY", wholeNumber(1_024, MAX_BODY));
        RULES.put("COMMENTS_CORS_ORIGINS", Settings::notOrigins);
        RULES.put("COMMENTS_BASE_PATH", Settings::notBasePath);
        RULES.put("COMMENTS_TRUSTED_PROXIES", Settings::notNetworks);
        RULES.put("HTTP_MAX_CONNECTIONS", wholeNumber(0, 1_000_000));
        RULES.put("HTTP_CLIENT_SHARE", wholeNumber(1, 100));
        RULES.put("HTTP_CLIENT_TIMEOUT", wholeNumber(1_000, 3_600_000));
        RULES.put("HTTP_IDLE_TIMEOUT", wholeNumber(1, 86_400));
        RULES.put("HTTP_DRAIN_DELAY", wholeNumber(0, MAX_DRAIN_DELAY));
        RULES.put("POSTGRES_MIGRATE", Settings::notMigrate);
        RULES.put("COMMENTS_READERS", wholeNumber(1, 1_000));
        RULES.put("COMMENTS_PAGES", Settings::notBoolean);
        RULES.put("OBSERVE_EXCHANGES", Settings::notBoolean);
        RULES.put("OBSERVE_TRACES", Settings::notBoolean);
        RULES.put("LOG_FORMAT", Settings::notLogFormat);
        RULES.put("COMMENTS_CONFIRM_TIMEOUT", wholeNumber(100, 600_000));
        RULES.put("COMMENTS_PUBLISHERS", wholeNumber(1, 16));
        RULES.put("COMMENTS_QUEUES", wholeNumber(1, SpreadConnectionFactory.MAX_QUEUES));
        RULES.put("COMMENTS_GROUP_SIZE", wholeNumber(1, 100_000));
        RULES.put("COMMENTS_GROUP_BYTES", wholeNumber(1_024, Prefetch.LARGEST_MESSAGE));
        RULES.put("COMMENTS_GROUP_DELAY", wholeNumber(0, 1_000));
        RULES.put("COMMENTS_WAITING", wholeNumber(1, 1_000_000));
        RULES.put("COMMENTS_WAITING_BYTES", wholeNumber(1_024, Integer.MAX_VALUE));
        RULES.put("COMMENTS_CONSUMERS", wholeNumber(0, 1_000));
        RULES.put("COMMENTS_PREFETCH", wholeNumber(0, 65_535));
        RULES.put("COMMENTS_BATCH_SIZE", wholeNumber(1, 100_000));
        RULES.put("COMMENTS_BATCH_BYTES", wholeNumber(1_024, 64 << 20));
        RULES.put("COMMENTS_BATCH_INTERVAL", wholeNumber(1, 600_000));
        RULES.put("COMMENTS_WRITERS", wholeNumber(0, 1_000));
        RULES.put("COMMENTS_RETRY_DELAY", wholeNumber(1, 600_000));
        RULES.put("COMMENTS_RETRY_MAX_DELAY", wholeNumber(1, 600_000));
        RULES.put("COMMENTS_CHANGE_WAIT", wholeNumber(1_000, MAX_CHANGE_WAIT));
        RULES.put("COMMENTS_QUARANTINE_DAYS", wholeNumber(0, 36_500));
        RULES.put("COMMENTS_RETENTION", wholeNumber(0, 36_500));
        RULES.put("COMMENTS_STREAM_LISTENERS", wholeNumber(0, 1_000_000));
        RULES.put("COMMENTS_STREAM_BYTES", wholeNumber(1_024, Integer.MAX_VALUE));
        RULES.put("NOTIFICATIONS_IMPORTS", Settings::notBoolean);
        RULES.put("NOTIFICATIONS_PER_PERIOD", wholeNumber(1, 1_000_000));
        RULES.put("NOTIFICATIONS_PERIOD", wholeNumber(1, MAX_PERIOD));
        RULES.put("NOTIFICATIONS_OF_CHANGES", Settings::notBoolean);
        RULES.put("NOTIFICATIONS_PUSH_ENDPOINT", Settings::notEndpoint);
        RULES.put("NOTIFICATIONS_PUSH_SECRET", Settings::notWebhookSecrets);
        RULES.put("NOTIFICATIONS_PUSH_PRIVATE", Settings::notBoolean);
        RULES.put("NOTIFICATIONS_PUSH_TIMEOUT", wholeNumber(100, MAX_PERIOD));
        RULES.put("NOTIFICATIONS_SIMULATED_DELAY", wholeNumber(0, 600_000));
    }

    private static final String USER_IN_URL = "jdbc:postgresql://[^/?]*@.*";
    private static final String API_KEY = "[\\w.-]+:[0-9a-fA-F]{64}(:(%s)(\\+(%1$s))*)?".formatted(names("|"));
    private static final String ORIGIN = "[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\\[[0-9a-f:]+])(:[0-9]{1,5})?";

    private Settings() {
    }

    /** Whether a process with these roles needs the broker from the start. */
    public static boolean needsBroker(String roles) {
        return !roles.equals("comment-reader");
    }

    /** Whether a process with these roles needs the database from the start. */
    public static boolean needsDatabase(String roles) {
        return Stream.of("comment-job-processor", "comment-changes", "comment-reader").anyMatch(roles::contains);
    }

    /**
     * Checks all settings.
     *
     * @param values returns a setting's value by its name
     * @throws ConfigurationException whose message names the setting and the values that it may have
     */
    public static void check(UnaryOperator<String> values) {
        RULES.forEach((name, rule) -> {
            String value = values.apply(name);
            String complaint = rule.complaint(value);
            if (complaint != null) {
                throw new ConfigurationException("%s=%s %s".formatted(name, shown(name, value), complaint));
            }
        });
        checkReads(values);
        checkCertificate(values.apply("HTTP_TLS_CERTIFICATE"), values.apply("HTTP_TLS_KEY"));
        checkHeap(values);
        if (values.apply("HTTP_PORT").equals(values.apply("MANAGEMENT_PORT"))) {
            throw new ConfigurationException("MANAGEMENT_PORT=%s must differ from HTTP_PORT"
                    .formatted(values.apply("MANAGEMENT_PORT")));
        }
    }

    private static void checkReads(UnaryOperator<String> values) {
        if (values.apply("COMMENTS_ROLES").contains("comment-reader")) {
            try {
                new PostgresUrl(values.apply("POSTGRES_URL"));
            } catch (IllegalArgumentException e) {
                throw new ConfigurationException("POSTGRES_URL: " + e.getMessage());
            }
        }
    }

    private static void checkCertificate(String certificate, String key) {
        if (certificate.isEmpty() != key.isEmpty()) {
            throw new ConfigurationException("HTTP_TLS_CERTIFICATE and HTTP_TLS_KEY must be given together");
        }
        if (!certificate.isEmpty()) {
            try {
                TlsCertificate.check(certificate, key);
            } catch (Exception e) {
                throw new ConfigurationException("HTTP_TLS_CERTIFICATE=%s and HTTP_TLS_KEY=%s can't be used: %s"
                        .formatted(certificate, key, e.getMessage()));
            }
        }
    }

    // Of what all consumers may hold, the heap must have room for twice as much: it is gathered, joined and sent.
    private static void checkHeap(UnaryOperator<String> values) {
        if (!values.apply("COMMENTS_ROLES").contains("comment-job-processor")) {
            return;
        }
        int consumers = Prefetch.consumers(Integer.parseInt(values.apply("COMMENTS_CONSUMERS")));
        int setting = Integer.parseInt(values.apply("COMMENTS_PREFETCH"));
        int prefetch = Prefetch.perConsumer(setting, consumers);
        long bytes = (long) consumers * prefetch * Integer.parseInt(values.apply("COMMENTS_GROUP_BYTES"));
        if (bytes > Prefetch.bytes()) {
            String value = setting > 0 ? "COMMENTS_PREFETCH=" + setting : "COMMENTS_CONSUMERS=" + values.apply("COMMENTS_CONSUMERS");
            throw new ConfigurationException(("%s is too much for the heap: %d consumers may hold %d MiB of messages,"
                    + " and half of the heap is %d MiB. Lower it, or COMMENTS_GROUP_BYTES, or raise -Xmx")
                    .formatted(value, consumers, bytes >> 20, Prefetch.bytes() >> 20));
        }
    }

    /** The names of the settings that have a rule. */
    public static Set<String> names() {
        return RULES.keySet();
    }

    // An address may have a password in it, and a list of keys may have a key in the place of its hash.
    private static String shown(String name, String value) {
        return name.matches(".*_(URI|URL|KEYS|ENDPOINT|SECRET)") ? "…" : value;
    }

    private static String notNetworks(String value) {
        try {
            new ClientAddress(value);
            return null;
        } catch (IllegalArgumentException e) {
            return "must be addresses or networks such as 10.0.0.0/8, separated by commas";
        }
    }

    private static Rule wholeNumber(int min, int max) {
        return value -> {
            try {
                int number = Integer.parseInt(value);
                // routes compare some numbers as text: 00 must not be another number than 0
                if (number >= min && number <= max && value.equals(Integer.toString(number))) {
                    return null;
                }
            } catch (NumberFormatException e) {
                // the complaint follows
            }
            return "must be a whole number from %d to %d".formatted(min, max);
        };
    }

    private static String notAmqp(String value) {
        try {
            BrokerAddress.of(value);
            return null;
        } catch (IllegalArgumentException e) {
            return "must be amqp://user:password@host:port/virtual-host, or amqps for TLS,"
                    + " with host:port,host:port for a cluster: " + e.getMessage();
        }
    }

    private static String notPostgres(String value) {
        return value.matches(USER_IN_URL) || !UnpooledDataSource.isUrl(value)
                ? "must be jdbc:postgresql://host:port/database, with the user in POSTGRES_USER" : null;
    }

    private static String notMigrate(String value) {
        return Set.of("true", "false", "only").contains(value) ? null : "must be true, false or only";
    }

    private static String notBoolean(String value) {
        return Set.of("true", "false").contains(value) ? null : "must be true or false";
    }

    private static String notLogFormat(String value) {
        return Set.of("text", "json").contains(value) ? null : "must be text or json";
    }

    private static String notReadable(String value) {
        return value.isEmpty() || Files.isReadable(Path.of(value)) ? null : "must be a PEM file that can be read";
    }

    private static String notOrigins(String value) {
        return value.isEmpty() || value.equals("*") || value.matches(ORIGIN + "(\\s*,\\s*" + ORIGIN + ")*") ? null
                : "must be *, or origins as browsers send them, such as https://example.com,http://localhost:3000";
    }

    private static String notHost(String value) {
        return value.isBlank() ? "must be the name or the address of an interface, such as 127.0.0.1, or 0.0.0.0 for all" : null;
    }

    private static String notBasePath(String value) {
        return value.matches("(/[\\w.~-]+)*") ? null : "must be empty, or a path such as /c, without a slash at its end";
    }

    private static String notApiKeys(String value) {
        return value.isEmpty() || value.matches(API_KEY + "(," + API_KEY + ")*") ? null
                : "must be name:hash,name:hash:scope+scope with the SHA-256 of each key as 64 hexadecimal digits, and scopes of "
                        + names(", ");
    }

    private static String names(String separator) {
        return Arrays.stream(ApiKeys.Scope.values()).map(ApiKeys.Scope::toString).collect(Collectors.joining(separator));
    }

    // Other endpoints are Camel's to check.
    private static String notEndpoint(String value) {
        if (!value.isEmpty() && !value.matches("(?i)https?:.*")) {
            return null;
        }
        try {
            URI uri = new URI(value);
            if (uri.getHost() != null && uri.getUserInfo() == null && value.startsWith("http")) {
                return null;
            }
        } catch (URISyntaxException e) {
            // the complaint follows
        }
        return "must be https://host:port/path without a user, or another Camel endpoint";
    }

    private static String notWebhookSecrets(String value) {
        try {
            for (String secret : value.isEmpty() ? new String[0] : value.split(" +")) {
                int bytes = secret.startsWith("whsec_") ? Base64.getDecoder().decode(secret.substring("whsec_".length())).length : 0;
                if (bytes < 24 || bytes > 64) {
                    throw new IllegalArgumentException();
                }
            }
            return null;
        } catch (IllegalArgumentException e) {
            return "must be whsec_ and 24 to 64 bytes in Base64; several are separated by spaces";
        }
    }

    private static String notRoles(String value) {
        return ROLES.containsAll(Arrays.asList(value.split(",", -1))) ? null
                : "must be any of %s, separated by commas without spaces".formatted(String.join(", ", ROLES));
    }
}
