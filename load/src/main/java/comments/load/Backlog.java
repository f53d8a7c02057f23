package comments.load;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.impl.TimeBasedEpochGenerator;
import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import io.netty.buffer.ByteBufUtil;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command: fills the queue while no processor runs, then measures the rate and the memory of a processor that drains it. */
@Command(name = "backlog", mixinStandardHelpOptions = true, sortOptions = false, showDefaultValues = true,
        description = {"Publishes comments to the queue, waits for a processor to be started, and measures how fast it drains them.",
            "Exits with 1 if a comment is not in the table at the end."})
final class Backlog implements Callable<Integer> {

    /** One measurement; {@code second} counts from the first rows. */
    record Drain(double second, long persisted, long residentBytes) {
    }

    private static final TimeBasedEpochGenerator IDS = Generators.timeBasedEpochGenerator();
    private static final int CONFIRM_EVERY = 100;
    private static final int CONFIRM_MILLIS = 60_000;
    private static final int SAMPLE_MILLIS = 200;

    @Mixin
    private Servers servers;

    @Option(names = "--comments", defaultValue = "1000000", description = "The number of comments to publish.")
    private int comments;

    @Option(names = "--group", defaultValue = "250", description = "The number of comments in one message.")
    private int group;

    @Option(names = "--content", defaultValue = "200", description = "The length of the comments, in characters.")
    private int content;

    @Option(names = "--processor", required = true,
            description = "A file that gets the process id of the processor after its start. The memory of this process is measured.")
    private Path processor;

    @Option(names = "--wait", defaultValue = "300", description = "The limit of the drain, in seconds.")
    private int seconds;

    @Option(names = "--report", defaultValue = "target/load", description = "The folder of backlog.svg and backlog.json.")
    private Path report;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
        Failure.require(spec, comments >= 1, "--comments " + comments, "at least 1");
        Failure.require(spec, group >= 1 && group <= 10_000, "--group " + group, "from 1 to 10000");
        Failure.require(spec, content >= 1 && content <= 10_000, "--content " + content, "a length from 1 to 10000");
        Failure.require(spec, seconds >= 1, "--wait " + seconds, "at least 1");
        Report.prepare(report);
        String runId = "backlog" + Long.toString(Instant.now().getEpochSecond(), 36);
        try (Pipeline pipeline = servers.connect()) {
            fill(pipeline.publishing(), runId);
            System.out.printf("%,d comments wait: start the processor now, and write its process id to %s%n", comments, processor);
            List<Drain> drained = watch(pipeline, runId);
            Drain last = drained.get(drained.size() - 1);
            long maxBytes = drained.stream().mapToLong(Drain::residentBytes).max().orElse(0);
            // from the first rows on, without the start and without these rows
            double rate = (last.persisted() - drained.get(0).persisted()) / last.second();
            System.out.printf("%,d of %,d comments written, %,.0f/s, at most %,d MB resident%n",
                    last.persisted(), comments, rate, maxBytes >> 20);
            try {
                write(drained, rate, maxBytes);
            } catch (IOException e) {
                throw new Failure("--report " + report, e);
            }
            return last.persisted() == comments ? 0 : 1;
        }
    }

    private void fill(Channel channel, String runId) throws Exception {
        Bodies bodies = new Bodies(runId, 10_000, 1, content);
        channel.confirmSelect();
        int published = 0;
        for (int message = 1; published < comments; message++) {
            int count = Math.min(group, comments - published);
            channel.basicPublish("", "comments", new AMQP.BasicProperties.Builder().contentType("application/json")
                    .deliveryMode(2).headers(Map.of("commentCount", count)).build(), message(bodies, count));
            published += count;
            if (message % CONFIRM_EVERY == 0 || published == comments) {
                channel.waitForConfirmsOrDie(CONFIRM_MILLIS);
                System.out.printf("\r%,d of %,d comments published", published, comments);
            }
        }
        System.out.println();
    }

    /** An array as comment-service publishes it: comments with their ids and the time when they were accepted. */
    private static byte[] message(Bodies bodies, int count) {
        StringBuilder array = new StringBuilder();
        for (int i = 0; i < count; i++) {
            String body = new String(ByteBufUtil.getBytes(bodies.take()), StandardCharsets.UTF_8);
            array.append(i == 0 ? "[" : ",").append("{\"id\":\"").append(IDS.generate()).append("\",\"acceptedAt\":\"")
                    .append(Instant.now()).append("\",").append(body, 1, body.length());
        }
        return array.append(']').toString().getBytes(StandardCharsets.UTF_8);
    }

    private List<Drain> watch(Pipeline pipeline, String runId) throws Exception {
        List<Drain> drained = new ArrayList<>();
        long end = System.nanoTime() + seconds * 1_000_000_000L;
        long first = 0;
        while (System.nanoTime() < end) {
            Thread.sleep(SAMPLE_MILLIS);
            long persisted = pipeline.persisted();
            long now = System.nanoTime();
            if (persisted > 0) {
                first = first == 0 ? now : first;
                drained.add(new Drain((now - first) / 1e9, persisted, Pipeline.residentBytes(processor)));
                System.out.printf("\r%5.1f s  %,d written", (now - first) / 1e9, persisted);
            }
            if (persisted >= comments) {
                break;
            }
        }
        System.out.println();
        if (drained.isEmpty()) {
            throw new Failure("--wait " + seconds + ": no comment was written in this time: start a processor meanwhile");
        }
        // the table is authoritative, not the metric
        Drain last = drained.remove(drained.size() - 1);
        drained.add(new Drain(last.second(), pipeline.rows(runId), last.residentBytes()));
        return drained;
    }

    private void write(List<Drain> drained, double rate, long maxBytes) throws Exception {
        Files.createDirectories(report);
        double[] seconds = drained.stream().mapToDouble(Drain::second).toArray();
        Files.writeString(report.resolve("backlog.svg"), Charts.lines("A backlog of %,d comments drains".formatted(comments), "s",
                "comments left", seconds, Map.of("left", drained.stream().mapToDouble(d -> comments - d.persisted()).toArray())));
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("comments", comments);
        json.put("perSecond", Math.round(rate));
        json.put("residentBytes", maxBytes);
        json.put("samples", drained);
        new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValue(report.resolve("backlog.json").toFile(), json);
    }
}
