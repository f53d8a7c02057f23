package comments.faults;

import comments.faults.Attempt.Outcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Compares what the callers know with what is there after all faults have been healed and everything has been drained. */
final class Checker {

    /** A row of the table {@code comments}. */
    record Row(UUID id, Posted comment, boolean erased) {

        Row(UUID id, Posted comment) {
            this(id, comment, false);
        }
    }

    /**
     * What is there in the end.
     *
     * @param pushes the ids that were pushed, each as often as it was
     * @param waiting how many messages, ready and unacknowledged, are in each queue
     * @param quarantine the bodies in {@code comment_quarantine}
     * @param recovery from healing until the callers were served as before and the table had caught up; null if never
     */
    record State(List<Row> rows, List<UUID> pushes, Map<String, Long> waiting, List<String> quarantine, Duration recovery) {
    }

    /** How long the recovery may take. */
    static final Duration RECOVERY_LIMIT = Duration.ofSeconds(30);

    private Checker() {
    }

    /**
     * Checks.
     *
     * @param published what was published straight to the queue, and must be there, too
     * @param poison a text of each bad comment that was planted: its quarantined body holds it
     */
    static Verdict check(History history, Set<Posted> published, State state, Set<String> poison) {
        Map<Posted, Outcome> outcomes = history.outcomes();
        published.forEach(comment -> outcomes.put(comment, Outcome.OK));
        Map<Posted, Set<UUID>> ids = history.ids();
        Map<Posted, List<Row>> rows = state.rows().stream().collect(Collectors.groupingBy(Row::comment));

        Verdict verdict = new Verdict(outcomes, state.recovery());
        outcomes.forEach((comment, outcome) -> {
            if (outcome == Outcome.OK && !holds(rows.getOrDefault(comment, List.of()), ids.get(comment))) {
                verdict.add(Verdict.Point.LOST, comment + " as " + ids.get(comment));
            }
            if (ids.getOrDefault(comment, Set.of()).size() > 1) {
                verdict.add(Verdict.Point.DUPLICATE, comment + " was answered with several ids: " + ids.get(comment));
            }
        });
        rows.forEach((comment, same) -> {
            if (same.size() > 1) {
                verdict.add(Verdict.Point.DUPLICATE, comment + " is there as " + same.stream().map(Row::id).toList());
            }
            if (outcomes.getOrDefault(comment, Outcome.REFUSED) == Outcome.REFUSED) {
                verdict.add(Verdict.Point.UNEXPECTED, same.toString());
            }
        });
        Set<UUID> pushed = new HashSet<>(state.pushes());
        // a redelivery tells nobody of a person who was erased meanwhile; that the erasure is told of is checked apart
        state.rows().stream().filter(row -> !row.erased() && !pushed.contains(row.id()))
                .forEach(row -> verdict.add(Verdict.Point.NOT_NOTIFIED, row.toString()));
        verdict.setNotifiedAgain(state.pushes().size() - pushed.size());
        state.waiting().forEach((queue, messages) -> {
            if (messages > 0) {
                verdict.add(Verdict.Point.NOT_SETTLED, messages + " messages are left in " + queue);
            }
        });
        checkQuarantine(state.quarantine(), poison, verdict);
        if (state.recovery() == null || state.recovery().compareTo(RECOVERY_LIMIT) > 0) {
            verdict.add(Verdict.Point.NOT_RECOVERED, "recovered after " + state.recovery());
        }
        return verdict;
    }

    private static boolean holds(List<Row> rows, Set<UUID> ids) {
        return rows.stream().anyMatch(row -> ids == null || ids.contains(row.id()));
    }

    private static void checkQuarantine(List<String> quarantine, Set<String> poison, Verdict verdict) {
        List<String> unplanted = new ArrayList<>(quarantine);
        Map<String, Long> found = quarantine.stream()
                .flatMap(body -> poison.stream().filter(body::contains).peek(planted -> unplanted.remove(body)))
                .collect(Collectors.groupingBy(Function.identity(), Collectors.counting()));
        unplanted.forEach(body -> verdict.add(Verdict.Point.NOT_SETTLED, "quarantined for no reason: " + body));
        for (String planted : poison) {
            long times = found.getOrDefault(planted, 0L);
            if (times != 1) {
                verdict.add(Verdict.Point.NOT_SETTLED, planted + " is quarantined " + times + " times");
            }
        }
    }
}
