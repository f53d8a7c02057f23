package comments.servers;

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
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The packaged application by TLS, and what its users and roles may not do. */
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
                "TRUNCATE comments", "CREATE TABLE more (id int)")) {
            try (Connection writer = DriverManager.getConnection(SERVERS.postgresql().url(SERVERS.database()),
                    PrivateServers.WRITER, PrivateServers.PASSWORD)) {
                assertThatThrownBy(() -> writer.createStatement().execute(statement)).as(statement)
                        .isInstanceOf(SQLException.class).extracting("SQLState").isEqualTo("42501");
            }
        }
        for (String statement : List.of("INSERT INTO comments SELECT * FROM comments", "DELETE FROM comments", "CREATE TABLE more (id int)")) {
            try (Connection reader = DriverManager.getConnection(SERVERS.postgresql().url(SERVERS.database()),
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
        // without the trust store that launch(roles) adds
        JarProcess service = SERVERS.launch(JarProcess.java(JarProcess.PACKAGED), "comment-service");
        assertThat(service.awaitEnd()).isEqualTo(1);
        assertThat(service.log()).noneMatch(line -> line.contains(PrivateServers.PASSWORD) || line.startsWith("\tat ")).last().asString()
                .startsWith("comment-service: RABBITMQ_URI").contains("certification path");
    }
}
