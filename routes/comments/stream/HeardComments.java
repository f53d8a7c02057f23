package comments.stream;

import comments.http.ServerSentEvent;
import comments.http.SseClients;
import comments.model.NotificationReader;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Which comments of one pushed batch somebody listens for, and what is told of them: to the listeners of a post each of its
 * comments, to those of all posts the latest few; and to each how many there were.
 *
 * <p>It is bounded whatever the batch holds: {@value #MOST} comments are read from the database at most, {@value #MOST_OF_POST}
 * of a post, and a listener gets {@value #MOST_BYTES} bytes of them, or a comment more.
 */
public final class HeardComments {

    /** The exchange property that holds them while they are read. */
    static final String PROPERTY = "heard";

    /** How much a listener gets at once, in bytes. */
    static final int MOST_BYTES = 256 << 10;

    private static final int LATEST = 20;
    private static final int MOST = 5_000;
    private static final int MOST_OF_POST = 500;

    // of each post, and of all of them
    private final Map<String, Integer> counts = new HashMap<>();
    private final Set<String> ids = new LinkedHashSet<>();
    private final Set<String> latest = new HashSet<>();
    private int posts;

    private HeardComments() {
    }

    /**
     * Picks them.
     *
     * @param notification a JSON array of comments
     * @param listenedTo the posts that somebody listens to, which may change meanwhile
     * @throws IOException what {@link NotificationReader} throws
     */
    static HeardComments of(byte[] notification, Set<String> listenedTo) throws IOException {
        HeardComments heard = new HeardComments();
        if (listenedTo.isEmpty()) {
            return heard;
        }
        boolean all = listenedTo.contains(SseClients.ALL);
        Set<String> postsOfBatch = new HashSet<>();
        Deque<String> last = new ArrayDeque<>();
        NotificationReader.read(notification, (id, post) -> {
            heard.hear(id, post, listenedTo);
            if (all && id != null) {
                postsOfBatch.add(post);
                heard.counts.merge(SseClients.ALL, 1, Integer::sum);
                last.addLast(id);
                if (last.size() > LATEST) {
                    last.removeFirst();
                }
            }
        });
        heard.posts = postsOfBatch.size();
        heard.latest.addAll(last);
        heard.ids.addAll(last);
        return heard;
    }

    // a foreign producer may leave out the id: then nothing tells which row it is
    private void hear(String id, String post, Set<String> listenedTo) {
        if (id != null && post != null && !post.isEmpty() && listenedTo.contains(post)) {
            if (counts.merge(post, 1, Integer::sum) <= MOST_OF_POST && ids.size() < MOST) {
                ids.add(id);
            }
        }
    }

    /** How many are to be read. */
    public int size() {
        return ids.size();
    }

    /** The parameters of the statement in select-heard.sql. */
    public Map<String, Object> parameters() {
        return Map.of("ids", ids.stream().map(id -> '"' + id + '"').collect(Collectors.joining(",", "[", "]")));
    }

    /**
     * What is told, by post.
     *
     * @param rows what was read; none if the database was away
     */
    Map<String, Buffer> events(List<Map<String, Object>> rows) {
        Map<String, Buffer> events = new HashMap<>();
        Map<String, Integer> shown = new HashMap<>();
        counts.keySet().forEach(post -> events.put(post, Buffer.buffer()));
        for (Map<String, Object> row : rows) {
            String event = event(row);
            String post = (String) row.get("post_id");
            if (counts.containsKey(post)) {
                add(post, event, events, shown);
            }
            if (latest.contains(row.get("id").toString())) {
                add(SseClients.ALL, event, events, shown);
            }
        }
        events.forEach((post, text) -> text.appendString(
                ServerSentEvent.of("batch", "{\"comments\":%d,\"posts\":%d,\"shown\":%d}".formatted(counts.get(post),
                        post.equals(SseClients.ALL) ? posts : 1, shown.getOrDefault(post, 0)))));
        return events;
    }

    private static void add(String post, String event, Map<String, Buffer> events, Map<String, Integer> shown) {
        Buffer text = events.get(post);
        if (text.length() < MOST_BYTES) {
            text.appendString(event);
            shown.merge(post, 1, Integer::sum);
        }
    }

    /** The event of a comment, from a row of select-heard.sql or select-missed.sql. */
    static String event(Map<String, Object> row) {
        return ServerSentEvent.of("comment", (Long) row.get("written"), (String) row.get("comment"));
    }
}
