package comments.faults;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import comments.faults.Attempt.Outcome;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * Callers who post comments, each its own, and file what came of it: most of them one comment, some a list, some with an
 * Idempotency-Key, who try again when they don't know what became of it.
 *
 * <p>The callers start at once, and post together as many requests a second as wanted, or as many as are answered when that
 * is fewer.
 */
final class Workload implements AutoCloseable {

    /** No limit to the rate. */
    static final int UNPACED = Integer.MAX_VALUE;

    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration RETRY_PAUSE = Duration.ofMillis(200);
    private static final int MOST_ATTEMPTS = 5;
    private static final String REFUSAL = "Nothing is accepted";
    private static final ObjectMapper JSON = new ObjectMapper();

    // contents must differ between the workloads of a test, too
    private static final AtomicLong NUMBERS = new AtomicLong();

    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5)).build();
    private final History history;
    private final Supplier<List<URI>> targets;
    private final AtomicLong tickets = new AtomicLong();
    private final long startNanos = System.nanoTime();
    private final long intervalNanos;
    private final List<Thread> callers = new ArrayList<>();
    private volatile boolean stopped;

    /**
     * Starts callers.
     *
     * @param targets where to post, asked before each request; one of them is taken in turn
     * @param perSecond how many requests a second in all
     */
    Workload(History history, Supplier<List<URI>> targets, int callers, int perSecond) {
        this.history = history;
        this.targets = targets;
        intervalNanos = perSecond == UNPACED ? 0 : Duration.ofSeconds(1).toNanos() / perSecond;
        for (int i = 0; i < callers; i++) {
            Thread caller = new Thread(this::call, "caller-" + i);
            caller.setDaemon(true);
            this.callers.add(caller);
            caller.start();
        }
    }

    private void call() {
        while (!stopped) {
            long ticket = tickets.getAndIncrement();
            long due = startNanos + ticket * intervalNanos;
            while (!stopped && System.nanoTime() < due) {
                LockSupport.parkNanos(due - System.nanoTime());
            }
            if (!stopped) {
                post();
            }
        }
    }

    private void post() {
        long number = NUMBERS.incrementAndGet();
        Random random = new Random(number);
        List<Posted> comments = new ArrayList<>(List.of(Posted.number(number)));
        boolean list = random.nextInt(10) == 0;
        for (int more = list ? random.nextInt(20) : 0; more > 0; more--) {
            comments.add(Posted.number(NUMBERS.incrementAndGet()));
        }
        String key = random.nextInt(3) == 0 ? "key-" + number : null;
        for (int attempts = 0; attempts < MOST_ATTEMPTS; attempts++) {
            List<URI> all = targets.get();
            if (all.isEmpty()) {
                return;
            }
            Attempt attempt = post(all.get((int) ((number + attempts) % all.size())), comments, list, key);
            history.add(attempt);
            if (attempt.outcome() != Outcome.UNKNOWN || key == null || stopped) {
                return;
            }
            LockSupport.parkNanos(RETRY_PAUSE.toNanos());
        }
    }

    private Attempt post(URI target, List<Posted> comments, boolean list, String key) {
        ArrayNode array = JSON.createArrayNode();
        comments.forEach(comment -> array.add(comment.json()));
        return post(client, target, (list ? array : array.get(0)).toString(), comments, key);
    }

    /** Posts one comment once, and files it. */
    static Attempt postOne(History history, URI target) {
        Posted comment = Posted.number(NUMBERS.incrementAndGet());
        Attempt attempt = post(HttpClient.newHttpClient(), target, comment.json().toString(), List.of(comment), null);
        history.add(attempt);
        return attempt;
    }

    /** Posts once. */
    static Attempt post(HttpClient client, URI target, String body, List<Posted> comments, String key) {
        HttpRequest.Builder request = HttpRequest.newBuilder(target).timeout(REQUEST_TIMEOUT)
                .header("Content-Type", "application/json").header("Authorization", "Bearer " + Changes.KEY)
                .POST(BodyPublishers.ofString(body));
        if (key != null) {
            request.header("Idempotency-Key", key);
        }
        Instant at = Instant.now();
        long start = System.nanoTime();
        try {
            HttpResponse<String> answer = client.send(request.build(), BodyHandlers.ofString());
            return filed(at, took(start), key, comments, answer);
        } catch (ConnectException | HttpConnectTimeoutException e) {
            return new Attempt(at, took(start), key, comments, Outcome.REFUSED, 0, List.of(), e.toString());
        } catch (IOException e) {
            return new Attempt(at, took(start), key, comments, Outcome.UNKNOWN, 0, List.of(), e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Attempt(at, took(start), key, comments, Outcome.UNKNOWN, 0, List.of(), e.toString());
        }
    }

    private static Duration took(long start) {
        return Duration.ofNanos(System.nanoTime() - start);
    }

    private static Attempt filed(Instant at, Duration took, String key, List<Posted> comments, HttpResponse<String> answer)
            throws IOException {
        int status = answer.statusCode();
        if (status == 202) {
            return new Attempt(at, took, key, comments, Outcome.OK, status, ids(answer.body()), null);
        }
        boolean refused = status >= 400 && status < 500 || status == 503 && answer.body().contains(REFUSAL);
        String retryAfter = answer.headers().firstValue("Retry-After").map(" Retry-After: "::concat).orElse("");
        return new Attempt(at, took, key, comments, refused ? Outcome.REFUSED : Outcome.UNKNOWN, status, List.of(),
                answer.body() + retryAfter);
    }

    private static List<UUID> ids(String body) throws IOException {
        JsonNode json = JSON.readTree(body);
        List<UUID> ids = new ArrayList<>();
        if (json.has("id")) {
            ids.add(UUID.fromString(json.get("id").asText()));
        }
        json.withArray("ids").forEach(id -> ids.add(UUID.fromString(id.asText())));
        return ids;
    }

    /** Ends when all callers have their last answer. */
    @Override
    public void close() {
        stopped = true;
        try {
            for (Thread caller : callers) {
                LockSupport.unpark(caller);
                caller.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
