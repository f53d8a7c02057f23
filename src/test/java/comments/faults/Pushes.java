package comments.faults;

import comments.support.JarProcess;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Pattern;

/** What was pushed: by the processes, to their logs, and to a receiver outside. Any thread may call it. */
final class Pushes {

    private static final String LOGGER = "comment-pushes";
    /** Where the processes push. */
    static final String ENDPOINT = "log:%s?showBodyType=false&showExchangePattern=false&maxChars=0".formatted(LOGGER);

    // PostgreSQL writes the notification of a change with blanks, the processor that of a comment without
    private static final Pattern COMMENT = Pattern.compile("\"id\":\"([0-9a-f-]{36})\"");
    private static final Pattern CHANGE =
            Pattern.compile("\"id\" : \"([0-9a-f-]{36})\", \"postId\" : \"[^\"]*\", \"change\" : \"(\\w+)\"");

    private final List<String> received = new CopyOnWriteArrayList<>();
    private final List<JarProcess> processes;

    Pushes(List<JarProcess> processes) {
        this.processes = processes;
    }

    /** Notes a push that a receiver outside the processes took. */
    void received(String push) {
        received.add(push);
    }

    private List<String> all() throws IOException {
        List<String> lines = new ArrayList<>(received);
        for (JarProcess process : processes) {
            process.log().filter(line -> line.contains(" " + LOGGER + " ")).forEach(lines::add);
        }
        return lines;
    }

    /** The ids of all comments that were pushed, as often as they were. */
    List<UUID> comments() throws IOException {
        return all().stream().flatMap(line -> COMMENT.matcher(line).results()).map(id -> UUID.fromString(id.group(1))).toList();
    }

    /** The comments whose changes were pushed, and which kinds of change: {@code edited}, {@code erased}. */
    Map<UUID, Set<String>> changes() throws IOException {
        Map<UUID, Set<String>> changes = new HashMap<>();
        all().stream().flatMap(line -> CHANGE.matcher(line).results()).forEach(
                found -> changes.computeIfAbsent(UUID.fromString(found.group(1)), id -> new HashSet<>()).add(found.group(2)));
        return changes;
    }
}
