package comments.faults;

import com.fasterxml.jackson.databind.ObjectMapper;
import comments.faults.Attempt.Outcome;
import comments.faults.Checker.Row;
import comments.support.ApiKeyHash;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * A client that edits and erases comments as soon as they are promised, one after the other, and some of them again; and what must
 * become of each. What it does not know was done may be done or not.
 */
final class Changes implements AutoCloseable {

    /** The API key that every request has; only a {@link #keyed} process asks for it. */
    static final String KEY = "key-of-the-trial";

    /** One change; without a content, it is an erasure. */
    record Change(String content, Outcome outcome) {
    }

    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(10);
    private static final int LATEST = 100;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Map<UUID, List<Change>> changes = Collections.synchronizedMap(new LinkedHashMap<>());
    private final HttpClient client = HttpClient.newHttpClient();
    private final Random random = new Random(1);
    private final History history;
    private final Supplier<List<URI>> targets;
    private final Thread thread = new Thread(this::run, "changes");
    private volatile long pauseNanos;
    private volatile boolean stopped;

    /**
     * Prepares the client.
     *
     * @param history what was promised
     * @param targets where comments are posted
     */
    Changes(History history, Supplier<List<URI>> targets) {
        this.history = history;
        this.targets = targets;
        thread.setDaemon(true);
    }

    /** Lets the process of a service take edits and erasures from clients with the key. */
    static Launch keyed(Launch service) throws Exception {
        String hash = ApiKeyHash.of(KEY);
        return service.with("COMMENTS_API_KEYS", "trial:" + hash + ":post+read+change");
    }

    Changes start(int perSecond) {
        pauseNanos = Duration.ofSeconds(1).toNanos() / perSecond;
        thread.start();
        return this;
    }

    private void run() {
        for (int number = 0; !stopped; number++) {
            List<UUID> promised = history.attempts().stream().flatMap(attempt -> attempt.ids().stream()).toList();
            List<URI> all = targets.get();
            if (!promised.isEmpty() && !all.isEmpty()) {
                UUID id = promised.get(promised.size() - 1 - random.nextInt(Math.min(LATEST, promised.size())));
                change(URI.create(all.get(number % all.size()) + "/" + id), id,
                        random.nextInt(4) == 0 ? null : "Edit " + number + " of " + id);
            }
            LockSupport.parkNanos(pauseNanos);
        }
    }

    /** Edits a comment once, or erases it if there is no content, and notes what came of it. */
    void change(URI comment, UUID id, String content) {
        HttpRequest.Builder request = HttpRequest.newBuilder(comment).timeout(REQUEST_TIMEOUT)
                .header("Content-Type", "application/json").header("Authorization", "Bearer " + KEY);
        Outcome outcome = Outcome.UNKNOWN;
        try {
            request.method(content == null ? "DELETE" : "PATCH", content == null ? BodyPublishers.noBody()
                    : BodyPublishers.ofString(JSON.writeValueAsString(Map.of("content", content))));
            int status = client.send(request.build(), BodyHandlers.discarding()).statusCode();
            outcome = status == 202 ? Outcome.OK : status < 500 ? Outcome.REFUSED : Outcome.UNKNOWN;
        } catch (Exception e) {
            // it may be done or not
        }
        add(id, new Change(content, outcome));
    }

    void add(UUID id, Change change) {
        changes.computeIfAbsent(id, key -> new ArrayList<>()).add(change);
    }

    /** How many changes were promised until now. */
    long ok() {
        synchronized (changes) {
            return changes.values().stream().flatMap(List::stream).filter(change -> change.outcome() == Outcome.OK).count();
        }
    }

    /**
     * The rows as they were posted, for the checker. A row that is not as its changes demand is told to the verdict.
     *
     * @param violations gets each such row
     */
    List<Row> asPosted(List<Row> rows, List<String> violations) {
        Map<UUID, Posted> posted = new HashMap<>();
        history.ids().forEach((comment, ids) -> ids.forEach(id -> posted.put(id, comment)));
        return rows.stream().map(row -> {
            List<Change> made = changes.getOrDefault(row.id(), List.of());
            Posted original = posted.get(row.id());
            if (made.isEmpty() || original == null) {
                return row;
            }
            if (!isRight(row.comment(), original, made)) {
                violations.add(row.id() + " has " + row.comment() + " by '" + row.comment().userName() + "' after " + made);
            }
            return new Row(row.id(), original);
        }).toList();
    }

    private static boolean isRight(Posted found, Posted original, List<Change> made) {
        Posted erased = new Posted(original.postId(), "", "", "", original.parentId());
        boolean mustBeErased = made.stream().anyMatch(change -> change.content() == null && change.outcome() == Outcome.OK);
        boolean mayBeErased = made.stream().anyMatch(change -> change.content() == null && change.outcome() != Outcome.REFUSED);
        if (mustBeErased || mayBeErased && found.equals(erased)) {
            return found.equals(erased);
        }
        List<String> possible = new ArrayList<>(List.of(original.content()));
        for (Change change : made) {
            if (change.content() != null && change.outcome() == Outcome.OK) {
                possible.clear();
            }
            if (change.content() != null && change.outcome() != Outcome.REFUSED) {
                possible.add(change.content());
            }
        }
        return possible.contains(found.content()) && found.equals(new Posted(original.postId(), original.userId(), original.userName(),
                found.content(), original.parentId()));
    }

    /** Ends when the client has its last answer. */
    @Override
    public void close() {
        stopped = true;
        try {
            LockSupport.unpark(thread);
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
