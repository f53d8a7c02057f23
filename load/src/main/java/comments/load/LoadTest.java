package comments.load;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command: posts at increasing rates, waits for the drain, accounts for every comment, and writes a report. */
@Command(name = "load/run", mixinStandardHelpOptions = true, sortOptions = false, showDefaultValues = true,
        subcommands = Backlog.class,
        description = {"Posts comments at fixed rates (an open model: latency counts from the time when a request is due),"
                + " waits until the queues are empty, and checks that every accepted comment is in the table and was pushed.",
            "Exits with 1 if the account doesn't balance."})
final class LoadTest implements Callable<Integer> {

    private static final int PATHS = 100_000;

    @Option(names = "--url", defaultValue = "http://127.0.0.1:8080/comments", description = "Where to post. LOAD_API_KEY is the API key.")
    private URI url;

    @Mixin
    private Servers servers;

    @Option(names = "--rates", split = ",", defaultValue = "1000,2000,4000,6000,8000,10000,12000",
            description = "The rates, in requests per second, one after the other.")
    private List<Integer> rates;

    @Option(names = "--reads", defaultValue = "0",
            description = "Reads per second at the same time, of random comments from the table.")
    private int readRate;

    @Option(names = "--pages", defaultValue = "0.1", description = "The part of the reads that get the first page of a post.")
    private double pages;

    @Option(names = "--seconds", defaultValue = "20", description = "How long each rate is held.")
    private int seconds;

    @Option(names = "--warm-up", defaultValue = "60", description = "How long the warm-up takes, at half of the highest rate.")
    private int warmUp;

    @Option(names = "--connections", defaultValue = "256", description = "HTTP connections.")
    private int connections;

    @Option(names = "--content", defaultValue = "200", description = "The length of the comments, in characters.")
    private int content;

    @Option(names = "--posts", defaultValue = "10000", description = "The number of posts.")
    private int posts;

    @Option(names = "--skew", defaultValue = "1.0", description = "The skew of the posts: the exponent of Zipf's law; 0 for none.")
    private double skew;

    @Option(names = "--report", defaultValue = "target/load", description = "The folder of report.html and report.json.")
    private Path report;

    @Spec
    private CommandSpec spec;

    public static void main(String[] args) {
        System.exit(new CommandLine(new LoadTest()).setParameterExceptionHandler((wrong, all) -> {
            System.err.println("load/run: " + Failure.firstLine(wrong.getMessage()) + ": see load/run --help");
            return 2;
        }).setExecutionExceptionHandler((failed, command, parsed) -> {
            System.err.println("load/run: " + Failure.reason(failed));
            return 1;
        }).execute(args));
    }

    @Override
    public Integer call() throws Exception {
        check();
        String runId = "load" + Long.toString(Instant.now().getEpochSecond(), 36);
        List<Step> steps = new ArrayList<>();
        int highest = rates.stream().max(Integer::compare).orElseThrow();
        if (warmUp > 0) {
            steps.add(Step.posts(Math.max(1, highest / 2), warmUp, true));
        }
        rates.forEach(rate -> steps.add(Step.posts(rate, seconds, false)));
        List<Step> reads = readRate == 0 ? List.of() : steps.stream().map(step -> step.withReads(readRate)).toList();
        Report.prepare(report);
        ApiKey key = ApiKey.fromEnvironment();
        Pipeline.checkPosts(url, key);
        try (Pipeline pipeline = servers.connect()) {
            if (!reads.isEmpty()) {
                System.out.println("choosing comments to read");
            }
            List<String> paths = reads.isEmpty() ? List.of() : pipeline.paths(PATHS, pages);
            if (!paths.isEmpty()) {
                Pipeline.checkReads(url, key, paths.get(0));
            }
            Account account;
            List<Sample> samples;
            try (Sampler sampler = new Sampler(pipeline, steps)) {
                new Staircase(url, key, connections, new Bodies(runId, posts, skew, content), steps, reads, paths).climb();
                account = Account.draw(pipeline, sampler, steps, runId);
                samples = sampler.samples();
            }
            Report written = new Report(this.toString(), steps, reads, samples, account);
            System.out.println(written.tables());
            System.out.println(account);
            // last, so that a disk without room costs no figures
            try {
                written.write(report);
            } catch (IOException e) {
                throw new Failure("--report " + report, e);
            }
            System.out.println("Report: " + report.resolve("report.html").toAbsolutePath());
            return account.balanced() ? 0 : 1;
        }
    }

    private void check() {
        require("http".equals(url.getScheme()) && url.getHost() != null && url.getPath().startsWith("/"),
                "--url " + Failure.shown(url.toString()), "an address such as http://127.0.0.1:8080/comments");
        rates.forEach(rate -> require(rate >= 1 && rate <= 1_000_000, "--rates " + rate, "rates from 1 to 1000000"));
        require(readRate >= 0 && readRate <= 1_000_000, "--reads " + readRate, "a rate from 0 to 1000000");
        require(pages >= 0 && pages <= 1, "--pages " + pages, "a part from 0 to 1");
        require(seconds >= 1, "--seconds " + seconds, "at least 1");
        require(warmUp >= 0, "--warm-up " + warmUp, "at least 0");
        require(connections >= 1, "--connections " + connections, "at least 1");
        require(content >= 1 && content <= 10_000, "--content " + content, "a length from 1 to 10000");
        require(posts >= 1, "--posts " + posts, "at least 1");
        require(skew >= 0, "--skew " + skew, "at least 0");
    }

    private void require(boolean right, String option, String takes) {
        Failure.require(spec, right, option, takes);
    }

    /** The settings, without secrets. */
    @Override
    public String toString() {
        return "%d connections, contents of %d characters, %d posts with skew %.1f, %d reads/s of which %.2f pages, %d s each after %d s of warm-up"
                .formatted(connections, content, posts, skew, readRate, pages, seconds, warmUp);
    }
}
