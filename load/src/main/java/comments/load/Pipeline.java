package comments.load;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The pipeline under load, as its metrics, its queue and its table show it. */
final class Pipeline implements AutoCloseable {

    private final HttpClient client = HttpClient.newHttpClient();
    private final List<URI> observed;
    private final Connection broker;
    private Channel channel;
    private final java.sql.Connection database;

    /**
     * Connects.
     *
     * @param observed the management addresses of all its processes
     */
    Pipeline(List<URI> observed, String rabbitmqUri, String postgresUrl, String user, String password) throws Exception {
        this.observed = observed;
        ConnectionFactory factory = new ConnectionFactory();
        // of a cluster, the first node will do
        factory.setUri(rabbitmqUri.replaceFirst(",[^,/@]+(,[^,/@]+)*(?=/|$)", ""));
        broker = factory.newConnection("load");
        database = DriverManager.getConnection(postgresUrl, user, password);
    }

    /** The sums of its metrics over all processes, by their names; those with labels are left out. */
    Map<String, Double> metrics() throws IOException, InterruptedException {
        Map<String, Double> sums = new TreeMap<>();
        for (URI address : observed) {
            HttpRequest request = HttpRequest.newBuilder(address.resolve("/observe/metrics")).timeout(Duration.ofSeconds(10)).build();
            client.send(request, BodyHandlers.ofLines()).body().filter(line -> !line.startsWith("#") && !line.contains("{"))
                    .map(line -> line.split(" ")).forEach(parts -> sums.merge(parts[0], Double.parseDouble(parts[1]), Double::sum));
        }
        return sums;
    }

    /** How many comments the pipeline says it has committed since its start; 0 while it isn't there. */
    long persisted() throws InterruptedException {
        try {
            return metrics().getOrDefault("comments_persisted_total", 0.0).longValue();
        } catch (IOException e) {
            return 0;
        }
    }

    /** A new channel of the connection to the broker. */
    Channel publishing() throws IOException {
        return broker.createChannel();
    }

    /** How many messages a queue holds, those not counted that a consumer has. */
    long queued(String queue) throws IOException {
        if (channel == null || !channel.isOpen()) {
            channel = broker.createChannel();
        }
        return channel.messageCount(queue);
    }

    /** How many comments of a run are in the table. */
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
     * Paths to read, at random: of comments that are in the table, old and new alike, and of the first page of their posts.
     *
     * @param most how many there are at most
     * @param pages the part of them that are pages
     * @throws IllegalStateException if there are none
     */
    List<String> paths(int most, double pages) throws SQLException {
        List<String> paths = new ArrayList<>();
        try (Statement statement = database.createStatement()) {
            statement.execute("ANALYZE comments");
            // twice as many blocks as would do, if each row had one of its own
            try (ResultSet rows = statement.executeQuery("SELECT id, post_id FROM comments TABLESAMPLE SYSTEM (least(100, (SELECT 200.0 * %d"
                    .formatted(most) + " / greatest(relpages, 1) FROM pg_class WHERE oid = 'comments'::regclass)))"
                    + " ORDER BY random() LIMIT " + most)) {
                while (rows.next()) {
                    boolean page = Math.floor(rows.getRow() * pages) > Math.floor((rows.getRow() - 1) * pages);
                    paths.add(page ? "/comments?postId=" + URLEncoder.encode(rows.getString(2), StandardCharsets.UTF_8)
                            : "/comments/" + rows.getString(1));
                }
            }
        }
        if (paths.isEmpty()) {
            throw new IllegalStateException("there are no comments to read");
        }
        return paths;
    }

    /** CPU time so far, in seconds: of the pipeline's own processes, and of the servers and the generator if they are here. */
    Map<String, Double> cpuSeconds(Map<String, Double> metrics) {
        Map<String, Double> cpu = new TreeMap<>();
        cpu.put("service", metrics.getOrDefault("process_cpu_time_ns_total", 0.0) / 1e9);
        cpu.put("broker", cpuSecondsOf("beam.smp"));
        cpu.put("database", cpuSecondsOf("postgres"));
        cpu.put("generator", seconds(ProcessHandle.current()));
        return cpu;
    }

    /** The resident memory, so far at most, of the process whose id is in a file. */
    static long residentBytes(Path processId) throws IOException {
        Path status = Path.of("/proc", Files.readString(processId).strip(), "status");
        return Files.readAllLines(status).stream().filter(line -> line.startsWith("VmHWM:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024).findFirst().orElseThrow();
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
