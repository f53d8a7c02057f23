package comments.support;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Keeps the JVMs that run tests at the same time from disturbing each other's bounds of time: a test with the tag
 * {@link PrivateServers#ALONE} waits until the test of the other JVM has ended, and none begins there until it has ended itself.
 */
final class MachineLock implements AutoCloseable {

    private static final Path FILE = Path.of("target", "machine.lock");

    private final FileChannel channel;
    private final FileLock lock;

    private MachineLock(FileChannel channel, FileLock lock) {
        this.channel = channel;
        this.lock = lock;
    }

    /** Waits until the test may begin. */
    static MachineLock take(ExtensionContext test) throws IOException {
        FileChannel channel = FileChannel.open(FILE, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        return new MachineLock(channel, channel.lock(0, Long.MAX_VALUE, !test.getTags().contains(PrivateServers.ALONE)));
    }

    @Override
    public void close() throws IOException {
        lock.close();
        channel.close();
    }
}
