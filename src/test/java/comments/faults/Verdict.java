package comments.faults;

import comments.faults.Attempt.Outcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** What the checker found. */
final class Verdict {

    /** What can be wrong. */
    enum Point {
        /** Promised, and not in the table, or not as it was posted. */
        LOST,
        /** In the table twice. */
        DUPLICATE,
        /** In the table, but refused or never posted. */
        UNEXPECTED,
        /** In the table, but not as its edits and erasures demand. */
        NOT_CHANGED,
        /** In the table, not erased, and never pushed. */
        NOT_NOTIFIED,
        /** Left in a queue, or the quarantine is not what it must be. */
        NOT_SETTLED,
        /** Not served as before in time. */
        NOT_RECOVERED
    }

    private static final int SHOWN = 3;

    private final Map<Point, List<String>> violations = new EnumMap<>(Point.class);
    private final Map<Posted, Outcome> outcomes;
    private final Duration recovery;
    private int notifiedAgain;

    Verdict(Map<Posted, Outcome> outcomes, Duration recovery) {
        this.outcomes = outcomes;
        this.recovery = recovery;
    }

    void add(Point point, String violation) {
        violations.computeIfAbsent(point, key -> new ArrayList<>()).add(violation);
    }

    void setNotifiedAgain(int notifiedAgain) {
        this.notifiedAgain = notifiedAgain;
    }

    /** What is wrong, by its kind; kinds of which nothing is wrong are not in it. */
    Map<Point, List<String>> violations() {
        return Collections.unmodifiableMap(violations);
    }

    /** Whether more is wrong than that it took too long, which may be the machine's fault. */
    boolean isPromiseBroken() {
        return violations.keySet().stream().anyMatch(point -> point != Point.NOT_RECOVERED);
    }

    /** How many pushes of comments were repetitions. */
    int notifiedAgain() {
        return notifiedAgain;
    }

    /** How many comments were posted. */
    int posted() {
        return outcomes.size();
    }

    /** Of how many comments this became. */
    long count(Outcome outcome) {
        return outcomes.values().stream().filter(outcome::equals).count();
    }

    /** How often something is wrong. */
    int count(Point point) {
        return violations.getOrDefault(point, List.of()).size();
    }

    /** One line of figures. */
    String summary() {
        return ("%d comments promised, %d refused, %d unknown; %d lost, %d doubled, %d unexpected, %d not notified,"
                + " %d notified again; %s").formatted(count(Outcome.OK), count(Outcome.REFUSED), count(Outcome.UNKNOWN), count(Point.LOST),
                        count(Point.DUPLICATE), count(Point.UNEXPECTED), count(Point.NOT_NOTIFIED), notifiedAgain,
                        recovery == null ? "not recovered" : "recovered in %d ms".formatted(recovery.toMillis()));
    }

    /** The figures, and the first of what is wrong. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(summary());
        violations.forEach((point, all) -> {
            text.append("\n  ").append(point).append(": ").append(all.size());
            all.stream().limit(SHOWN).forEach(violation -> text.append("\n    ").append(violation));
        });
        return text.toString();
    }
}
