package comments;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The packaged application by TLS, as users and roles that may do no more than they need. */
class SecureServersIT {

    private static final String PASSWORD = "only-for-this-test";

    @TempDir
    static Path folder;

    private static TestCertificate certificate;
    private static PrivateRabbitMQ rabbitmq;
    private static PrivatePostgreSQL postgresql;

    @BeforeAll
    static void start() throws Exception {
        assumeTrue(PrivateRabbitMQ.missing() == null, PrivateRabbitMQ::missing);
        assumeTrue(PrivatePostgreSQL.missing() == null, PrivatePostgreSQL::missing);
        certificate = TestCertificate.create(folder);
        rabbitmq = PrivateRabbitMQ.start(certificate);
        postgresql = PrivatePostgreSQL.start();
        postgresql.encrypt(certificate);
        postgresql.run(Path.of("docker", "postgresql-roles.sql"), "owner_password=" + PASSWORD, "writer_password=" + PASSWORD,
                "reader_password=" + PASSWORD);
        rabbitmq.run(Path.of("docker", "rabbitmq-users"), Map.of("COMMENT_SERVICE_PASSWORD", PASSWORD,
                "COMMENT_JOB_PROCESSOR_PASSWORD", PASSWORD, "NOTIFICATION_SERVICE_PASSWORD", PASSWORD));
        // makes the schema and the queues
        JarProcess.start(Map.of("RABBITMQ_URI", rabbitmq.uri(), "POSTGRES_URL", postgresql.url(),
                "POSTGRES_USER", "comments_owner", "POSTGRES_PASSWORD", PASSWORD)).close();
    }

    @AfterAll
    static void stop() throws Exception {
        if (rabbitmq != null) {
            rabbitmq.close();
        }
        if (postgresql != null) {
            postgresql.close();
        }
    }

    private static JarProcess launch(String role) throws Exception {
        return JarProcess.launch(Map.of("COMMENTS_ROLES", role,
                "RABBITMQ_URI", "amqps://%s:%s@127.0.0.1:%d".formatted(role, PASSWORD, rabbitmq.tlsPort()),
                "POSTGRES_URL", postgresql.url() + "?sslmode=verify-full&sslrootcert=" + certificate.certificateFile(),
                "POSTGRES_USER", role.equals("comment-reader") ? "comments_reader" : "comments_writer", "POSTGRES_PASSWORD", PASSWORD, "POSTGRES_MIGRATE", "false"),
                List.of("-Djavax.net.ssl.trustStore=" + certificate.trustStore(),
                        "-Djavax.net.ssl.trustStorePassword=" + certificate.password(), "-jar", JarProcess.JAR.toString()));
    }

    private static long query(String sql) throws SQLException {
        try (Connection connection = postgresql.connect(); ResultSet result = connection.createStatement().executeQuery(sql)) {
            result.next();
            return result.getLong(1);
        }
    }

    @Test
    void theLeastPrivilegesAreEnoughAndAllIsEncrypted() throws Exception {
        try (JarProcess service = launch("comment-service"); JarProcess processor = launch("comment-job-processor");
                JarProcess notifier = launch("notification-service"); JarProcess reader = launch("comment-reader")) {
            for (JarProcess each : List.of(service, processor, notifier, reader)) {
                each.awaitReady();
            }
            for (int i = 0; i < 100; i++) {
                assertThat(service.post(TestPipeline.COMMENT).statusCode()).isEqualTo(202);
            }
            await().atMost(Duration.ofSeconds(30)).until(() -> notifier.pushed() == 100);
            assertThat(query("SELECT count(*) FROM comments")).isEqualTo(100);
            assertThat(reader.get("/comments?postId=p&limit=100").body().split("\"id\":")).hasSize(101);
            assertThat(query("SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
                    + " WHERE usename IN ('comments_writer', 'comments_reader') AND NOT ssl")).isZero();
            assertThat(rabbitmq.ctl("list_connections", "--no-table-headers", "ssl").lines()).isNotEmpty().containsOnly("true");
        }
    }

    @Test
    void aBrokerWhoseCertificateIsNotTrustedIsNotTalkedTo() throws Exception {
        try (JarProcess service = JarProcess.launch(Map.of("COMMENTS_ROLES", "comment-service",
                "RABBITMQ_URI", "amqps://comment-service:%s@127.0.0.1:%d".formatted(PASSWORD, rabbitmq.tlsPort())),
                List.of("-jar", JarProcess.JAR.toString()))) {
            assertThat(service.awaitEnd()).isEqualTo(1);
            assertThat(service.log()).noneMatch(line -> line.contains(PASSWORD) || line.startsWith("\tat ")).last().asString()
                    .startsWith("comment-service: RABBITMQ_URI").contains("certification path");
        }
    }
}
