package comments.page;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import comments.EmbeddedBroker;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.camel.tooling.maven.MavenDownloaderImpl;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Java client that openapi-generator makes of openapi.json: it is compiled, posts a comment, and reads it. */
class GeneratedClientIT {

    private static final String GENERATOR = "org.openapitools:openapi-generator-cli:7.17.0";
    private static final List<String> NEEDED = List.of("org.openapitools:jackson-databind-nullable:0.2.6",
            "com.fasterxml.jackson.datatype:jackson-datatype-jsr310:2.19.2", "jakarta.annotation:jakarta.annotation-api:2.1.1");

    private static final String USER = """
            import java.util.UUID;
            import org.openapitools.client.*;
            import org.openapitools.client.api.*;
            import org.openapitools.client.model.*;

            public class User {
                public static void main(String[] arguments) throws Exception {
                    ApiClient client = new ApiClient();
                    client.updateBaseUri(arguments[0]);
                    NewComment comment = new NewComment().postId("p").userId("u").userName("Ann").content("By a generated client");
                    UUID id = new PostApi(client).postComment(comment, "key").getId();
                    for (int i = 0; ; i++) {
                        try {
                            System.out.println(new ReadApi(client).getComment(id).getContent());
                            break;
                        } catch (ApiException e) {
                            // not written yet, or the schema is still being made
                            if (e.getCode() != 404 && e.getCode() != 503 || i == 100) {
                                throw e;
                            }
                            Thread.sleep(100);
                        }
                    }
                    System.out.println(new ReadApi(client).getComments("p", 20, null).get(0).getId().equals(id));
                    try {
                        new PostApi(client).postComment(comment.userName(" "), null);
                    } catch (ApiException e) {
                        System.out.println(e.getCode());
                    }
                }
            }
            """;

    @TempDir
    Path folder;

    @Test
    void itPostsAndReads() throws Exception {
        String generator = resolve(List.of(GENERATOR), false);
        run("-cp", generator, "org.openapitools.codegen.OpenAPIGenerator", "generate", "-i", "routes/web/openapi.json",
                "-g", "java", "--library", "native", "-p", "useJakartaEe=true", "-o", folder.toString());
        Files.writeString(folder.resolve("User.java"), USER);
        String classPath = resolve(NEEDED, true);
        List<String> sources = new ArrayList<>(List.of("-nowarn", "-d", folder.resolve("classes").toString(), "-cp", classPath,
                folder.resolve("User.java").toString()));
        try (Stream<Path> files = Files.walk(folder.resolve("src/main/java"))) {
            files.map(Path::toString).filter(name -> name.endsWith(".java")).forEach(sources::add);
        }
        command("javac", sources);
        try (EmbeddedBroker broker = EmbeddedBroker.startInMemory();
                TestPipeline pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL",
                        TestServers.newDatabase(), "POSTGRES_USER", "postgres"))) {
            String printed = run("-cp", folder.resolve("classes") + File.pathSeparator + classPath, "User",
                    "http://127.0.0.1:" + pipeline.port());
            assertThat(printed.lines()).containsExactly("By a generated client", "true", "422");
        }
    }

    private static String resolve(List<String> artifacts, boolean transitively) throws Exception {
        try (MavenDownloaderImpl maven = new MavenDownloaderImpl()) {
            maven.build();
            return maven.resolveArtifacts(artifacts, Set.of(), transitively, false).stream()
                    .map(artifact -> artifact.getFile().toString()).collect(joining(File.pathSeparator));
        }
    }

    private String run(String... arguments) throws IOException, InterruptedException {
        return command("java", List.of(arguments));
    }

    private String command(String program, List<String> arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", program).toString()));
        command.addAll(arguments);
        File errors = folder.resolve("errors").toFile();
        Process process = new ProcessBuilder(command).redirectError(errors).start();
        String printed = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).as(printed + Files.readString(errors.toPath())).isZero();
        return printed;
    }
}
