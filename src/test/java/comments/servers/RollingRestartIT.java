package comments.servers;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.support.JarProcess;
import comments.support.PrivateServers;
import comments.support.Proxy;
import comments.support.RawConnection;
import comments.support.TestPipeline;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Processes behind a balancer are replaced one after the other, as by a rolling restart: no client notices. */
class RollingRestartIT {

    // served by a worker, as reads are, but without a database, which may be slow on a busy machine
    private static final String GET = "GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n";
    private static final int CLIENTS = 16;
    private static final String ROLES = "comment-service";

    @RegisterExtension
    static final PrivateServers SERVERS = new PrivateServers();

    private final List<JarProcess> processes = new CopyOnWriteArrayList<>();
    private final Map<Integer, AtomicInteger> answers = new ConcurrentHashMap<>();
    private final List<String> failures = new CopyOnWriteArrayList<>();
    private volatile List<Integer> ready = List.of();
    private volatile boolean ended;

    /** Sends requests one after the other, on one connection until it is asked to use another. */
    private final class Client implements Runnable {

        private final int balancer;
        private Socket socket;
        private BufferedReader reader;

        Client(int balancer) {
            this.balancer = balancer;
        }

        @Override
        public void run() {
            try {
                while (!ended) {
                    send(RawConnection.post("", TestPipeline.COMMENT));
                    send(GET);
                    Thread.sleep(10);
                }
            } catch (IOException | InterruptedException | RuntimeException e) {
                failures.add(e.toString());
            }
        }

        private void send(String request) throws IOException {
            if (socket == null) {
                socket = new Socket("127.0.0.1", balancer);
                socket.setSoTimeout(20_000);
                reader = new BufferedReader(new InputStreamReader(socket.getInputStream(), ISO_8859_1));
            }
            socket.getOutputStream().write(request.getBytes(ISO_8859_1));
            String status = reader.readLine();
            if (status == null) {
                throw new IOException("closed without an answer");
            }
            int length = -1;
            boolean close = false;
            for (String line = reader.readLine(); !line.isEmpty(); line = reader.readLine()) {
                String header = line.toLowerCase();
                close |= header.equals("connection: close");
                length = header.startsWith("content-length: ") ? Integer.parseInt(header.substring("content-length: ".length())) : length;
            }
            for (int i = 0; i < length; i++) {
                reader.read();
            }
            answers.computeIfAbsent(Integer.parseInt(status.split(" ")[1]), key -> new AtomicInteger()).incrementAndGet();
            if (close) {
                socket.close();
                socket = null;
            }
        }
    }

    private void followReadiness() {
        while (!ended) {
            ready = processes.stream().filter(this::isReady).map(RollingRestartIT::port).toList();
            try {
                Thread.sleep(100);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private boolean isReady(JarProcess process) {
        try {
            return !process.observe("health/ready").contains("DOWN");
        } catch (HttpTimeoutException e) {
            // on a busy machine: balancers wait for several of them
            return ready.contains(port(process));
        } catch (IOException | InterruptedException e) {
            return false;
        }
    }

    private static int port(JarProcess process) {
        return process.uri("/").getPort();
    }

    private int choose() {
        List<Integer> ports = ready;
        return ports.get(ThreadLocalRandom.current().nextInt(ports.size()));
    }

    private void start() throws Exception {
        JarProcess process = SERVERS.start(JarProcess.java(JarProcess.PACKAGED), ROLES, "HTTP_DRAIN_DELAY", 3000);
        processes.add(process);
        await().until(() -> ready.contains(port(process)));
    }

    @Test
    void noClientSeesTheRestart() throws Exception {
        Thread follower = new Thread(this::followReadiness, "readiness");
        List<Thread> clients = new ArrayList<>();
        try (Proxy balancer = new Proxy(this::choose)) {
            try {
                follower.start();
                SERVERS.start(JarProcess.java(JarProcess.PACKAGED), "comment-job-processor");
                start();
                start();
                for (int i = 0; i < CLIENTS; i++) {
                    clients.add(new Thread(new Client(balancer.port()), "client-" + i));
                    clients.get(i).start();
                }
                for (JarProcess old : List.copyOf(processes)) {
                    start();
                    assertThat(old.terminate()).isEqualTo(143);
                    processes.remove(old);
                }
                // a while after the last
                int before = answers.get(202).get();
                await().atMost(Duration.ofSeconds(30)).until(() -> answers.get(202).get() > before + 100);
            } finally {
                ended = true;
                for (Thread client : clients) {
                    client.join();
                }
                follower.join();
            }
        }
        assertThat(failures).isEmpty();
        assertThat(answers.keySet()).containsExactlyInAnyOrder(200, 202);
        int accepted = answers.get(202).get();
        await().atMost(Duration.ofMinutes(1)).until(() -> SERVERS.rows().size() >= accepted);
        assertThat(SERVERS.rows()).hasSize(accepted);
    }
}
