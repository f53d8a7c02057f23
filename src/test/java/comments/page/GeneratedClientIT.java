package comments.page;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

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

/** The clients that openapi-generator makes of openapi.json: each is compiled, posts a comment, and reads it. */
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

    private static final Path TSC = Path.of("/usr/bin/tsc");
    private static final Path NODE = Path.of("/usr/bin/node");

    private static final String TYPESCRIPT_USER = """
            import { Configuration, PostApi, ReadApi, ResponseError } from './index';

            declare const process: { argv: string[], exitCode: number };

            async function main() {
                const configuration = new Configuration({ basePath: process.argv[2] });
                const newComment = { postId: 'p', userId: 'u', userName: 'Ann', content: 'By a generated client' };
                const { id } = await new PostApi(configuration).postComment({ newComment, idempotencyKey: 'key' });
                const reader = new ReadApi(configuration);
                for (let i = 0; ; i++) {
                    try {
                        console.log((await reader.getComment({ id: id! })).content);
                        break;
                    } catch (error) {
                        // not written yet, or the schema is still being made
                        const status = (error as ResponseError).response?.status;
                        if (status !== 404 && status !== 503 || i === 100) {
                            throw error;
                        }
                        await new Promise(resolve => setTimeout(resolve, 100));
                    }
                }
                console.log((await reader.getComments({ postId: 'p', limit: 20 }))[0].id === id);
                try {
                    await new PostApi(configuration).postComment({ newComment: { ...newComment, userName: ' ' } });
                } catch (error) {
                    console.log((error as ResponseError).response.status);
                }
            }

            main().catch(error => {
                console.error(error);
                process.exitCode = 1;
            });
            """;

    @TempDir
    Path folder;

    private void generate(String... arguments) throws Exception {
        List<String> all = new ArrayList<>(List.of("-cp", resolve(List.of(GENERATOR), false), "org.openapitools.codegen.OpenAPIGenerator",
                "generate", "-i", "routes/web/openapi.json", "-o", folder.toString()));
        all.addAll(List.of(arguments));
        run(all.toArray(String[]::new));
    }

    private void assertPostsAndReads(Path program, String... arguments) throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.startInMemory();
                TestPipeline pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL",
                        TestServers.newDatabase(), "POSTGRES_USER", "postgres"))) {
            List<String> all = new ArrayList<>(List.of(arguments));
            all.add("http://127.0.0.1:" + pipeline.port());
            assertThat(command(program, all).lines()).containsExactly("By a generated client", "true", "422");
        }
    }

    /** Compiled as the package is that the generator describes. */
    @Test
    void theTypescriptClientPostsAndReads() throws Exception {
        assumeTrue(Files.isExecutable(TSC) && Files.isExecutable(NODE), "Debian's packages nodejs and node-typescript");
        generate("-g", "typescript-fetch", "-p", "npmName=comments-client");
        Files.writeString(folder.resolve("src/user.ts"), TYPESCRIPT_USER);
        command(TSC, List.of("-p", folder.toString()));
        assertPostsAndReads(NODE, folder.resolve("dist/user.js").toString());
    }

    @Test
    void theJavaClientPostsAndReads() throws Exception {
        generate("-g", "java", "--library", "native", "-p", "useJakartaEe=true");
        Files.writeString(folder.resolve("User.java"), USER);
        String classPath = resolve(NEEDED, true);
        List<String> sources = new ArrayList<>(List.of("-nowarn", "-d", folder.resolve("classes").toString(), "-cp", classPath,
                folder.resolve("User.java").toString()));
        try (Stream<Path> files = Files.walk(folder.resolve("src/main/java"))) {
            files.map(Path::toString).filter(name -> name.endsWith(".java")).forEach(sources::add);
        }
        command(ofJdk("javac"), sources);
        assertPostsAndReads(ofJdk("java"), "-cp", folder.resolve("classes") + File.pathSeparator + classPath, "User");
    }

    private static String resolve(List<String> artifacts, boolean transitively) throws Exception {
        try (MavenDownloaderImpl maven = new MavenDownloaderImpl()) {
            maven.build();
            return maven.resolveArtifacts(artifacts, Set.of(), transitively, false).stream()
                    .map(artifact -> artifact.getFile().toString()).collect(joining(File.pathSeparator));
        }
    }

    private static Path ofJdk(String program) {
        return Path.of(System.getProperty("java.home"), "bin", program);
    }

    private String run(String... arguments) throws IOException, InterruptedException {
        return command(ofJdk("java"), List.of(arguments));
    }

    private String command(Path program, List<String> arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(program.toString()));
        command.addAll(arguments);
        File errors = folder.resolve("errors").toFile();
        Process process = new ProcessBuilder(command).redirectError(errors).start();
        String printed = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).as(printed + Files.readString(errors.toPath())).isZero();
        return printed;
    }
}
