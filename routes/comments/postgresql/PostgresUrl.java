package comments.postgresql;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.PemTrustOptions;
import io.vertx.core.net.PfxOptions;
import io.vertx.core.net.TrustOptions;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.pgclient.SslMode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Stream;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.postgresql.Driver;
import org.postgresql.PGProperty;

/**
 * The JDBC URL of a database, for connections that are not of the JDBC driver. What it says of hosts, TLS, times, the schema and
 * {@code options} means the same. What only concerns JDBC is ignored. What can't be done without the driver is refused.
 *
 * <p>Immutable. Files that it names are read when it is made.
 */
public final class PostgresUrl {

    /** A server to try, and what it must be: true for a standby, false for a primary, null for any. */
    record Candidate(PgConnectOptions server, Boolean standby) {
    }

    private static final Path HOME = Path.of(System.getProperty("user.home"), ".postgresql");
    private static final String LIBPQ_FACTORY = "org.postgresql.ssl.LibPQFactory";
    private static final String JVM_FACTORY = "org.postgresql.ssl.DefaultJavaSSLFactory";
    private static final String NON_VALIDATING_FACTORY = "org.postgresql.ssl.NonValidatingFactory";
    // each with the values that change nothing
    private static final Map<PGProperty, List<String>> REFUSED = Map.of(
            PGProperty.SSL_FACTORY, List.of(LIBPQ_FACTORY, JVM_FACTORY, NON_VALIDATING_FACTORY),
            PGProperty.SSL_HOSTNAME_VERIFIER, List.of(),
            PGProperty.SSL_PASSWORD_CALLBACK, List.of(),
            PGProperty.SSL_NEGOTIATION, List.of("postgres"),
            PGProperty.GSS_ENC_MODE, List.of("allow", "disable", "prefer"),
            PGProperty.CHANNEL_BINDING, List.of("disable", "prefer"),
            PGProperty.REQUIRE_AUTH, List.of(),
            PGProperty.SOCKET_FACTORY, List.of(),
            PGProperty.AUTHENTICATION_PLUGIN_CLASS_NAME, List.of(),
            PGProperty.LOCAL_SOCKET_ADDRESS, List.of());

    private final Properties properties;
    private final List<PgConnectOptions> servers = new ArrayList<>();

    /**
     * Reads a URL.
     *
     * @throws IllegalArgumentException if it is none, or has a parameter that only the JDBC driver can do
     */
    public PostgresUrl(String url) {
        properties = Driver.parseURL(url, null);
        if (properties == null) {
            throw new IllegalArgumentException("it must be jdbc:postgresql://host:port/database");
        }
        REFUSED.forEach((property, harmless) -> {
            String value = property.getOrNull(properties);
            if (value != null && !value.equals(property.getDefaultValue()) && !harmless.contains(value)) {
                throw new IllegalArgumentException("comment-reader can't use its parameter %s=%s%s".formatted(property.getName(), value,
                        harmless.isEmpty() ? "" : ", only " + String.join(", ", harmless)));
            }
        });
        PgConnectOptions common = new PgConnectOptions();
        encrypt(common);
        String[] hosts = PGProperty.PG_HOST.getOrDefault(properties).split(",");
        String[] ports = PGProperty.PG_PORT.getOrDefault(properties).split(",");
        for (int i = 0; i < hosts.length; i++) {
            servers.add(new PgConnectOptions(common).setHost(hosts[i].replaceAll("[\\[\\]]", "")).setPort(Integer.parseInt(ports[i])));
        }
    }

    private void encrypt(PgConnectOptions options) {
        String mode = PGProperty.SSL_MODE.getOrNull(properties);
        if (mode == null) {
            String ssl = PGProperty.SSL.getOrNull(properties);
            mode = ssl != null && !ssl.equals("false") ? "verify-full" : "prefer";
        }
        SslMode sslMode = sslMode(mode);
        options.setSslMode(sslMode);
        String factory = PGProperty.SSL_FACTORY.getOrDefault(properties);
        boolean verified = sslMode == SslMode.VERIFY_CA || sslMode == SslMode.VERIFY_FULL;
        if (factory.equals(JVM_FACTORY)) {
            options.setTrustOptions(TrustOptions.wrap(trustOfTheJvm()));
        } else if (verified && !factory.equals(NON_VALIDATING_FACTORY)) {
            options.setTrustOptions(new PemTrustOptions().addCertValue(
                    read("sslrootcert", file(PGProperty.SSL_ROOT_CERT, HOME.resolve("root.crt")))));
        } else {
            options.setTrustAll(true);
            if (verified) {
                options.setTrustOptions(new PemTrustOptions());
            }
        }
        options.setHostnameVerificationAlgorithm(sslMode == SslMode.VERIFY_FULL ? "HTTPS" : "");
        if (sslMode != SslMode.DISABLE && factory.equals(LIBPQ_FACTORY)) {
            identify(options);
        }
    }

    private static SslMode sslMode(String mode) {
        try {
            return SslMode.of(mode);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("sslmode must be one of "
                    + String.join(", ", Stream.of(SslMode.values()).map(value -> value.value).toList()), e);
        }
    }

    private static X509TrustManager trustOfTheJvm() {
        try {
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init((KeyStore) null);
            return (X509TrustManager) factory.getTrustManagers()[0];
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException("the JVM's trust store can't be read: " + e.getMessage(), e);
        }
    }

    // the certificate of the client
    private void identify(PgConnectOptions options) {
        Path key = file(PGProperty.SSL_KEY, HOME.resolve("postgresql.pk8"));
        String password = PGProperty.SSL_PASSWORD.getOrNull(properties);
        boolean isGiven = PGProperty.SSL_KEY.getOrNull(properties) != null;
        if (!isGiven && !Files.exists(key)) {
            return;
        }
        if (key.toString().endsWith(".p12") || key.toString().endsWith(".pfx")) {
            options.setPfxKeyCertOptions(new PfxOptions().setValue(read("sslkey", key)).setPassword(password));
        } else if (password != null) {
            throw new IllegalArgumentException("comment-reader can't use its parameter sslpassword with a key that is no .p12 file");
        } else {
            Buffer bytes = read("sslkey", key);
            boolean isPem = bytes.toString().startsWith("-----BEGIN");
            options.setPemKeyCertOptions(new PemKeyCertOptions()
                    .addKeyValue(isPem ? bytes : Buffer.buffer("-----BEGIN PRIVATE KEY-----\n"
                            + Base64.getMimeEncoder().encodeToString(bytes.getBytes()) + "\n-----END PRIVATE KEY-----\n"))
                    .addCertValue(read("sslcert", file(PGProperty.SSL_CERT, HOME.resolve("postgresql.crt")))));
        }
    }

    private Path file(PGProperty property, Path absent) {
        String file = property.getOrNull(properties);
        return file == null ? absent : Path.of(file);
    }

    private static Buffer read(String property, Path file) {
        try {
            return Buffer.buffer(Files.readAllBytes(file));
        } catch (IOException e) {
            throw new IllegalArgumentException("%s: %s can't be read".formatted(property, file), e);
        }
    }

    /**
     * The servers to try for a connection, in this order.
     *
     * @param user unless the URL has one
     * @param password unless the URL has one
     */
    List<Candidate> candidates(String user, String password) {
        List<PgConnectOptions> order = new ArrayList<>(servers);
        if (Boolean.parseBoolean(PGProperty.LOAD_BALANCE_HOSTS.getOrDefault(properties))) {
            Collections.shuffle(order);
        }
        order.replaceAll(server -> {
            PgConnectOptions options = new PgConnectOptions(server)
                    .setUser(given(PGProperty.USER, user))
                    .setPassword(given(PGProperty.PASSWORD, password))
                    .setDatabase(given(PGProperty.PG_DBNAME, given(PGProperty.USER, user)));
            startup().forEach(options::addProperty);
            return options;
        });
        return switch (PGProperty.TARGET_SERVER_TYPE.getOrDefault(properties)) {
            case "primary", "master" -> each(order, false);
            case "secondary", "slave" -> each(order, true);
            case "preferPrimary" -> Stream.of(each(order, false), each(order, null)).flatMap(List::stream).toList();
            case "preferSecondary", "preferSlave" -> Stream.of(each(order, true), each(order, null)).flatMap(List::stream).toList();
            default -> each(order, null);
        };
    }

    private static List<Candidate> each(List<PgConnectOptions> servers, Boolean standby) {
        return servers.stream().map(server -> new Candidate(server, standby)).toList();
    }

    // parameters of the session that it begins with
    private Map<String, String> startup() {
        Map<String, String> startup = new HashMap<>();
        startup.put("application_name", given(PGProperty.APPLICATION_NAME, "comment-reader"));
        if (PGProperty.CURRENT_SCHEMA.getOrNull(properties) != null) {
            startup.put("search_path", PGProperty.CURRENT_SCHEMA.getOrNull(properties));
        }
        if (PGProperty.OPTIONS.getOrNull(properties) != null) {
            startup.put("options", PGProperty.OPTIONS.getOrNull(properties));
        }
        return startup;
    }

    private String given(PGProperty property, String otherwise) {
        String value = property.getOrNull(properties);
        return value == null ? otherwise : value;
    }

    /** Whether a pooler between the connection and the server prepares statements itself. */
    boolean preparesBehindPoolers() {
        String threshold = PGProperty.PREPARE_THRESHOLD.getOrNull(properties);
        return threshold != null && !threshold.equals("0");
    }

    /** How long a connection to one server may take, in milliseconds. */
    int connectMillis(int otherwise) {
        return millis(PGProperty.CONNECT_TIMEOUT, otherwise);
    }

    /** How long a server may be silent while it has a statement, in milliseconds. */
    int silentMillis(int otherwise) {
        return millis(PGProperty.SOCKET_TIMEOUT, otherwise);
    }

    private int millis(PGProperty property, int otherwise) {
        String seconds = property.getOrNull(properties);
        return seconds == null || seconds.equals("0") ? otherwise : 1_000 * Integer.parseInt(seconds);
    }
}
