package comments.servers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.ConnectionFactory;
import comments.support.EventStream;
import comments.support.JarProcess;
import comments.support.PrivateServers;
import comments.support.TestCertificate;
import comments.support.TestPipeline;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The packaged application by TLS, and what its users and roles may not do. */
class SecureServersIT {

    @RegisterExtension
    static final PrivateServers SERVERS = PrivateServers.encrypted();

    private String database;

    @BeforeEach
    void empty() throws Exception {
        database = SERVERS.newDatabase();
        SERVERS.emptyQueues();
    }

    private JarProcess launch(String role) throws Exception {
        TestCertificate certificate = SERVERS.certificate();
        Map<String, String> knobs = new HashMap<>(SERVERS.knobs(role, database));
        knobs.put("RABBITMQ_URI", encryptedUri(role));
        knobs.put("POSTGRES_URL", SERVERS.postgresql().url(database)
                + "?sslmode=verify-full&sslrootcert=" + certificate.certificateFile());
        return JarProcess.launch(knobs, List.of("-Djavax.net.ssl.trustStore=" + certificate.trustStore(),
                "-Djavax.net.ssl.trustStorePassword=" + certificate.password(), "-jar", JarProcess.JAR.toString()));
    }

    private static String encryptedUri(String role) {
        return PrivateServers.brokerUri(role, List.of(SERVERS.rabbitmq().tlsPort())).replaceFirst("amqp", "amqps");
    }

    private long query(String sql) throws SQLException {
        try (Connection connection = SERVERS.postgresql().connect(database); ResultSet result = connection.createStatement().executeQuery(sql)) {
            result.next();
            return result.getLong(1);
        }
    }

    @Test
    void allIsEncrypted() throws Exception {
        try (JarProcess service = launch("comment-service"); JarProcess processor = launch("comment-job-processor");
                JarProcess notifier = launch("notification-service"); JarProcess reader = launch("comment-reader")) {
            for (JarProcess each : List.of(service, processor, notifier, reader)) {
                each.awaitReady();
            }
            EventStream stream = EventStream.open(reader.uri("/comments/stream?postId=p"));
            for (int i = 0; i < 100; i++) {
                assertThat(service.post(TestPipeline.COMMENT).statusCode()).isEqualTo(202);
            }
            await().atMost(Duration.ofSeconds(30)).until(() -> notifier.pushed() == 100);
            assertThat(query("SELECT count(*) FROM comments")).isEqualTo(100);
            await().atMost(Duration.ofSeconds(30)).until(() -> stream.comments().size() == 100);
            assertThat(reader.get("/comments?postId=p&limit=100").body().split("\"id\":")).hasSize(101);
            for (String role : List.of(PrivateServers.WRITER, PrivateServers.READER)) {
                String connections = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = '" + role + "'";
                assertThat(query(connections)).as(role).isPositive();
                assertThat(query(connections + " AND NOT ssl")).as(role).isZero();
            }
            assertThat(SERVERS.rabbitmq().ctl("list_connections", "--no-table-headers", "ssl").lines()).isNotEmpty().containsOnly("true");
        }
    }

    @Test
    void theUsersAndRolesMayDoNoMore() throws Exception {
        for (String statement : List.of("DELETE FROM comments", "UPDATE comments SET content = ''", "DROP TABLE comments",
                "TRUNCATE comments", "CREATE TABLE more (id int)")) {
            try (Connection writer = DriverManager.getConnection(SERVERS.postgresql().url(database),
                    PrivateServers.WRITER, PrivateServers.PASSWORD)) {
                assertThatThrownBy(() -> writer.createStatement().execute(statement)).as(statement)
                        .isInstanceOf(SQLException.class).extracting("SQLState").isEqualTo("42501");
            }
        }
        for (String statement : List.of("INSERT INTO comments SELECT * FROM comments", "DELETE FROM comments", "CREATE TABLE more (id int)")) {
            try (Connection reader = DriverManager.getConnection(SERVERS.postgresql().url(database),
                    PrivateServers.READER, PrivateServers.PASSWORD)) {
                assertThatThrownBy(() -> reader.createStatement().execute(statement)).as(statement)
                        .isInstanceOf(SQLException.class).extracting("SQLState").isEqualTo("42501");
            }
        }
        assertRefused("comment-reader", channel -> channel.basicGet("comments", true));
        assertRefused("comment-reader", channel -> channel.queueDeclare("more", true, false, false, null));
        assertRefused("comment-service", channel -> channel.basicGet("comments", true));
        assertRefused("comment-service", channel -> channel.queueDelete("comments"));
        assertRefused("comment-job-processor", channel -> channel.basicGet("notifications", true));
        assertRefused("comment-job-processor", channel -> channel.queuePurge("notifications"));
        assertRefused("notification-service", channel -> channel.basicGet("comments", true));
        assertRefused("notification-service", channel -> channel.queueDeclare("more", true, false, false, null));
    }

    private interface Use {
        Object of(Channel channel) throws IOException;
    }

    private static void assertRefused(String user, Use use) throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(PrivateServers.brokerUri(user, List.of(SERVERS.rabbitmq().port())));
        try (var connection = factory.newConnection()) {
            // the refusal closes it
            Channel channel = connection.createChannel();
            assertThatThrownBy(() -> use.of(channel)).as(user).rootCause().hasMessageContaining("ACCESS_REFUSED");
        }
    }

    @Test
    void aBrokerWhoseCertificateIsNotTrustedIsNotTalkedTo() throws Exception {
        try (JarProcess service = JarProcess.launch(Map.of("COMMENTS_ROLES", "comment-service",
                "RABBITMQ_URI", encryptedUri("comment-service")),
                List.of("-jar", JarProcess.JAR.toString()))) {
            assertThat(service.awaitEnd()).isEqualTo(1);
            assertThat(service.log()).noneMatch(line -> line.contains(PrivateServers.PASSWORD) || line.startsWith("\tat ")).last().asString()
                    .startsWith("comment-service: RABBITMQ_URI").contains("certification path");
        }
    }
}
