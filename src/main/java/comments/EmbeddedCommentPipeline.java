package comments;

import java.io.IOException;
import java.net.URL;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.apache.qpid.server.util.urlstreamhandler.classpath.Handler;

/**
 * Runs the pipeline from source. Without a configured server, it first starts an embedded broker and an embedded
 * PostgreSQL, and prints their addresses; otherwise it is {@link CommentPipeline}. HTTP listens on loopback, unless
 * {@code HTTP_HOST} is set.
 *
 * <p>The system property {@code embedded.data} names the folder of their data, which is kept; {@code none} deletes the data at
 * the end. The servers have a random password. Only the account that runs them may enter the folder, which has the password.
 */
public final class EmbeddedCommentPipeline {

    private EmbeddedCommentPipeline() {
    }

    public static void main(String[] args) throws Exception {
        if (!StartChecks.isSet("HTTP_HOST")) {
            System.setProperty("HTTP_HOST", "127.0.0.1");
        }
        int exitCode = StartChecks.isSet("RABBITMQ_URI") || StartChecks.isSet("POSTGRES_URL")
                ? CommentPipeline.run(args)
                : runEmbedded(args);
        if (exitCode != 0) {
            System.exit(exitCode);
        }
    }

    private static int runEmbedded(String... args) throws Exception {
        // The broker reads its defaults from classpath: URLs. The JDK finds their handler only on the system class path, and
        // exec:java uses another class loader.
        URL.setURLStreamHandlerFactory(protocol -> protocol.equals("classpath") ? new Handler() : null);
        CountDownLatch ended = new CountDownLatch(1);
        try (Servers servers = Servers.start(System.getProperty("embedded.data", "target/embedded"))) {
            // On Ctrl-C the routes end first. The JVM must not halt before the servers are stopped, too.
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                try {
                    ended.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }, "embedded-servers"));
            return CommentPipeline.run(args);
        } catch (IOException | IllegalStateException e) {
            StartFailure.report("the embedded servers can't start: " + e.getMessage());
            return 1;
        } finally {
            ended.countDown();
        }
    }

    /** Both servers, and the lock on their data. */
    private record Servers(EmbeddedBroker broker, EmbeddedPostgreSQL postgres, FileLock lock) implements AutoCloseable {

        static Servers start(String folder) throws Exception {
            Servers servers;
            if (folder.equals("none")) {
                servers = new Servers(EmbeddedBroker.startInMemory(), EmbeddedPostgreSQL.startInTemporaryFolder(), null);
            } else {
                Path data = EmbeddedPassword.makePrivate(Path.of(folder));
                FileLock lock = FileChannel.open(data.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)
                        .tryLock();
                if (lock == null) {
                    throw new IllegalStateException("another run uses " + data
                            + ": end it, or name another folder with -Dembedded.data=…");
                }
                Optional<String> kept = EmbeddedPassword.keptIn(data);
                String password = kept.orElseGet(EmbeddedPassword::random);
                servers = new Servers(EmbeddedBroker.startIn(data.resolve("broker"), password),
                        EmbeddedPostgreSQL.startIn(data.resolve("postgresql"), password, kept.isEmpty()), lock);
                // last: a start that is broken off before makes another password
                EmbeddedPassword.keepIn(data, password);
            }
            System.setProperty("RABBITMQ_URI", servers.broker.uri());
            System.setProperty("POSTGRES_URL", servers.postgres.url());
            System.setProperty("POSTGRES_USER", servers.postgres.user());
            System.setProperty("POSTGRES_PASSWORD", servers.postgres.password());
            System.out.printf("Embedded servers: AMQP broker at %s, PostgreSQL at %s as user %s; %s.%nCtrl-C ends them, too.%n",
                    servers.broker.address(), servers.postgres.url(), servers.postgres.user(),
                    folder.equals("none") ? "data deleted at the end" : "data and password kept in " + folder);
            return servers;
        }

        @Override
        public void close() throws Exception {
            broker.close();
            postgres.close();
            if (lock != null) {
                lock.channel().close();
            }
        }
    }
}
