package comments.support;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.IntSupplier;

/**
 * A TCP proxy on loopback that can hold back, delay or break what passes. A connection is chosen by what its client says
 * first: the name of a connection to RabbitMQ, for instance. The empty name chooses all.
 *
 * <p>Holding both directions is what a black hole looks like to both sides: connections are taken, and nothing is answered.
 * Any thread may call it.
 */
public final class Proxy implements AutoCloseable {

    public enum Direction {
        REQUESTS, ANSWERS
    }

    private record Hold(String name, Direction direction) {
    }

    private static final int HELLO_LENGTH = 4_096;

    private final ServerSocket listener = new ServerSocket();
    private final IntSupplier target;
    private final Set<Link> links = ConcurrentHashMap.newKeySet();
    private final List<Hold> holds = new CopyOnWriteArrayList<>();
    private volatile Duration delay = Duration.ZERO;

    /** A proxy for a port on loopback. */
    public Proxy(int target) throws IOException {
        this(target, 0);
    }

    /** A proxy that asks for the port on loopback of each new connection. */
    public Proxy(IntSupplier target) throws IOException {
        this(target, 0);
    }

    /** A proxy for a port on loopback, whose connections take so many bytes before they are read; 0 means the default. */
    public Proxy(int target, int receiveBuffer) throws IOException {
        this(() -> target, receiveBuffer);
    }

    private Proxy(IntSupplier target, int receiveBuffer) throws IOException {
        this.target = target;
        if (receiveBuffer > 0) {
            listener.setReceiveBufferSize(receiveBuffer);
        }
        listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1_000);
        daemon(this::accept, "proxy");
    }

    public int port() {
        return listener.getLocalPort();
    }

    /** Holds back what goes in one direction, until {@link #release}. */
    public void hold(String name, Direction direction) {
        holds.add(new Hold(name, direction));
    }

    /** Holds back everything. */
    public void blackHole() {
        hold("", Direction.REQUESTS);
        hold("", Direction.ANSWERS);
    }

    /** Lets pass what is held back. */
    public void release() {
        synchronized (holds) {
            holds.clear();
            holds.notifyAll();
        }
    }

    /** Holds back everything on the connections that are open now, for ever, without closing them. New ones pass. */
    public void swallow() {
        links.forEach(link -> link.swallowed = true);
    }

    /** Makes each piece of data wait before it goes on; zero ends that. */
    public void delay(Duration each) {
        delay = each;
    }

    /** Breaks the connections that are open now, with a RST to both sides. What is held back on them is lost. */
    public void reset(String name) {
        links.stream().filter(link -> link.hello.contains(name)).forEach(Link::reset);
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket client = listener.accept();
                try {
                    Link link = new Link(client, new Socket(InetAddress.getLoopbackAddress(), target.getAsInt()));
                    links.add(link);
                    daemon(() -> link.pump(Direction.REQUESTS), "proxy-requests");
                    daemon(() -> link.pump(Direction.ANSWERS), "proxy-answers");
                } catch (IOException e) {
                    close(client);
                }
            } catch (IOException e) {
                // the proxy is closed: the loop ends
            }
        }
    }

    private static void daemon(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
    }

    private static void close(Closeable closeable) {
        try {
            closeable.close();
        } catch (IOException e) {
            // it is of no use any more
        }
    }

    private final class Link {

        private final Socket client;
        private final Socket server;
        private volatile String hello = "";
        private volatile boolean swallowed;

        Link(Socket client, Socket server) throws IOException {
            this.client = client;
            this.server = server;
            client.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
        }

        void pump(Direction direction) {
            Socket from = direction == Direction.REQUESTS ? client : server;
            Socket to = direction == Direction.REQUESTS ? server : client;
            byte[] buffer = new byte[64 << 10];
            try {
                InputStream in = from.getInputStream();
                for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
                    if (direction == Direction.REQUESTS && hello.length() < HELLO_LENGTH) {
                        hello += new String(buffer, 0, length, ISO_8859_1);
                    }
                    if (!delay.isZero()) {
                        Thread.sleep(delay.toMillis());
                    }
                    awaitRelease(direction);
                    to.getOutputStream().write(buffer, 0, length);
                }
            } catch (IOException e) {
                // one side is gone, and now both are
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } finally {
                close();
            }
        }

        private void awaitRelease(Direction direction) throws InterruptedException {
            synchronized (holds) {
                while (swallowed || holds.stream().anyMatch(hold -> hold.direction() == direction && hello.contains(hold.name()))) {
                    holds.wait();
                }
            }
        }

        public void reset() {
            try {
                client.setSoLinger(true, 0);
                server.setSoLinger(true, 0);
            } catch (IOException e) {
                // closed already
            }
            close();
        }

        void close() {
            links.remove(this);
            Proxy.close(client);
            Proxy.close(server);
        }
    }

    @Override
    public void close() {
        close(listener);
        links.forEach(Link::close);
        release();
    }
}
