package comments.load;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The pipeline under load: its metrics, its queue and its table. */
final class Pipeline implements AutoCloseable {

    private static final int CONNECT_SECONDS = 10;
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    /** What comment-service may answer to a request without a comment. */
    private static final Set<Integer> REFUSED = Set.of(400, 415, 422, 429, 503);
    private static final Pattern JDBC_URL = Pattern.compile("jdbc:postgresql:(//(HOST(,HOST)*)?/)?[^/?@]*(\\?.*)?"
            .replace("HOST", "([\\w.-]+|\\[[\\da-fA-F:]+\\])(:\\d{1,5})?"));

    private final HttpClient client = HttpClient.newHttpClient();
    private final List<URI> observed;
    private final Connection broker;
    private Channel channel;
    private final java.sql.Connection database;

    /**
     * Connects to the broker and the database, and looks for the queue and the table.
     *
     * @param observed the management addresses of all its processes
     * @throws Failure if one of them can't be reached or isn't what it should be
     */
    Pipeline(List<URI> observed, String rabbitmqUri, String postgresUrl, String user, String password) throws Exception {
        this.observed = observed;
        // the driver would log what it can't parse, with a password
        if (!JDBC_URL.matcher(postgresUrl).matches()) {
            throw new Failure("--postgres " + Failure.shown(postgresUrl) + ": it takes jdbc:postgresql://HOST:PORT/DATABASE");
        }
        ConnectionFactory factory = new ConnectionFactory();
        // the first node of a cluster is enough
        String node = rabbitmqUri.replaceFirst(",[^,/@]+(,[^,/@]+)*(?=/|$)", "");
        try {
            factory.setUri(node);
            factory.setConnectionTimeout(CONNECT_SECONDS * 1_000);
            broker = factory.newConnection("load");
        } catch (Exception e) {
            throw new Failure("--rabbitmq", node, e);
        }
        try {
            DriverManager.setLoginTimeout(CONNECT_SECONDS);
            this.database = DriverManager.getConnection(postgresUrl, user, password);
            try (Statement statement = this.database.createStatement()) {
                statement.execute("SELECT post_id FROM comments LIMIT 0");
            }
            queued("comments");
        } catch (SQLException e) {
            broker.abort();
            throw new Failure("--postgres", postgresUrl, e);
        } catch (IOException e) {
            broker.abort();
            throw e.getCause() instanceof ShutdownSignalException
                    ? new Failure("--rabbitmq: it has no queue comments: start the pipeline first") : e;
        }
    }

    /** The sums of its metrics over all processes, by their names; without metrics with labels. */
    Map<String, Double> metrics() throws Failure, InterruptedException {
        Map<String, Double> sums = new TreeMap<>();
        for (URI address : observed) {
            try {
                HttpRequest request = HttpRequest.newBuilder(address.resolve("/observe/metrics")).timeout(TIMEOUT).build();
                HttpResponse<Stream<String>> response = client.send(request, BodyHandlers.ofLines());
                List<String[]> values = response.body().filter(line -> !line.startsWith("#") && !line.contains("{"))
                        .map(line -> line.split(" ")).toList();
                if (response.statusCode() != 200 || values.isEmpty() || values.stream().anyMatch(parts -> parts.length < 2)) {
                    throw new Failure("--observe " + Failure.shown(address.toString())
                            + ": it has no metrics: it takes the management addresses of the pipeline");
                }
                values.forEach(parts -> sums.merge(parts[0], Double.parseDouble(parts[1]), Double::sum));
            } catch (IOException | IllegalArgumentException e) {
                throw new Failure("--observe", address.toString(), e);
            }
        }
        return sums;
    }

    /**
     * Posts no comment once, which comment-service refuses.
     *
     * @throws Failure if something else answers, or nothing, or if the API key is not the right one
     */
    static void checkPosts(URI url, ApiKey key) throws Failure, InterruptedException {
        int status = status(url, request(url, key).header("Content-Type", "application/json").POST(BodyPublishers.ofString("{}")));
        String what = "--url " + Failure.shown(url.toString());
        key.check(what, status, "post");
        if (!REFUSED.contains(status)) {
            throw new Failure("%s: it answers %d to a POST: it takes the address of POST /comments".formatted(what, status));
        }
    }

    /**
     * Reads once.
     *
     * @throws Failure if nothing answers, or if the API key is not the right one
     */
    static void checkReads(URI url, ApiKey key, String path) throws Failure, InterruptedException {
        key.check("--url " + Failure.shown(url.toString()), status(url, request(url.resolve(path), key)), "read");
    }

    private static HttpRequest.Builder request(URI address, ApiKey key) {
        HttpRequest.Builder request = HttpRequest.newBuilder(address).timeout(TIMEOUT);
        key.headers().forEach(request::header);
        return request;
    }

    private static int status(URI url, HttpRequest.Builder request) throws Failure, InterruptedException {
        try {
            return HttpClient.newHttpClient().send(request.build(), BodyHandlers.discarding()).statusCode();
        } catch (IOException | IllegalArgumentException e) {
            throw new Failure("--url", url.toString(), e);
        }
    }

    /** The number of comments that the pipeline has committed since its start, by its metrics; 0 while it is not reachable. */
    long persisted() throws InterruptedException {
        try {
            return metrics().getOrDefault("comments_persisted_total", 0.0).longValue();
        } catch (Failure e) {
            return 0;
        }
    }

    /** A new channel of the connection to the broker. */
    Channel publishing() throws IOException {
        return broker.createChannel();
    }

    /** The number of messages in a queue, without those that a consumer has. */
    long queued(String queue) throws IOException {
        if (channel == null || !channel.isOpen()) {
            channel = broker.createChannel();
        }
        return channel.messageCount(queue);
    }

    /** The number of comments of a run in the table. */
    long rows(String runId) throws SQLException {
        try (PreparedStatement count = database.prepareStatement("SELECT count(*) FROM comments WHERE post_id LIKE ?")) {
            count.setString(1, runId + "-%");
            try (ResultSet result = count.executeQuery()) {
                result.next();
                return result.getLong(1);
            }
        }
    }

    /**
     * Random paths to read: of comments in the table, old and new, and of the first page of their posts.
     *
     * @param max the largest number of paths
     * @param pages the part of them that are pages
     * @throws Failure if the table is empty
     */
    List<String> paths(int max, double pages) throws SQLException, Failure {
        List<String> paths = new ArrayList<>();
        try (Statement statement = database.createStatement()) {
            statement.execute("ANALYZE comments");
            // twice as many blocks as are needed if each row has its own block
            try (ResultSet rows = statement.executeQuery("SELECT id, post_id FROM comments TABLESAMPLE SYSTEM (least(100, (SELECT 200.0 * %d"
                    .formatted(max) + " / greatest(relpages, 1) FROM pg_class WHERE oid = 'comments'::regclass)))"
                    + " ORDER BY random() LIMIT " + max)) {
                while (rows.next()) {
                    boolean page = Math.floor(rows.getRow() * pages) > Math.floor((rows.getRow() - 1) * pages);
                    paths.add(page ? "/comments?postId=" + URLEncoder.encode(rows.getString(2), StandardCharsets.UTF_8)
                            : "/comments/" + rows.getString(1));
                }
            }
        }
        if (paths.isEmpty()) {
            throw new Failure("--reads: the table has no comments to read: load/inserts fill makes them");
        }
        return paths;
    }

    /** CPU time so far, in seconds: of the pipeline's own processes, and of the servers and the generator if they run on this machine. */
    Map<String, Double> cpuSeconds(Map<String, Double> metrics) {
        Map<String, Double> cpu = new TreeMap<>();
        cpu.put("service", metrics.getOrDefault("process_cpu_time_ns_total", 0.0) / 1e9);
        cpu.put("broker", cpuSecondsOf("beam.smp"));
        cpu.put("database", cpuSecondsOf("postgres"));
        cpu.put("generator", seconds(ProcessHandle.current()));
        return cpu;
    }

    /** The peak of the resident memory of the process whose id is in a file. */
    static long residentBytes(Path processId) throws Failure {
        try {
            Path status = Path.of("/proc", Files.readString(processId).strip(), "status");
            return Files.readAllLines(status).stream().filter(line -> line.startsWith("VmHWM:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024).findFirst().orElseThrow();
        } catch (IOException | NoSuchElementException e) {
            throw new Failure("--processor " + processId + ": it takes a file with the process id of a processor that runs");
        }
    }

    private static double cpuSecondsOf(String program) {
        return ProcessHandle.allProcesses()
                .filter(process -> process.info().command().map(Path::of).map(Path::getFileName).map(Path::toString)
                        .filter(program::equals).isPresent())
                .mapToDouble(Pipeline::seconds).sum();
    }

    private static double seconds(ProcessHandle process) {
        return process.info().totalCpuDuration().orElse(Duration.ZERO).toNanos() / 1e9;
    }

    @Override
    public void close() throws Exception {
        broker.close();
        database.close();
    }
}
