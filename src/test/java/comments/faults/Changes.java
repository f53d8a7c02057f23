package comments.faults;

import com.fasterxml.jackson.databind.ObjectMapper;
import comments.faults.Attempt.Outcome;
import comments.faults.Checker.Row;
import comments.support.ApiKeyHash;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.junit.jupiter.api.function.Executable;

/**
 * A client that edits and erases comments as soon as they are promised, one after the other, and some of them again, or all of a user;
 * and what must become of each. What it does not know was done may be done or not.
 */
final class Changes implements AutoCloseable {

    /** The API key that every request has; only a {@link #keyed} process asks for it. */
    static final String KEY = "key-of-the-trial";

    /** One change; without a content, it is an erasure. */
    record Change(String content, Outcome outcome) {
    }

    /** One erasure of all comments of a user. */
    record UserErasure(String userId, Instant sent, Instant answered, Outcome outcome) {
    }

    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(10);
    private static final int LATEST = 100;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Map<UUID, List<Change>> changes = Collections.synchronizedMap(new LinkedHashMap<>());
    private final List<UserErasure> userErasures = Collections.synchronizedList(new ArrayList<>());
    private final HttpClient client = HttpClient.newHttpClient();
    private final AtomicInteger unanswered = new AtomicInteger();
    private final Random random = new Random(1);
    private final History history;
    private final Supplier<List<URI>> targets;
    private final Thread thread = new Thread(this::run, "changes");
    private final Object turn = new Object();
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
            List<UUID> promised = promised();
            List<URI> all = targets.get();
            if (!promised.isEmpty() && !all.isEmpty()) {
                UUID id = promised.get(promised.size() - 1 - random.nextInt(Math.min(LATEST, promised.size())));
                synchronized (turn) {
                    change(URI.create(all.get(number % all.size()) + "/" + id), id,
                            random.nextInt(4) == 0 ? null : "Edit " + number + " of " + id);
                }
            }
            LockSupport.parkNanos(pauseNanos);
        }
    }

    private List<UUID> promised() {
        return history.attempts().stream().flatMap(attempt -> attempt.ids().stream()).toList();
    }

    /** Runs an action while none of the changes that go on is on its way. */
    void betweenChanges(Executable action) throws Throwable {
        synchronized (turn) {
            action.execute();
        }
    }

    /** Edits a comment that has no change yet. */
    void editFresh(String content) {
        List<UUID> fresh = promised().stream().filter(id -> !changes.containsKey(id)).toList();
        UUID id = fresh.get(fresh.size() - 1);
        change(URI.create(targets.get().get(0) + "/" + id), id, content);
    }

    /** Edits a comment once, or erases it if there is no content, and notes what came of it. */
    void change(URI comment, UUID id, String content) {
        HttpRequest.Builder request = HttpRequest.newBuilder(comment).timeout(REQUEST_TIMEOUT)
                .header("Content-Type", "application/json").header("Authorization", "Bearer " + KEY);
        add(id, new Change(content, send(request.method(content == null ? "DELETE" : "PATCH", content == null ? BodyPublishers.noBody()
                : BodyPublishers.ofString(JSON.createObjectNode().put("content", content).toString())))));
    }

    /** Erases all comments of a user once. */
    void eraseUser(String userId) {
        Instant sent = Instant.now();
        Outcome outcome = send(HttpRequest.newBuilder(targets.get().get(0).resolve("/users/" + userId + "/comments")).timeout(REQUEST_TIMEOUT)
                .header("Authorization", "Bearer " + KEY).DELETE());
        userErasures.add(new UserErasure(userId, sent, Instant.now(), outcome));
    }

    private Outcome send(HttpRequest.Builder request) {
        try {
            int status = client.send(request.build(), BodyHandlers.discarding()).statusCode();
            return status == 202 ? Outcome.OK : status < 500 ? Outcome.REFUSED : Outcome.UNKNOWN;
        } catch (ConnectException | HttpConnectTimeoutException e) {
            return Outcome.REFUSED;
        } catch (Exception e) {
            // it may be done or not
            unanswered.incrementAndGet();
            return Outcome.UNKNOWN;
        }
    }

    /** Whether all comments of any user were erased. */
    boolean anyUserErased() {
        return !userErasures.isEmpty();
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

    /** How many changes were sent and got no answer until now. */
    int unanswered() {
        return unanswered.get();
    }

    /**
     * The rows as they were posted, for the checker. A row that is not as its changes demand is told to the verdict.
     *
     * @param violations gets each such row
     */
    List<Row> asPosted(List<Row> rows, List<String> violations) {
        Map<UUID, Posted> posted = new HashMap<>();
        history.ids().forEach((comment, ids) -> ids.forEach(id -> posted.put(id, comment)));
        Map<Posted, Instant> begun = new HashMap<>();
        Map<Posted, Instant> promised = new HashMap<>();
        for (Attempt attempt : history.attempts()) {
            for (Posted comment : attempt.comments()) {
                begun.merge(comment, attempt.at(), Changes::earlier);
                if (attempt.outcome() == Outcome.OK) {
                    promised.merge(comment, attempt.ended(), Changes::earlier);
                }
            }
        }
        return rows.stream().map(row -> {
            List<Change> made = new ArrayList<>(changes.getOrDefault(row.id(), List.of()));
            Posted original = posted.get(row.id());
            if (original != null) {
                userErasures.stream().filter(erasure -> erasure.userId().equals(original.userId()) && erasure.outcome() != Outcome.REFUSED
                        && begun.get(original).isBefore(erasure.answered()))
                        .forEach(erasure -> made.add(new Change(null,
                                promised.get(original).isBefore(erasure.sent()) ? erasure.outcome() : Outcome.UNKNOWN)));
            }
            if (made.isEmpty() || original == null) {
                return row;
            }
            if (!isRight(row.comment(), original, made)) {
                violations.add(row.id() + " has " + row.comment() + " by '" + row.comment().userName() + "' after " + made);
            }
            return new Row(row.id(), original, row.erased());
        }).toList();
    }

    private static Instant earlier(Instant one, Instant other) {
        return one.isBefore(other) ? one : other;
    }

    /**
     * The changed comments that nobody was told of.
     *
     * @param changed how each was changed last
     * @param told the kinds of change that were pushed of each
     */
    static List<String> untold(Map<UUID, String> changed, Map<UUID, Set<String>> told) {
        return changed.entrySet().stream().filter(row -> !told.getOrDefault(row.getKey(), Set.of()).contains(row.getValue()))
                .map(row -> row.getKey() + " was " + row.getValue() + ", and only " + told.get(row.getKey()) + " was pushed").toList();
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
