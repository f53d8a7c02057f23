package comments.servers;

import static comments.support.PrivateServers.VERSIONS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.ConnectionFactory;
import comments.support.EventStream;
import comments.support.JarProcess;
import comments.support.PrivateServers;
import comments.support.TestPipeline;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The packaged application by TLS, and what its users and roles may not do. */
@Tag(VERSIONS)
class SecureServersIT {

    @RegisterExtension
    static final PrivateServers SERVERS = PrivateServers.encrypted();

    @Test
    void allIsEncrypted() throws Exception {
        JarProcess service = SERVERS.launch("comment-service");
        JarProcess processor = SERVERS.launch("comment-job-processor");
        JarProcess notifier = SERVERS.launch("notification-service");
        JarProcess reader = SERVERS.launch("comment-reader");
        List.of(service, processor, notifier, reader).forEach(JarProcess::awaitReady);
        EventStream stream = EventStream.open(reader.uri("/comments/stream?postId=p"));
        for (int i = 0; i < 100; i++) {
            assertThat(service.post(TestPipeline.COMMENT).statusCode()).isEqualTo(202);
        }
        await().atMost(Duration.ofSeconds(30)).until(() -> notifier.pushed() == 100);
        assertThat(SERVERS.rows()).hasSize(100);
        await().atMost(Duration.ofSeconds(30)).until(() -> stream.comments().size() == 100);
        assertThat(reader.get("/comments?postId=p&limit=100").body().split("\"id\":")).hasSize(101);
        for (String role : List.of(PrivateServers.WRITER, PrivateServers.READER)) {
            String connections = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = '" + role + "'";
            assertThat(SERVERS.number(connections)).as(role).isPositive();
            assertThat(SERVERS.number(connections + " AND NOT ssl")).as(role).isZero();
        }
        assertThat(SERVERS.rabbitmq().ctl("list_connections", "--no-table-headers", "ssl").lines()).isNotEmpty().containsOnly("true");
    }

    @Test
    void theUsersAndRolesMayDoNoMore() throws Exception {
        for (String statement : List.of("DELETE FROM comments", "UPDATE comments SET content = ''", "DROP TABLE comments",
                "TRUNCATE comments", "CREATE TABLE more (id int)", "INSERT INTO comments_schema_history SELECT * FROM comments_schema_history",
                "UPDATE comments_schema_history SET checksum = 0", "DELETE FROM comment_quarantine", "SELECT FROM comment_changes_waiting",
                "DELETE FROM comment_changes_waiting", "SELECT FROM user_erasures_running", "INSERT INTO user_erasures VALUES ('', now())")) {
            assertDenied(PrivateServers.WRITER, statement);
        }
        for (String statement : List.of("DELETE FROM comments", "DROP TABLE comments", "TRUNCATE comments", "CREATE TABLE more (id int)",
                "SELECT FROM comments_schema_history")) {
            assertDenied(PrivateServers.CHANGER, statement);
        }
        for (String statement : List.of("INSERT INTO comments SELECT * FROM comments", "DELETE FROM comments", "CREATE TABLE more (id int)",
                "SELECT FROM comment_quarantine", "SELECT FROM comment_changes_waiting", "SELECT FROM user_erasures", "SELECT FROM user_erasures_running",
                "SELECT FROM comments_schema_history")) {
            assertDenied(PrivateServers.READER, statement);
        }
        assertRefused("comment-reader", channel -> channel.basicGet("comments", true));
        assertRefused("comment-reader", channel -> channel.queueDeclare("more", true, false, false, null));
        assertRefused("comment-service", channel -> channel.basicGet("comments", true));
        assertRefused("comment-service", channel -> channel.queueDelete("comments"));
        assertRefused("comment-service", channel -> channel.queueDeclare("comments-2", true, false, false, null));
        assertRefused("comment-job-processor", channel -> channel.queueDeclare("comments-2", true, false, false, null));
        assertRefused("comment-job-processor", channel -> channel.basicGet("notifications", true));
        assertRefused("comment-job-processor", channel -> channel.queuePurge("notifications"));
        assertRefused("comment-job-processor", channel -> channel.basicGet("comment-changes", true));
        assertRefused("comment-changes", channel -> channel.basicGet("comments", true));
        assertRefused("comment-changes", channel -> channel.queueDelete("comment-changes"));
        assertRefused("notification-service", channel -> channel.basicGet("comments", true));
        assertRefused("notification-service", channel -> channel.queueDeclare("more", true, false, false, null));
    }

    private static void assertDenied(String role, String statement) throws SQLException {
        try (Connection connection = DriverManager.getConnection(SERVERS.postgresql().url(SERVERS.database()), role, PrivateServers.PASSWORD)) {
            assertThatThrownBy(() -> connection.createStatement().execute(statement)).as("%s: %s", role, statement)
                    .isInstanceOf(SQLException.class).extracting("SQLState").isEqualTo("42501");
        }
    }

    /** A former version named the history otherwise, and its roles had what they should not have. */
    @Test
    void theOwnerMakesTheSchemaAndTakesBackWhatFormerVersionsGranted() throws Exception {
        try (Connection owner = DriverManager.getConnection(SERVERS.postgresql().url(SERVERS.database()), PrivateServers.OWNER,
                PrivateServers.PASSWORD)) {
            owner.createStatement().execute("CREATE TABLE flyway_schema_history AS SELECT * FROM comments_schema_history;"
                    + " DROP TABLE comments_schema_history; GRANT SELECT ON comment_quarantine TO comments_reader");
        }
        JarProcess process = SERVERS.launch("comment-job-processor", "POSTGRES_USER", PrivateServers.OWNER, "POSTGRES_MIGRATE", "only",
                "RABBITMQ_URI", "amqp://127.0.0.1:1");
        assertThat(process.awaitEnd()).as("exit code: see " + process.logFile()).isZero();
        assertThat(process.log()).anyMatch(line -> line.contains("The schema is made")).noneMatch(line -> line.contains("ERROR"));
        assertDenied(PrivateServers.WRITER, "INSERT INTO flyway_schema_history SELECT * FROM flyway_schema_history");
        assertDenied(PrivateServers.READER, "SELECT FROM comment_quarantine");
        try (Stream<Path> scripts = Files.list(Path.of("routes/sql"))) {
            assertThat(SERVERS.number("SELECT count(*) FROM flyway_schema_history"))
                    .isEqualTo(scripts.filter(script -> script.getFileName().toString().matches("V\\d+__.*")).count());
        }
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
        // without the trust store that launch(roles) adds
        JarProcess service = SERVERS.launch(JarProcess.java(JarProcess.PACKAGED), "comment-service");
        assertThat(service.awaitEnd()).isEqualTo(1);
        assertThat(service.log()).noneMatch(line -> line.contains(PrivateServers.PASSWORD) || line.startsWith("\tat ")).last().asString()
                .startsWith("comment-service: RABBITMQ_URI").contains("certification path");
    }
}
