package comments.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Channel;
import comments.faults.Checker.Row;
import comments.faults.Checker.State;
import comments.support.JarProcess;
import comments.support.PrivatePostgreSQL;
import comments.support.PrivateRabbitMQ;
import comments.support.PrivateRabbitMQ.Queue;
import comments.support.PrivateServers;
import comments.support.Proxy;
import comments.support.ServerRoot;
import java.net.URI;
import java.net.http.HttpTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;

/**
 * What one test needs beside {@link Servers}: processes of the application that reach both servers through proxies, a workload
 * whose history is kept, and the checker's verdict. If it fails, its message says where history and logs of the processes are.
 */
final class Trial implements BeforeEachCallback, AfterEachCallback, TestExecutionExceptionHandler {

    static final String SERVICE = "comment-service";
    static final String PROCESSOR = "comment-job-processor";
    static final String CHANGES = "comment-changes";
    static final String NOTIFIER = "notification-service";

    // names of connections: see connections.camel.yaml
    static final String PUBLISHING = "comment-service publishing";
    static final String CONSUMING = "comment-job-processor consuming";
    static final String NOTIFYING = "comment-job-processor publishing";

    static final Path KEPT = Path.of("target", "faults" + ServerRoot.suffix());
    private static final double SERVED = 0.9;
    /** How many callers the usual workload has. */
    static final int CALLERS = 16;
    /** How many requests the usual workload makes in a second. */
    static final int PER_SECOND = 200;

    /** What tests in this JVM found broken: they fail again when they are run again. */
    private static final Map<String, Verdict> BROKEN = new ConcurrentHashMap<>();

    static {
        // a process on a busy machine may be asked for its health again
        Awaitility.ignoreExceptionByDefault(HttpTimeoutException.class);
    }

    private final Servers servers;
    private final Tables tables;
    private final List<JarProcess> processes = new CopyOnWriteArrayList<>();
    private final List<JarProcess> services = new CopyOnWriteArrayList<>();
    private final Pushes pushes = new Pushes(processes);
    private final List<Workload> workloads = new ArrayList<>();
    private final Set<Posted> published = new HashSet<>();
    private final History history = new History();
    private final Changes changes = new Changes(history, this::targets);
    private String test;
    private Proxy broker;
    private Proxy postgresql;
    private double formerRate;
    private final List<Report.Recovery> recoveries = new ArrayList<>();
    private Verdict verdict;

    Trial(Servers servers) {
        this.servers = servers;
        tables = new Tables(servers);
    }

    @Override
    public void beforeEach(ExtensionContext context) throws Exception {
        String name = context.getRequiredTestMethod().getName();
        String display = context.getDisplayName().replaceAll("\\W+", "-");
        test = context.getRequiredTestClass().getSimpleName() + "." + name + (display.contains(name) ? "" : display);
        broker = new Proxy(servers.rabbitmq().port());
        postgresql = new Proxy(servers.postgresql().port());
        verdict = BROKEN.get(test);
        assertThat(verdict).as("what the first run found").isNull();
    }

    // ---- what the test works with ----

    PrivateRabbitMQ rabbitmq() {
        return servers.rabbitmq();
    }

    PrivatePostgreSQL postgresql() {
        return servers.postgresql();
    }

    /** What is between the processes and RabbitMQ. */
    Proxy toBroker() {
        return broker;
    }

    /** What is between the processes and PostgreSQL. */
    Proxy toDatabase() {
        return postgresql;
    }

    History history() {
        return history;
    }

    /** Connects to the trial's database as the superuser. */
    Connection connect() throws SQLException {
        return servers.connectToDatabase();
    }

    /** Executes a statement as the superuser; {@code @} stands for the application's role, {@code #} for the database. */
    void execute(String sql) throws SQLException {
        try (Connection connection = connect(); Statement statement = connection.createStatement()) {
            statement.execute(sql.replace("@", PrivateServers.WRITER).replace("#", servers.database()));
        }
    }

    /** Ends the sessions of the application in the database. */
    void endSessions() throws SQLException {
        execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '#' AND usename = '@'");
    }

    /** Prepares a process with some of the services. */
    Launch process(String... roles) {
        List<String> all = List.of(roles);
        String joined = String.join(",", all);
        return new Launch(servers.settings(joined, "RABBITMQ_URI", PrivateServers.brokerUri(joined, List.of(broker.port())),
                "POSTGRES_URL", "jdbc:postgresql://127.0.0.1:%d/%s".formatted(postgresql.port(), servers.database()),
                // the faults are of a processor that holds many messages; DeliveryFaultsIT has the default
                "COMMENTS_PREFETCH", 400 / Runtime.getRuntime().availableProcessors(), "NOTIFICATIONS_PUSH_ENDPOINT", Pushes.ENDPOINT, "NOTIFICATIONS_OF_CHANGES", true),
                KEPT.resolve(test + "-routes"), process -> {
                    processes.add(process);
                    if (all.contains(SERVICE)) {
                        services.add(process);
                    }
                });
    }

    /** Waits until a process stands at its failpoint. */
    static void awaitFailpoint(JarProcess process) {
        await().atMost(Duration.ofSeconds(30)).until(() -> process.log().anyMatch(line -> line.contains(Failpoint.REACHED)));
    }

    /** Where comments can be posted now. */
    List<URI> targets() {
        return services.stream().filter(JarProcess::isAlive).map(service -> service.uri("/comments")).toList();
    }

    /** Starts the usual workload, and waits until it is served as it should be. */
    Workload post() {
        return post(CALLERS, PER_SECOND);
    }

    /** Starts a workload, and waits until it is served as it should be. */
    Workload post(int callers, int perSecond) {
        Workload workload = flood(callers, perSecond);
        await().atMost(Duration.ofSeconds(30)).until(() -> rate() >= SERVED * perSecond);
        // callers that were held up catch up in a burst
        formerRate = Math.min(rate(), perSecond);
        return workload;
    }

    /** Starts a workload that need not be served. */
    Workload flood(int callers, int perSecond) {
        Workload workload = new Workload(history, this::targets, callers, perSecond);
        workloads.add(workload);
        return workload;
    }

    /** Starts a client that edits and erases what is promised. */
    Changes change(int perSecond) {
        return changes.start(perSecond);
    }

    /** Edits a comment once. */
    void edit(UUID id, String content) {
        changes.change(URI.create(targets().get(0) + "/" + id), id, content);
    }

    /** Posts one comment. */
    Attempt postOne() {
        return Workload.postOne(history, targets().get(0));
    }

    /** How many requests were answered with 202 in the last second. */
    double rate() {
        return history.served(Instant.now().minusSeconds(1), Instant.now());
    }

    /** Waits while a condition holds, which it must. */
    static void during(Duration time, Callable<Boolean> condition) {
        await().during(time).atMost(time.plusSeconds(10)).until(condition);
    }

    /** Publishes comments straight to the queue, as one message of a foreign producer. */
    void publish(String body, Collection<Posted> good) throws Exception {
        published.addAll(good);
        try (com.rabbitmq.client.Connection connection = servers.connectToBroker();
                Channel channel = connection.createChannel()) {
            channel.confirmSelect();
            channel.basicPublish("", "comments", com.rabbitmq.client.MessageProperties.MINIMAL_PERSISTENT_BASIC,
                    body.getBytes(java.nio.charset.StandardCharsets.UTF_8));
            channel.waitForConfirmsOrDie(10_000);
        }
    }

    /**
     * Says that everything is as it should be from now on, and waits until the callers have been served as before for a
     * second, and the table has what they were promised. The checker is told how long that took, with this second.
     */
    void healed() {
        healed("");
    }

    /** Says so after one of several kinds of faults, for the report. */
    void healed(String fault) {
        Instant healed = Instant.now();
        try {
            // a database that is not back yet, or has no table yet, answers with an exception
            await().atMost(Checker.RECOVERY_LIMIT).ignoreExceptions().until(() -> healed.isBefore(Instant.now().minusSeconds(1))
                    && rate() >= SERVED * formerRate && hasCaughtUp(healed));
            recoveries.add(new Report.Recovery(fault, Duration.between(healed, Instant.now())));
        } catch (ConditionTimeoutException e) {
            recoveries.add(new Report.Recovery(fault, null));
        }
    }

    /** The longest time that it took to recover; null if once it took too long. */
    Duration recovery() {
        return recoveries.isEmpty() ? Duration.ZERO : Report.longest(recoveries);
    }

    // ---- the verdict ----

    /** Ends the workload, drains everything, and lets the checker compare. */
    Verdict verdict(Set<String> poison) throws Exception {
        workloads.forEach(Workload::close);
        changes.close();
        tables.drain(changes.anyUserErased());
        Map<String, Long> waiting = rabbitmq().queues().values().stream()
                .collect(Collectors.toMap(Queue::name, Queue::messages));
        List<String> notChanged = new ArrayList<>();
        State state = new State(changes.asPosted(tables.rows(), notChanged), pushes.comments(), waiting, tables.quarantine(), recovery());
        verdict = Checker.check(history, published, state, poison);
        notChanged.forEach(row -> verdict.add(Verdict.Point.NOT_CHANGED, row));
        Changes.untold(tables.changed(), pushes.changes()).forEach(row -> verdict.add(Verdict.Point.NOT_NOTIFIED, row));
        return verdict;
    }

    /** Asserts that the checker finds nothing wrong. */
    Verdict assertKept() throws Exception {
        return assertKept(Set.of());
    }

    /** Asserts that the checker finds nothing wrong, and the poison in quarantine. */
    Verdict assertKept(Set<String> poison) throws Exception {
        verdict(poison);
        if (verdict.isPromiseBroken()) {
            BROKEN.put(test, verdict);
        }
        assertThat(verdict.violations().keySet()).as(verdict.toString()).isEmpty();
        return verdict;
    }

    /** Waits until a queue is empty, and stays so: the broker's numbers may be a moment old. */
    void awaitEmpty(String queue) {
        await().during(Duration.ofSeconds(1)).atMost(Duration.ofSeconds(30)).until(() -> rabbitmq().messages(queue) == 0);
    }

    /** Whether what was promised from a time until half a second ago, in the last two seconds, is in the table. */
    boolean hasCaughtUp(Instant from) throws SQLException {
        Instant now = Instant.now();
        Instant earliest = now.minusSeconds(2);
        Set<UUID> promised = history.between(from.isAfter(earliest) ? from : earliest, now.minusMillis(500)).stream()
                .flatMap(attempt -> attempt.ids().stream()).collect(Collectors.toSet());
        return !promised.isEmpty() && tables.contain(promised);
    }

    /** Whether all that was promised is in the table. */
    boolean hasWrittenAll() throws SQLException {
        return tables.contain(history.ids().values().stream().flatMap(Set::stream).collect(Collectors.toSet()));
    }

    /** All rows of the table. */
    List<Row> rows() throws SQLException {
        return tables.rows();
    }

    /** How many rows the table has. */
    long count() throws SQLException {
        return servers.number("SELECT count(*) FROM comments");
    }

    /** What was pushed until now. */
    Pushes pushes() {
        return pushes;
    }

    // ---- the end ----

    @Override
    public void handleTestExecutionException(ExtensionContext context, Throwable failure) throws Throwable {
        Path folder = Files.createDirectories(KEPT.resolve(test));
        history.write(folder.resolve("history.jsonl"));
        for (JarProcess process : processes) {
            Path log = process.logFile();
            Files.copy(log, folder.resolve(log.getFileName()), StandardCopyOption.REPLACE_EXISTING);
        }
        throw new AssertionError("%s%nhistory and logs: %s".formatted(failure.getMessage(), folder), failure);
    }

    @Override
    public void afterEach(ExtensionContext context) throws Exception {
        String faults = Report.add(test, context.getExecutionException().isEmpty(), recoveries, verdict);
        System.out.println(test + ": " + (verdict == null ? "no verdict" : verdict.summary()) + faults);
        for (JarProcess process : processes) {
            process.kill();
        }
        workloads.forEach(Workload::close);
        changes.close();
        broker.close();
        postgresql.close();
        servers.restore();
    }
}
