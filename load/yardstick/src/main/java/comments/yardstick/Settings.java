package comments.yardstick;

import io.vertx.core.http.HttpServerOptions;

/** The pipeline's own settings, from environment variables. */
final class Settings {

    static final String RABBITMQ_URI = get("RABBITMQ_URI", "amqp://guest:guest@localhost:5672");
    static final String POSTGRES_URL = get("POSTGRES_URL", "jdbc:postgresql://localhost:5432/test");
    static final String POSTGRES_USER = get("POSTGRES_USER", "test");
    static final String POSTGRES_PASSWORD = get("POSTGRES_PASSWORD", "test");

    private static final int MAX_PORT = 65_535;

    private Settings() {
    }

    /** Loopback only. */
    static HttpServerOptions http() {
        String port = get("HTTP_PORT", "8080");
        if (!port.matches("[1-9]\\d{0,4}") || Integer.parseInt(port) > MAX_PORT) {
            fail("HTTP_PORT=" + port, new IllegalArgumentException("it takes a port from 1 to " + MAX_PORT));
        }
        return new HttpServerOptions().setHost("127.0.0.1").setPort(Integer.parseInt(port));
    }

    /** The address of the database for a message, after a check: a driver would log what it can't parse, with a password. */
    static String postgres(String program) {
        String postgres = program + ": POSTGRES_URL=" + shown(POSTGRES_URL);
        if (!POSTGRES_URL.matches("jdbc:postgresql://[^/:?@]+(:\\d{1,5}(,[^/:?@]+)?)*/.+")) {
            fail(postgres, new IllegalArgumentException("it takes jdbc:postgresql://HOST:PORT/DATABASE"));
        }
        return postgres;
    }

    /** Ends the process with one line: what failed, and the first line of the reason. */
    static void fail(String what, Throwable cause) {
        String reason = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage().lines().findFirst().orElse("");
        // a driver may quote the whole address
        for (String address : new String[] {RABBITMQ_URI, POSTGRES_URL.replaceFirst("^jdbc:", "")}) {
            reason = reason.replace(address, shown(address));
        }
        System.err.println(what + ": " + reason);
        Runtime.getRuntime().halt(1);
    }

    /** An address for a message: without a user, a password and options. */
    static String shown(String address) {
        // an @ after the ? of a database's address belongs to a password; one after the ? of a password belongs to the user info
        String place = address.matches("(?s)(jdbc:)?postgresql:.*") ? withoutOptions(address) : address;
        return withoutOptions(place.replaceFirst("(?s)^([a-z:]+//)?.*@", "$1"));
    }

    private static String withoutOptions(String address) {
        return address.replaceFirst("(?s)\\?.*", "");
    }

    private static String get(String name, String otherwise) {
        String value = System.getenv(name);
        return value == null || value.isEmpty() ? otherwise : value;
    }
}
