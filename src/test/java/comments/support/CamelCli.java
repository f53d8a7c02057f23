package comments.support;

import static java.util.stream.Collectors.joining;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.camel.tooling.maven.MavenDownloaderImpl;

/**
 * The Camel CLI, in a folder that is thrown away and has a copy of routes/ in it. What it is made of comes from the local
 * Maven repository or Maven Central, and shares no class path with the tests.
 */
public final class CamelCli implements AutoCloseable {

    // the CLI's own class has no main method that java takes
    private static final String LAUNCHER = """
            public class Camel {
                public static void main(String[] arguments) {
                    org.apache.camel.dsl.jbang.core.commands.CamelJBangMain.run(arguments);
                }
            }
            """;

    private final Path folder = Files.createTempDirectory("camel");
    private final Path launcher = Files.writeString(folder.resolve("Camel.java"), LAUNCHER);
    private final String classPath;

    private CamelCli(String classPath) throws IOException {
        this.classPath = classPath;
        copyRoutes();
    }

    /** Copies routes/ anew, whatever became of the copy. */
    public void copyRoutes() throws IOException {
        if (Files.exists(routes())) {
            TemporaryFolder.delete(routes());
        }
        Path routes = Path.of("routes");
        try (Stream<Path> files = Files.walk(routes)) {
            for (Path file : files.toList()) {
                Files.copy(file, routes().resolve(routes.relativize(file)));
            }
        }
    }

    public static CamelCli install(String version) throws Exception {
        try (MavenDownloaderImpl maven = new MavenDownloaderImpl()) {
            maven.build();
            List<String> cli = List.of("org.apache.camel:camel-jbang-core:" + version);
            return new CamelCli(maven.resolveArtifacts(cli, Set.of(), true, false).stream()
                    .map(artifact -> artifact.getFile().toString()).collect(joining(File.pathSeparator)));
        }
    }

    /** The copy of routes/. */
    public Path routes() {
        return folder.resolve("routes");
    }

    /**
     * A command line that begins with {@code camel}, as the shell takes it, in a folder.
     *
     * @param in the folder, such as {@code .} or {@code routes}
     */
    public ProcessBuilder command(String in, String line) {
        // it compiles the routes' Java and lives for seconds: the second compiler would double the time of the processors
        String camel = "exec '%s' -XX:TieredStopAtLevel=1 -cp '%s' '%s'".formatted(JarProcess.JAVA, classPath, launcher);
        return new ProcessBuilder("sh", "-c", line.replaceFirst("^camel ", camel.replace("$", "\\$") + " "))
                .directory(folder.resolve(in).toFile());
    }

    @Override
    public void close() throws IOException {
        TemporaryFolder.delete(folder);
    }
}
