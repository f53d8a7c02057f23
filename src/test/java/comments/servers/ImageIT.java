package comments.servers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import comments.DeploymentFiles;
import comments.LogFormatTest;
import comments.support.JarProcess;
import comments.support.PrivateServers;
import comments.support.TemporaryFolder;
import comments.support.TestPipeline;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The files of the image, started as the Dockerfile says, on real servers: as its user, where this runs as root, and with
 * nothing but an empty /tmp that can be written, where the kernel lets us mount.
 */
class ImageIT {

    private static final String READ_ONLY =
            "mount -t tmpfs tmpfs /tmp && mount -o remount,bind,ro / && ! touch can-be-written 2>&- && exec \"$@\"";

    @RegisterExtension
    static final PrivateServers SERVERS = new PrivateServers();

    private static Path image;

    @BeforeAll
    static void build() throws Exception {
        // not in /tmp, which is empty for the process, and where every user may look
        image = Files.createTempDirectory(Path.of("/var/tmp"), "image");
        String java = Path.of(JarProcess.JAVA).getParent().toString();
        assertThat(run(new ProcessBuilder("sh", "-c",
                "chmod 755 \"$1\" && PATH=\"$2:$PATH\" docker/without-docker \"$1\" image", "sh", image.toString(), java))).isZero();
    }

    @AfterAll
    static void remove() throws Exception {
        if (image != null) {
            TemporaryFolder.delete(image);
        }
    }

    private static int run(ProcessBuilder command) throws IOException, InterruptedException {
        Process process = command.redirectErrorStream(true).redirectOutput(Path.of("target", "image.log").toFile()).start();
        return process.waitFor();
    }

    private static String instruction(String pattern) throws IOException {
        Matcher instruction = Pattern.compile("(?m)^" + pattern + "$").matcher(DeploymentFiles.imageStage());
        assertThat(instruction.find()).as("docker/Dockerfile: " + pattern).isTrue();
        return instruction.group(1);
    }

    private static List<String> words(String json) throws IOException {
        List<String> words = new ArrayList<>();
        for (JsonNode word : new ObjectMapper().readTree(json)) {
            words.add(word.asText());
        }
        return words;
    }

    private static boolean isRoot() {
        return System.getProperty("user.name").equals("root");
    }

    private static boolean canMount() throws IOException, InterruptedException {
        return isRoot() && run(new ProcessBuilder("unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/tmp")) == 0;
    }

    private static JarProcess container(String roles) throws Exception {
        List<String> command = new ArrayList<>();
        if (canMount()) {
            command.addAll(List.of("unshare", "--mount", "sh", "-c", READ_ONLY, "sh"));
        }
        if (isRoot()) {
            String[] user = instruction("USER (.*)").split(":");
            command.addAll(List.of("setpriv", "--reuid", user[0], "--regid", user[1], "--clear-groups"));
        }
        List<String> entryPoint = words(instruction("ENTRYPOINT (.*)"));
        command.add(JarProcess.JAVA);
        command.add(JarProcess.MUST_SHARE);
        command.addAll(entryPoint.subList(1, entryPoint.size()));
        // an option of the JDK in the image, which those before 23 don't know
        command.removeIf(option -> option.startsWith("--sun-misc") && Runtime.version().feature() < 23);
        List<String> environment = new ArrayList<>();
        Pattern.compile("(?m)^ENV (\\w+)=(\\S+)$").matcher(DeploymentFiles.imageStage()).results()
                .forEach(variable -> environment.addAll(List.of(variable.group(1), variable.group(2))));
        environment.addAll(List.of("MANAGEMENT_HOST", "127.0.0.1"));
        return SERVERS.start(new ProcessBuilder(command).directory(folder().toFile()), roles, environment.toArray());
    }

    private static Path folder() {
        return image.resolve("image/app");
    }

    private static int health(JarProcess process) throws Exception {
        ProcessBuilder health = new ProcessBuilder(words(instruction("HEALTHCHECK .* CMD (.*)")));
        health.directory(folder().toFile()).environment().put("MANAGEMENT_PORT", Integer.toString(process.managementPort()));
        return run(health);
    }

    @Test
    void theImageRunsWithoutRightsAndTellsItsHealth() throws Exception {
        JarProcess container = container("comment-service,comment-job-processor,notification-service");
        assertThat(health(container)).isZero();
        for (int i = 0; i < 100; i++) {
            assertThat(container.post(TestPipeline.COMMENT).statusCode()).isEqualTo(202);
        }
        await().atMost(Duration.ofSeconds(30)).until(() -> container.pushed() == 100);
        assertThat(SERVERS.rows()).hasSize(100);
        assertThat(container.terminate()).isEqualTo(143);
        assertThat(LogFormatTest.lines(container)).as("lines of JSON").isNotEmpty();
        assertThat(health(container)).isEqualTo(1);
    }

    @Test
    void thePoliciesOfTheQueuesAreSet() throws Exception {
        SERVERS.rabbitmq().run(Path.of("docker", "policies"), Map.of());
        assertThat(SERVERS.rabbitmq().ctl("list_policies", "--no-table-headers").lines()).hasSize(4)
                .allSatisfy(policy -> assertThat(policy).contains("reject-publish", "delivery-limit", "queues"));
    }
}
