package comments.faults;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import comments.faults.Attempt.Outcome;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;

/** All attempts of a workload, in the order in which they ended. Any thread may add to it and ask it. */
final class History {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Queue<Attempt> attempts = new ConcurrentLinkedQueue<>();

    void add(Attempt attempt) {
        attempts.add(attempt);
    }

    List<Attempt> attempts() {
        return new ArrayList<>(attempts);
    }

    /** What became of each comment: of several attempts at one, the best counts. */
    Map<Posted, Outcome> outcomes() {
        Map<Posted, Outcome> outcomes = new HashMap<>();
        for (Attempt attempt : attempts) {
            for (Posted comment : attempt.comments()) {
                outcomes.merge(comment, attempt.outcome(), History::better);
            }
        }
        return outcomes;
    }

    private static Outcome better(Outcome one, Outcome other) {
        if (one == Outcome.OK || other == Outcome.OK) {
            return Outcome.OK;
        }
        return one == Outcome.UNKNOWN || other == Outcome.UNKNOWN ? Outcome.UNKNOWN : Outcome.REFUSED;
    }

    /** The ids that each comment was answered with. */
    Map<Posted, Set<UUID>> ids() {
        Map<Posted, Set<UUID>> ids = new HashMap<>();
        for (Attempt attempt : attempts) {
            for (int i = 0; i < attempt.ids().size(); i++) {
                ids.computeIfAbsent(attempt.comments().get(i), comment -> new HashSet<>()).add(attempt.ids().get(i));
            }
        }
        return ids;
    }

    /** The attempts that ended in a time. */
    List<Attempt> between(Instant from, Instant to) {
        return attempts.stream().filter(attempt -> attempt.ended().isAfter(from) && attempt.ended().isBefore(to)).toList();
    }

    /** The attempts that were begun in a time. */
    List<Attempt> begun(Instant from, Instant to) {
        return attempts.stream().filter(attempt -> attempt.at().isAfter(from) && attempt.at().isBefore(to)).toList();
    }

    /** How many requests were answered with 202 in a time. */
    long served(Instant from, Instant to) {
        return between(from, to).stream().filter(attempt -> attempt.outcome() == Outcome.OK).count();
    }

    /** How many comments were promised until now. */
    int ok() {
        return attempts.stream().filter(attempt -> attempt.outcome() == Outcome.OK)
                .mapToInt(attempt -> attempt.comments().size()).sum();
    }

    /** Writes the attempts as JSON, one on a line. */
    void write(Path file) throws IOException {
        try (BufferedWriter out = Files.newBufferedWriter(file)) {
            for (Attempt attempt : attempts) {
                ObjectNode line = JSON.createObjectNode().put("at", attempt.at().toString())
                        .put("ms", attempt.took().toMillis()).put("outcome", attempt.outcome().name().toLowerCase())
                        .put("status", attempt.status()).put("key", attempt.key()).put("note", attempt.note());
                add(line, "ids", attempt.ids());
                attempt.comments().forEach(line.withArrayProperty("comments")::addPOJO);
                out.write(JSON.writeValueAsString(line));
                out.newLine();
            }
        }
    }

    private static void add(ObjectNode line, String name, Collection<UUID> ids) {
        ids.forEach(id -> line.withArrayProperty(name).add(id.toString()));
    }
}
