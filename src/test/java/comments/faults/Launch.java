package comments.faults;

import static org.assertj.core.api.Assertions.assertThat;

import comments.CommentPipeline;
import comments.support.FailpointPipeline;
import comments.support.JarProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** A process of the packaged application that is to be started. */
final class Launch {

    private final Map<String, String> settings;
    private final Path folder;
    private final Consumer<JarProcess> launched;
    // the processes live for seconds, which the second compiler would spend on compiling
    private final List<String> options = new ArrayList<>(
            List.of("@" + Path.of("docker", "jvm.options"), "-XX:TieredStopAtLevel=1"));
    private final List<Path> first = new ArrayList<>();
    private boolean failpoint;

    /**
     * Prepares a process.
     *
     * @param folder where its altered routes are kept
     * @param launched is given the process when it is launched
     */
    Launch(Map<String, String> settings, Path folder, Consumer<JarProcess> launched) {
        this.settings = settings;
        this.folder = folder;
        this.launched = launched;
    }

    Launch with(String setting, Object value) {
        settings.put(setting, value.toString());
        return this;
    }

    /** Lets the process reach its database in another way than through the proxy. */
    Launch database(String servers, String parameters) {
        String database = settings.get("POSTGRES_URL").replaceAll(".*/", "");
        return with("POSTGRES_URL", "jdbc:postgresql://%s/%s%s".formatted(servers, database, parameters));
    }

    /** Lets each consumer hold more messages than a trial posts. So many of 16 KiB fit into the heap. */
    Launch holdingAllMessages() {
        return with("COMMENTS_PREFETCH", 5_000).with("COMMENTS_GROUP_BYTES", 16_384);
    }

    /** Adds options of the JVM. */
    Launch jvm(String... more) {
        options.addAll(List.of(more));
        return this;
    }

    /** Adds a {@link Failpoint}. */
    Launch failpoint(String text) {
        Failpoint.parse(text);
        failpoint = true;
        return jvm("-Dfailpoint=" + text);
    }

    /** Lets the process run a copy of a route file in which a text is replaced. */
    Launch altered(String file, String text, String by) throws IOException {
        String route = Files.readString(Path.of("routes", file));
        assertThat(route).contains(text);
        Files.writeString(Files.createDirectories(folder).resolve(file), route.replace(text, by));
        first.add(folder);
        return this;
    }

    /** Starts the process without waiting for it. */
    JarProcess launch() throws IOException {
        List<String> arguments = new ArrayList<>(options);
        List<Path> classPath = new ArrayList<>(first);
        classPath.add(JarProcess.JAR);
        if (failpoint) {
            classPath.add(Path.of("target", "test-classes"));
        }
        arguments.add("-cp");
        arguments.add(classPath.stream().map(Path::toString).collect(Collectors.joining(":")));
        arguments.add((failpoint ? FailpointPipeline.class : CommentPipeline.class).getName());
        JarProcess process = JarProcess.launch(settings, arguments);
        launched.accept(process);
        return process;
    }

    /** Starts the process, and waits until it is ready. */
    JarProcess start() throws IOException {
        return launch().awaitReady();
    }
}
