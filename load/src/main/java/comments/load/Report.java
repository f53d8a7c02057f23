package comments.load;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import comments.load.Charts.Line;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes the results of a run: one HTML file with plots, and the numbers as JSON and each plot as SVG beside it. */
final class Report {

    private static final List<String> PROCESSES = List.of("service", "broker", "database", "generator");

    /** More bytes than a report has. */
    private static final int ROOM = 4 << 20;

    private final String settings;
    private final List<Step> steps;
    private final List<Step> reads;
    private final List<Sample> samples;
    private final Account account;

    Report(String settings, List<Step> steps, List<Step> reads, List<Sample> samples, Account account) {
        this.settings = settings;
        this.steps = steps;
        this.reads = reads;
        this.samples = samples;
        this.account = account;
    }

    /**
     * Makes the folder of a report, before the work that it reports.
     *
     * @throws Failure if nothing can be written there
     */
    static void prepare(Path folder) throws Failure {
        try {
            Files.createDirectories(folder);
            Path probe = Files.createTempFile(folder, "room", null);
            try {
                Files.write(probe, new byte[ROOM]);
            } finally {
                Files.delete(probe);
            }
        } catch (IOException e) {
            throw new Failure("--report " + folder, e);
        }
    }

    /** The steps without the warm-up. */
    private List<Step> measured() {
        return steps.stream().filter(step -> !step.warmUp).toList();
    }

    /** CPU time of a process per accepted comment in a step, in microseconds. */
    private double cpuMicros(Step step, String process) {
        List<Sample> during = samples.stream().filter(sample -> sample.step().equals(step.name())).toList();
        if (during.size() < 2) {
            return 0;
        }
        Sample first = during.get(0);
        Sample last = during.get(during.size() - 1);
        long accepted = last.accepted() - first.accepted();
        return accepted == 0 ? 0
                : (last.cpuSeconds().get(process) - first.cpuSeconds().get(process)) * 1e6 / accepted;
    }

    private Map<String, Object> row(Step step) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("offered/s", step.rate);
        row.put("accepted/s", Math.round((double) step.accepted / step.seconds));
        addOutcome(row, step);
        PROCESSES.forEach(process -> row.put(process + " µs", Math.round(cpuMicros(step, process) * 10) / 10.0));
        return row;
    }

    private static Map<String, Object> readRow(Step step) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("reads/s", step.rate);
        row.put("answered/s", Math.round((double) step.accepted / step.seconds));
        addOutcome(row, step);
        return row;
    }

    private static void addOutcome(Map<String, Object> row, Step step) {
        row.put("unsent", step.unsent());
        row.put("refused", step.refused);
        row.put("other answers", step.otherwise);
        row.put("unanswered", step.unanswered());
        for (double percentile : new double[] {50, 90, 99, 99.9, 100}) {
            row.put(percentile == 100 ? "max ms" : "p" + (percentile % 1 == 0 ? (int) percentile : percentile) + " ms",
                    Math.round(step.millis(percentile) * 10) / 10.0);
        }
    }

    private List<Map<String, Object>> rows() {
        return measured().stream().map(this::row).toList();
    }

    private List<Map<String, Object>> readRows() {
        return reads.stream().filter(step -> !step.warmUp).map(Report::readRow).toList();
    }

    /** The steps, and the reads at the same time, as tables in Markdown. */
    String tables() {
        return table(rows()) + (reads.isEmpty() ? "" : "\n" + table(readRows()));
    }

    private static String table(List<Map<String, Object>> rows) {
        StringBuilder table = new StringBuilder("| " + String.join(" | ", rows.get(0).keySet()) + " |\n|"
                + "---|".repeat(rows.get(0).size()) + "\n");
        rows.forEach(row -> table.append("| ").append(String.join(" | ", row.values().stream().map(String::valueOf).toList()))
                .append(" |\n"));
        return table.toString();
    }

    void write(Path folder) throws IOException {
        Files.createDirectories(folder);
        Map<String, String> plots = plots();
        for (Map.Entry<String, String> plot : plots.entrySet()) {
            Files.writeString(folder.resolve(plot.getKey()), plot.getValue());
        }
        Files.writeString(folder.resolve("report.html"), html(plots.values()));
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("at", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        json.put("machine", machine());
        json.put("settings", settings);
        json.put("account", account);
        json.put("balanced", account.balanced());
        json.put("steps", rows());
        json.put("reads", readRows());
        json.put("samples", samples);
        new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValue(folder.resolve("report.json").toFile(), json);
    }

    private static String machine() {
        return "%d cores, %s %s, Java %s".formatted(Runtime.getRuntime().availableProcessors(),
                System.getProperty("os.name"), System.getProperty("os.version"), System.getProperty("java.version"));
    }

    /** The plots as SVG, by the names of their files. */
    private Map<String, String> plots() throws IOException {
        Charts charts = new Charts(samples);
        List<Step> measured = measured();
        Map<String, String> plots = new LinkedHashMap<>();
        plots.put("rates.svg", Charts.byRate("Offered and achieved", "accepted/s", false, measured, List.of("accepted", "offered"),
                List.of(step -> (double) step.accepted / step.seconds, step -> step.rate)));
        plots.put("latency.svg", Charts.byRate("Latency by rate", "ms", true, measured, List.of("p50", "p99", "p99.9"),
                List.of(step -> Math.max(0.1, step.millis(50)), step -> Math.max(0.1, step.millis(99)),
                        step -> Math.max(0.1, step.millis(99.9)))));
        plots.put("cpu.svg", Charts.bars("CPU per accepted comment", "µs",
                measured.stream().map(step -> Integer.toString(step.rate)).toList(), PROCESSES, PROCESSES.stream()
                        .map(process -> measured.stream().map(step -> cpuMicros(step, process)).toList()).toList()));
        plots.put("rates-over-time.svg", charts.overTime("Offered, accepted, persisted, pushed", "1/s", List.of(
                new Line("offered", charts.perSecond(Sample::offered)), new Line("accepted", charts.perSecond(Sample::accepted)),
                new Line("persisted", charts.perSecond(Sample::persisted)), new Line("pushed", charts.perSecond(Sample::pushed)))));
        plots.put("latency-over-time.svg", charts.overTime("Latency", "ms", List.of(
                new Line("p50", Sample::p50), new Line("p99", Sample::p99), new Line("p99.9", Sample::p999))));
        plots.put("totals-over-time.svg", charts.overTime("Accepted, persisted, pushed", "comments", List.of(
                new Line("accepted", Sample::accepted), new Line("persisted", Sample::persisted),
                new Line("pushed", Sample::pushed))));
        plots.put("waiting-over-time.svg", charts.overTime("Waiting", "", List.of(
                new Line("requests for their confirm", Sample::waiting), new Line("messages in the queue", Sample::queued))));
        return plots;
    }

    private String html(Collection<String> plots) {
        return """
                <!doctype html>
                <html lang="en"><meta charset="utf-8"><title>Load on the comment pipeline</title>
                <style>
                body {font: 15px/1.5 system-ui, sans-serif; max-width: 920px; margin: 2em auto; padding: 0 1em}
                table {border-collapse: collapse; font-size: 13px} td, th {border: 1px solid #ccc; padding: 2px 7px; text-align: right}
                svg {max-width: 100%%; height: auto; margin: 1em 0}
                .balanced {color: #060} .unbalanced {color: #b00}
                </style>
                <h1>Load on the comment pipeline</h1>
                <p class="%s"><strong>%s</strong></p>
                <p>%s. %s. %s.</p>
                %s
                %s
                </html>
                """.formatted(account.balanced() ? "balanced" : "unbalanced", account,
                Instant.now().truncatedTo(ChronoUnit.SECONDS), machine(), settings, htmlTable(rows()) + htmlTable(readRows()), String.join("\n", plots));
    }

    private static String htmlTable(List<Map<String, Object>> rows) {
        StringBuilder table = new StringBuilder("<table>");
        for (Map<String, Object> row : rows) {
            if (table.length() == "<table>".length()) {
                row.keySet().forEach(name -> table.append("<th>").append(name));
            }
            table.append("<tr>");
            row.values().forEach(value -> table.append("<td>").append(value));
        }
        return table.append("</table>").toString();
    }
}
