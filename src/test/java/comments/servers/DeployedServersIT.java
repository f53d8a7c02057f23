package comments.servers;

import static comments.support.PrivateServers.VERSIONS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import comments.DeploymentFiles;
import comments.support.JarProcess;
import comments.support.PrivatePostgreSQL;
import comments.support.PrivateRabbitMQ;
import comments.support.TestPipeline;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What docker/compose.yaml starts, on real servers without containers: the scripts prepare them, and each service runs with its
 * settings and the passwords of docker/passwords.
 */
@Tag(VERSIONS)
class DeployedServersIT {

    // more than the default
    private static final String QUEUES = "2";

    private final Map<String, String> passwords = new HashMap<>();

    private Map<String, String> settings(JsonNode service, PrivateRabbitMQ broker, PrivatePostgreSQL database) {
        Map<String, String> settings = new HashMap<>();
        service.get("environment").properties().forEach(variable -> {
            String value = variable.getValue().asText().replace("${COMMENTS_QUEUES:-1}", QUEUES)
                    .replaceAll("\\$\\{\\w+:-(\\w+)}", "$1")
                    .replace("rabbitmq:5672", "127.0.0.1:" + broker.port()).replace("postgresql:5432", "127.0.0.1:" + database.port());
            for (Map.Entry<String, String> password : passwords.entrySet()) {
                value = value.replace("${%s:?}".formatted(password.getKey()), password.getValue());
            }
            settings.put(variable.getKey(), value);
        });
        return settings;
    }

    @Test
    void theScriptsPrepareTheServersAndEachServiceWorksWithItsOwnRights() throws Exception {
        assumeTrue(PrivateRabbitMQ.missing() == null, PrivateRabbitMQ::missing);
        assumeTrue(PrivatePostgreSQL.missing() == null, PrivatePostgreSQL::missing);
        Process made = new ProcessBuilder("docker/passwords").start();
        new String(made.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines().map(line -> line.split("="))
                .forEach(pair -> passwords.put(pair[0], pair[1]));
        Map<String, JsonNode> services = DeploymentFiles.builtServices();
        List<JarProcess> processes = new ArrayList<>();
        try (PrivateRabbitMQ broker = PrivateRabbitMQ.start(); PrivatePostgreSQL database = PrivatePostgreSQL.start()) {
            database.execute("CREATE DATABASE comments");
            Map<String, String> variables = new HashMap<>(passwords);
            variables.put("COMMENTS_QUEUES", QUEUES);
            // twice: after each start of the node, and to change passwords
            for (int i = 0; i < 2; i++) {
                broker.run(Path.of("docker/rabbitmq-init"), variables, "policies", "queues.json", "rabbitmq-users");
                database.run(Path.of("docker/postgresql-roles.sql"), "comments", passwords);
            }
            assertThat(broker.ctl("list_users", "--no-table-headers").lines().map(line -> line.replaceAll("\\s+", " ")).toList())
                    .containsExactlyInAnyOrder("comment-service []", "comment-job-processor []", "comment-changes []",
                            "notification-service []", "comment-reader []");
            assertThat(broker.queues()).containsOnlyKeys("comments", "comments-2", "comment-changes", "notifications",
                    "notifications-refused");
            assertThat(superusers(database)).containsExactly("postgres");

            JarProcess schema = JarProcess.launch(settings(services.remove("schema"), broker, database), JarProcess.PACKAGED);
            assertThat(schema.awaitEnd()).as("exit code: see " + schema.logFile()).isZero();
            Map<String, JarProcess> started = new HashMap<>();
            for (Map.Entry<String, JsonNode> service : services.entrySet()) {
                JarProcess process = JarProcess.launch(settings(service.getValue(), broker, database), JarProcess.PACKAGED);
                processes.add(process);
                started.put(service.getKey(), process);
            }
            processes.forEach(JarProcess::awaitReady);
            assertThat(started.get("comment-service").post(TestPipeline.COMMENT).statusCode()).isEqualTo(202);
            await().atMost(Duration.ofSeconds(30)).until(() -> started.get("notification-service").pushed() == 1);
            assertThat(started.get("comment-reader").get("/comments?postId=p").body()).contains("\"content\":\"Hi\"");
            assertThat(logs(processes)).doesNotContain(passwords.values());
        } finally {
            for (JarProcess process : processes) {
                process.close();
            }
        }
    }

    private static List<String> superusers(PrivatePostgreSQL database) throws Exception {
        List<String> names = new ArrayList<>();
        try (Connection connection = database.connect(); Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT rolname FROM pg_roles WHERE rolsuper OR rolcreaterole OR rolcreatedb")) {
            while (rows.next()) {
                names.add(rows.getString(1));
            }
        }
        return names;
    }

    private static String logs(List<JarProcess> processes) throws IOException {
        StringBuilder logs = new StringBuilder();
        for (JarProcess process : processes) {
            logs.append(process.log().collect(Collectors.joining("\n")));
        }
        return logs.toString();
    }
}
