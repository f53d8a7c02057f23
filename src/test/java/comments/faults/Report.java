package comments.faults;

import comments.faults.Attempt.Outcome;
import comments.faults.Verdict.Point;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What the trials came to, in {@code target/faults/report.md}: a line for each test, and one for each kind of fault of those
 * with several kinds. A test that is run again replaces its lines, so the tests may be run in parts.
 */
final class Report {

    /** A fault, and how long it took to recover from it; null if too long. */
    record Recovery(String fault, Duration took) {
    }

    private static final Path FILE = Trial.KEPT.resolve("report.md");
    private static final Path LOCK = Trial.KEPT.resolve("report.lock");
    private static final Path LINES = Trial.KEPT.resolve("report");
    private static final String TESTS = """
            The application of CheckerIT is unsafe on purpose: there must be losses, and the checker must find them.

            | test | | faults | comments posted | promised | lost | doubled | notified twice | recovered after, s |
            |---|---|--:|--:|--:|--:|--:|--:|--:|
            """;
    private static final String FAULTS = """

            | test | fault | times | recovered after, s: median | longest |
            |---|---|--:|--:|--:|
            """;
    // e7Comments… : the row of the table of faults that a test is for
    private static final Pattern ROW = Pattern.compile("\\.([a-z])(\\d+)[A-Z]");

    private Report() {
    }

    /**
     * Adds a test.
     *
     * @param verdict null if it did not come to that
     * @return a table of its faults; empty if they are all of one kind
     */
    static String add(String test, boolean passed, List<Recovery> recoveries, Verdict verdict) throws IOException {
        Map<String, List<Recovery>> byFault = recoveries.stream()
                .collect(Collectors.groupingBy(Recovery::fault, LinkedHashMap::new, Collectors.toList()));
        List<String> faults = new ArrayList<>();
        if (byFault.size() > 1) {
            byFault.forEach((fault, same) -> faults.add("| %s | %s | %d | %s | %s |"
                    .formatted(test, fault, same.size(), seconds(median(same)), seconds(longest(same)))));
        }
        Files.createDirectories(LINES);
        List<String> lines = new ArrayList<>(List.of(line(test, passed, recoveries, verdict)));
        lines.addAll(faults);
        Files.write(LINES.resolve(test + ".md"), lines);
        // another JVM may do so at the same time
        try (FileChannel lock = FileChannel.open(LOCK, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            lock.lock();
            write();
        }
        return faults.isEmpty() ? "" : FAULTS + String.join("\n", faults);
    }

    private static String line(String test, boolean passed, List<Recovery> recoveries, Verdict verdict) {
        String outcome = passed ? "passed" : "failed";
        if (verdict == null) {
            return "| %s | %s | | | | | | | |".formatted(test, outcome);
        }
        return "| %s | %s | %d | %d | %d | %d | %d | %d | %s |".formatted(test, outcome, Math.max(1, recoveries.size()),
                verdict.posted(), verdict.count(Outcome.OK), verdict.count(Point.LOST), verdict.count(Point.DUPLICATE),
                verdict.notifiedAgain(), recoveries.isEmpty() ? "" : seconds(longest(recoveries)));
    }

    /** The longest of several recoveries; null if one took too long. */
    static Duration longest(List<Recovery> recoveries) {
        return sorted(recoveries).get(recoveries.size() - 1);
    }

    private static Duration median(List<Recovery> recoveries) {
        return sorted(recoveries).get((recoveries.size() - 1) / 2);
    }

    private static List<Duration> sorted(List<Recovery> recoveries) {
        List<Duration> durations = new ArrayList<>(recoveries.stream().map(Recovery::took).toList());
        durations.sort(Comparator.nullsLast(Comparator.naturalOrder()));
        return durations;
    }

    private static String seconds(Duration duration) {
        return duration == null ? "not in time" : "%.1f".formatted(duration.toMillis() / 1_000.0);
    }

    private static void write() throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.list(LINES)) {
            files = all.sorted(Comparator.comparing(Report::order)).toList();
        }
        StringBuilder tests = new StringBuilder(TESTS);
        StringBuilder faults = new StringBuilder(FAULTS);
        for (Path file : files) {
            List<String> lines = Files.readAllLines(file);
            tests.append(lines.get(0)).append('\n');
            lines.stream().skip(1).forEach(line -> faults.append(line).append('\n'));
        }
        Files.writeString(FILE, tests.append(faults));
    }

    // by the numbers of the rows, c9 before c10; what is for no row comes last
    private static String order(Path file) {
        String name = file.getFileName().toString();
        Matcher row = ROW.matcher(name);
        return row.find() ? "%s%02d%s".formatted(row.group(1), Integer.parseInt(row.group(2)), name) : "~" + name;
    }
}
