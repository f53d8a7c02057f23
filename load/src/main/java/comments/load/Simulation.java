package comments.load;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.TreeSet;

/**
 * Simulates the pipeline event by event, and prints the tables of docs/scaling.md: {@code load/simulate}. Event loops, queues,
 * processors and the database are servers that take the measured microseconds; logs are flushed for all that wait for them.
 *
 * <p>It needs the JDK only, so that it runs from its source file. The same options and seed print the same tables.
 */
final class Simulation {

    private static final String USAGE = """
            load/simulate [NAME=VALUE…]

            Simulates the pipeline with figures that were measured on it, and prints the tables of docs/scaling.md. Its parameters:
            """;

    /** The value and the meaning of each parameter. */
    private static final Map<String, Double> DEFAULTS = new LinkedHashMap<>();
    private static final Map<String, String> MEANINGS = new LinkedHashMap<>();

    static {
        parameter("accept-us", 7.0, "CPU of comment-service before the confirm, per comment");
        parameter("answer-us", 5.1, "CPU of comment-service to answer, per comment");
        parameter("processor-us", 2.2, "CPU of comment-job-processor and notification-service, per comment");
        parameter("broker-us", 3.8, "CPU of the leader of a queue, per comment");
        parameter("database-us", 10.9, "CPU of PostgreSQL, per comment");
        parameter("generator-us", 17.7, "CPU of wrk and the kernel, per comment; only to compare with the measurement");
        parameter("flush-ms", 1.8, "mean time of one flush of a log: one half is fixed, the other has an exponential distribution");
        parameter("log-mb", 200, "what the disk of a log takes, in MB/s");
        parameter("wal-bytes", 582, "write-ahead log of PostgreSQL, per comment");
        parameter("message-bytes", 330, "log of a broker for one comment; its notification takes as much again");
        parameter("group", 1_000, "the most comments in one message");
        parameter("waiting", 10_000, "the most requests in a comment-service; more are refused");
        parameter("batch", 5_000, "the most comments in one insert");
        parameter("interval-ms", 250, "the longest time to gather a batch");
        parameter("busy", 0.6, "how busy a part may be when the parts are counted");
        parameter("machine-cores", 16, "cores of a machine");
        parameter("price", 0, "price of a core for an hour; 0 prints none");
        parameter("seconds", 2, "simulated seconds that are measured, after as many without");
        parameter("seed", 20261122, "of the random numbers");
    }

    private static final int[] RATES = {20_000, 100_000, 1_000_000};
    private static final int NODES = 3;
    /** How many times the rate is offered to find where the parts end. */
    private static final int OVERLOAD = 4;
    private static final int MEASURED_RATE = 42_839;
    private static final int MEASURED_CONNECTIONS = 256;
    private static final int MEASURED_CORES = 2;
    private static final double SHORT_FLUSH = 1;
    /** A core changes to the next task that waits after this time. */
    private static final long SLICE = 1_000_000;

    private record Event(long time, long number, Runnable action) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            return time == other.time ? Long.compare(number, other.number) : Long.compare(time, other.time);
        }
    }

    /** The parts of one pipeline; a core runs one event loop, one leader of a queue, or one processor. */
    private record Parts(int services, int queues, int processors, int databaseCores) {
    }

    private static final class Task {
        private final Threads threads;
        private long left;
        private final Runnable then;

        Task(Threads threads, long nanos, Runnable then) {
            this.threads = threads;
            this.left = nanos;
            this.then = then;
        }
    }

    /** Cores that tasks share in slices of time. */
    private final class Cores {
        private final int count;
        private final ArrayDeque<Task> ready = new ArrayDeque<>();
        private int running;
        private long busy;

        Cores(int count) {
            this.count = count;
        }

        void run() {
            while (running < count && !ready.isEmpty()) {
                Task task = ready.poll();
                long slice = Math.min(task.left, SLICE);
                running++;
                after(slice, () -> {
                    running--;
                    busy += slice;
                    task.left -= slice;
                    if (task.left > 0) {
                        ready.add(task);
                    } else {
                        task.threads.ended();
                        task.then.run();
                    }
                    run();
                });
            }
        }
    }

    /** Threads that take tasks in order, one at a time each. */
    private final class Threads {
        private final Cores cores;
        private final ArrayDeque<Task> waiting = new ArrayDeque<>();
        private int free;

        Threads(Cores cores, int count) {
            this.cores = cores;
            this.free = count;
        }

        void add(double micros, Runnable then) {
            waiting.add(new Task(this, Math.round(micros * 1e3), then));
            start();
        }

        void ended() {
            free++;
            start();
        }

        private void start() {
            while (free > 0 && !waiting.isEmpty()) {
                free--;
                cores.ready.add(waiting.poll());
            }
            cores.run();
        }
    }

    /** A log on a disk: what comes while it is flushed is in the next flush. */
    private final class Log {
        private List<Runnable> waiting = new ArrayList<>();
        private double bytes;
        private boolean flushing;
        private double written;

        void add(double size, Runnable then) {
            waiting.add(then);
            bytes += size;
            flush();
        }

        private void flush() {
            if (flushing || waiting.isEmpty()) {
                return;
            }
            flushing = true;
            List<Runnable> flushed = waiting;
            double size = bytes;
            waiting = new ArrayList<>();
            bytes = 0;
            double millis = of("flush-ms") * (0.5 - 0.5 * StrictMath.log(1 - random.nextDouble())) + size / of("log-mb") / 1e3;
            after(Math.round(millis * 1e6), () -> {
                flushing = false;
                written += size;
                flushed.forEach(Runnable::run);
                flush();
            });
        }
    }

    private record Request(long arrived, Runnable answered) {
    }

    /** An event loop of comment-service, and a publisher for each queue, which has one group on its way. */
    private final class Service {
        private final Threads loop;
        private List<Request> waiting = new ArrayList<>();
        private int open;
        private final BitSet publishing = new BitSet();
        // where it looks first for a queue that it has no group on its way to
        private int next;

        Service(Cores cores) {
            loop = new Threads(cores, 1);
        }

        void post(Runnable answered) {
            if (open >= of("waiting")) {
                refused++;
                return;
            }
            open++;
            Request request = new Request(now, answered);
            loop.add(of("accept-us"), () -> {
                waiting.add(request);
                publish();
            });
        }

        private void publish() {
            int idle = publishing.nextClearBit(next) < queues.size() ? publishing.nextClearBit(next) : publishing.nextClearBit(0);
            if (idle >= queues.size() || waiting.isEmpty()) {
                return;
            }
            publishing.set(idle);
            next = (idle + 1) % queues.size();
            int size = (int) Math.min(waiting.size(), of("group"));
            List<Request> group = waiting.subList(0, size);
            waiting = new ArrayList<>(waiting.subList(size, waiting.size()));
            queues.get(idle).publish(size, () -> {
                publishing.clear(idle);
                group.forEach(request -> loop.add(of("answer-us"), () -> answer(request)));
                publish();
            });
        }

        private void answer(Request request) {
            open--;
            answered++;
            if (latencies != null) {
                latencies.add(now - request.arrived);
            }
            request.answered.run();
        }
    }

    /** A quorum queue: its leader, and the log of the nodes, which all its replicas write at the same time. */
    private final class Queue {
        private final Threads leader;
        private final List<Processor> processors = new ArrayList<>();
        private int next;

        Queue(Cores cores) {
            leader = new Threads(cores, 1);
        }

        void publish(int comments, Runnable confirmed) {
            leader.add(of("broker-us") * comments, () -> brokerLog.add(of("message-bytes") * comments, () -> {
                confirmed.run();
                processors.get(next++ % processors.size()).gather(comments);
            }));
        }
    }

    /** A process of comment-job-processor: it gathers a batch while others are written. */
    private final class Processor {
        private final Threads work;
        private int gathered;
        private int batches;

        Processor(Cores cores) {
            work = new Threads(cores, 1);
        }

        void gather(int comments) {
            gathered += comments;
            if (gathered >= of("batch")) {
                write();
            } else if (gathered == comments) {
                int batch = batches;
                after(Math.round(of("interval-ms") * 1e6), () -> {
                    if (batch == batches) {
                        write();
                    }
                });
            }
        }

        private void write() {
            int comments = gathered;
            gathered = 0;
            batches++;
            work.add(of("processor-us") * comments, () -> sessions.add(of("database-us") * comments,
                    () -> databaseLog.add(of("wal-bytes") * comments,
                            () -> brokerLog.add(of("message-bytes") * comments, () -> written += comments))));
        }
    }

    private final Map<String, Double> parameters;
    private final SplittableRandom random;
    private final PriorityQueue<Event> events = new PriorityQueue<>();
    private long number;
    private long now;

    private final List<Service> services = new ArrayList<>();
    private final List<Queue> queues = new ArrayList<>();
    private final Map<String, Cores> cores = new LinkedHashMap<>();
    private final Log brokerLog = new Log();
    private final Log databaseLog = new Log();
    private Threads sessions;

    private List<Long> latencies;
    private long answered;
    private long refused;
    private long written;

    private Simulation(Map<String, Double> parameters) {
        this.parameters = parameters;
        this.random = new SplittableRandom(parameters.get("seed").longValue());
    }

    private static void parameter(String name, double value, String meaning) {
        DEFAULTS.put(name, value);
        MEANINGS.put(name, meaning);
    }

    private double of(String name) {
        return parameters.get(name);
    }

    private void after(long nanos, Runnable action) {
        events.add(new Event(now + nanos, number++, action));
    }

    private void build(Parts parts, Cores shared) {
        Cores loops = shared != null ? shared : cores("services", parts.services);
        Cores leaders = shared != null ? shared : cores("queues", parts.queues);
        Cores writers = shared != null ? shared : cores("processors", parts.processors);
        Cores database = shared != null ? shared : cores("PostgreSQL", parts.databaseCores);
        for (int i = 0; i < parts.services; i++) {
            services.add(new Service(loops));
        }
        for (int i = 0; i < parts.queues; i++) {
            queues.add(new Queue(leaders));
        }
        for (int i = 0; i < parts.processors; i++) {
            queues.get(i % parts.queues).processors.add(new Processor(writers));
        }
        sessions = new Threads(database, Math.max(parts.databaseCores, parts.processors));
    }

    private Cores cores(String name, int count) {
        return cores.computeIfAbsent(name, key -> new Cores(count));
    }

    /** Requests at random times, independent of the answers, to each service in turn. */
    private void arrive(double rate, int service) {
        after(Math.round(-StrictMath.log(1 - random.nextDouble()) / rate * 1e9), () -> {
            services.get(service).post(() -> { });
            arrive(rate, (service + 1) % services.size());
        });
    }

    /** Runs the warm-up, forgets what it counted, and runs what is measured. */
    private void run() {
        long span = Math.round(of("seconds") * 1e9);
        until(span);
        cores.values().forEach(each -> each.busy = 0);
        answered = 0;
        written = 0;
        refused = 0;
        brokerLog.written = 0;
        databaseLog.written = 0;
        latencies = new ArrayList<>();
        until(2 * span);
    }

    private void until(long end) {
        while (!events.isEmpty() && events.peek().time <= end) {
            Event event = events.poll();
            now = event.time;
            event.action.run();
        }
        now = end;
    }

    private double millis(double part) {
        long[] sorted = latencies.stream().mapToLong(Long::longValue).toArray();
        Arrays.sort(sorted);
        return sorted[(int) Math.min(sorted.length - 1, Math.floor(part * sorted.length))] / 1e6;
    }

    /** How busy each part is, from 0 to 1. */
    private Map<String, Double> utilisation() {
        Map<String, Double> busy = new LinkedHashMap<>();
        cores.forEach((name, each) -> busy.put(name, each.busy / 1e9 / of("seconds") / each.count));
        busy.put("log of RabbitMQ", brokerLog.written / 1e6 / of("seconds") / of("log-mb"));
        busy.put("log of PostgreSQL", databaseLog.written / 1e6 / of("seconds") / of("log-mb"));
        return busy;
    }

    private static Simulation open(Map<String, Double> parameters, Parts parts, double rate) {
        Simulation simulation = new Simulation(parameters);
        simulation.build(parts, null);
        simulation.arrive(rate, 0);
        simulation.run();
        return simulation;
    }

    /** As many parts as keep each of them no busier than asked. */
    private static int count(Map<String, Double> parameters, double load) {
        return Math.max(1, (int) Math.ceil(load / parameters.get("busy") - 1e-9));
    }

    private static String scale(Map<String, Double> parameters) {
        StringBuilder sized = new StringBuilder("| | pipelines | services | queues | processors | cores of each PostgreSQL"
                + " | cores in all | machines |%s\n|---|---|---|---|---|---|---|---|%s\n".formatted(
                        parameters.get("price") > 0 ? " price of an hour |" : "", parameters.get("price") > 0 ? "---|" : ""));
        StringBuilder busy = new StringBuilder("| | services | queues | processors | PostgreSQL | log of RabbitMQ"
                + " | log of PostgreSQL | 202 p50 ms | p99 ms | ends at | because of |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
        for (int rate : RATES) {
            System.err.printf("simulating %,d/s%n", rate);
            double bytes = Math.max(parameters.get("wal-bytes"), 2 * parameters.get("message-bytes"));
            int pipelines = count(parameters, rate * bytes / 1e6 / parameters.get("log-mb"));
            double each = rate / (double) pipelines;
            int queues = count(parameters, each * parameters.get("broker-us") / 1e6);
            Parts parts = new Parts(count(parameters, each * (parameters.get("accept-us") + parameters.get("answer-us")) / 1e6),
                    queues, Math.max(queues, count(parameters, each * parameters.get("processor-us") / 1e6)),
                    count(parameters, each * parameters.get("database-us") / 1e6));
            int cores = pipelines * (parts.services + parts.processors + NODES * parts.queues + parts.databaseCores);
            double size = parameters.get("machine-cores");
            long machines = (long) Math.ceil(pipelines * (parts.services + parts.processors) / size)
                    + pipelines * (NODES * (long) Math.ceil(parts.queues / size) + (long) Math.ceil(parts.databaseCores / size));
            sized.append("| %,d/s | %d | %d | %d | %d | %d | %d | %d |".formatted(rate, pipelines, pipelines * parts.services,
                    pipelines * parts.queues, pipelines * parts.processors, parts.databaseCores, cores, machines));
            sized.append(parameters.get("price") > 0 ? " %,.2f |\n".formatted(cores * parameters.get("price")) : "\n");

            Simulation normal = open(parameters, parts, each);
            Simulation overload = open(parameters, parts, each * OVERLOAD);
            double seconds = parameters.get("seconds");
            String limit = overload.utilisation().entrySet().stream().max(Map.Entry.comparingByValue()).orElseThrow().getKey();
            busy.append("| %,d/s |".formatted(rate));
            normal.utilisation().values().forEach(part -> busy.append(" %.0f %% |".formatted(part * 100)));
            busy.append(" %.1f | %.1f | %,.0f/s | %s |\n".formatted(normal.millis(0.5), normal.millis(0.99),
                    pipelines * Math.round(Math.min(overload.answered, overload.written) / seconds / 100) * 100.0, limit));
        }
        return sized + "\n" + busy;
    }

    /** Beside the measurement: all parts and the generator on the same cores, and a new request of a connection after each answer. */
    private static String compare(Map<String, Double> parameters) {
        StringBuilder table = new StringBuilder("| %d connections on %d cores | simulated | measured | error |\n|---|---|---|---|\n"
                .formatted(MEASURED_CONNECTIONS, MEASURED_CORES));
        for (double flush : new TreeSet<>(List.of(parameters.get("flush-ms"), SHORT_FLUSH))) {
            System.err.printf("simulating the measurement with a flush of %s ms%n", number(flush));
            Map<String, Double> changed = new LinkedHashMap<>(parameters);
            changed.put("flush-ms", flush);
            double rate = closed(changed);
            table.append("| a flush of %s ms | %,.0f/s | %,d/s | %+.0f %% |\n".formatted(
                    number(flush), rate, MEASURED_RATE, (rate / MEASURED_RATE - 1) * 100));
        }
        return table.toString();
    }

    private static double closed(Map<String, Double> parameters) {
        Simulation simulation = new Simulation(parameters);
        Cores shared = simulation.new Cores(MEASURED_CORES);
        simulation.cores.put("all", shared);
        simulation.build(new Parts(1, 1, 1, MEASURED_CORES), shared);
        Threads generator = simulation.new Threads(shared, 1);
        for (int i = 0; i < MEASURED_CONNECTIONS; i++) {
            simulation.again(generator);
        }
        simulation.run();
        return simulation.answered / parameters.get("seconds");
    }

    private void again(Threads generator) {
        generator.add(of("generator-us"), () -> services.get(0).post(() -> again(generator)));
    }

    private static Map<String, Double> parse(String[] arguments) {
        Map<String, Double> parameters = new LinkedHashMap<>(DEFAULTS);
        for (String argument : arguments) {
            String[] pair = argument.split("=", 2);
            if (pair.length < 2 || !DEFAULTS.containsKey(pair[0])) {
                throw new IllegalArgumentException(argument + " is no parameter: see load/simulate --help");
            }
            boolean none = pair[0].equals("price") || pair[0].equals("seed");
            if (!pair[1].matches("\\d{1,9}(\\.\\d{1,6})?") || !none && Double.parseDouble(pair[1]) == 0) {
                throw new IllegalArgumentException(argument + ": " + pair[0] + " takes a " + (none ? "" : "positive ") + "number, such as "
                        + number(DEFAULTS.get(pair[0])));
            }
            parameters.put(pair[0], Double.valueOf(pair[1]));
        }
        if (parameters.get("busy") > 1) {
            throw new IllegalArgumentException("busy=" + number(parameters.get("busy")) + ": busy takes a number up to 1, such as 0.6");
        }
        if (parameters.get("seconds") > 60) {
            throw new IllegalArgumentException(
                    "seconds=" + number(parameters.get("seconds")) + ": seconds takes a number up to 60, such as 2");
        }
        return parameters;
    }

    private static String number(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
    }

    public static void main(String[] arguments) {
        Locale.setDefault(Locale.ROOT);
        if (Arrays.asList(arguments).contains("--help")) {
            System.out.print(USAGE);
            MEANINGS.forEach((name, meaning) -> System.out.printf("  %-14s %s (%s)%n", name, meaning, number(DEFAULTS.get(name))));
            return;
        }
        try {
            Map<String, Double> parameters = parse(arguments);
            String tables = scale(parameters) + "\n" + compare(parameters);
            System.out.print(tables);
        } catch (IllegalArgumentException e) {
            System.err.println("load/simulate: " + e.getMessage());
            System.exit(2);
        }
    }
}
