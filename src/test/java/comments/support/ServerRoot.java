package comments.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where RabbitMQ and PostgreSQL are installed: this machine or, with the system property {@code servers.root}, another Debian in
 * that folder. Its programs run behind chroot, so the tests need root then, and {@code /dev} and {@code /proc} mounted in it:
 * {@code .ci/run} makes such a folder.
 */
public final class ServerRoot {

    private static final Path ROOT = Path.of(System.getProperty("servers.root", "/")).toAbsolutePath();

    private ServerRoot() {
    }

    /** What files about the servers are named with: the folder after a hyphen; empty if the servers are those of this machine. */
    public static String suffix() {
        return ROOT.getNameCount() == 0 ? "" : "-" + ROOT.getFileName();
    }

    /** Makes a temporary folder that the servers see, too. */
    static Path newFolder(String prefix) throws IOException {
        return Files.createTempDirectory(ROOT.resolve("tmp"), prefix);
    }

    /** A path of the servers, as this process sees it. */
    static Path outside(String path) {
        return ROOT.resolve(path.substring(1));
    }

    /** A path below the root, as the servers see it. */
    static String inside(Path path) {
        return "/" + ROOT.relativize(path);
    }

    /** Prepares a command with paths as the servers see them. */
    static ProcessBuilder command(List<String> command) {
        List<String> all = new ArrayList<>(suffix().isEmpty() ? List.of() : List.of("chroot", ROOT.toString()));
        all.addAll(command);
        return new ProcessBuilder(all);
    }

    /** The folder with the programs of the newest PostgreSQL that is installed, as the servers see it; empty if there is none. */
    static Optional<String> postgresql() {
        Path versions = outside("/usr/lib/postgresql");
        if (!Files.isDirectory(versions)) {
            return Optional.empty();
        }
        try (Stream<Path> all = Files.list(versions)) {
            return all.filter(version -> Files.isExecutable(version.resolve("bin").resolve("postgres")))
                    .max(Comparator.comparingInt(version -> Integer.parseInt(version.getFileName().toString())))
                    .map(version -> inside(version.resolve("bin")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
