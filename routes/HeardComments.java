package comments;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
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
 * <p>It is bounded whatever the batch holds: {@value #MOST} comments are read from the database at most, and a listener gets
 * {@value #MOST_BYTES} bytes of them, or a comment more.
 */
public final class HeardComments {

    /** The exchange property that holds them while they are read. */
    static final String PROPERTY = "heard";

    /** How much a listener gets at once, in bytes of ASCII. */
    static final int MOST_BYTES = 256 << 10;

    private static final int LATEST = 20;
    private static final int MOST = 500;
    private static final JsonFactory JSON = new JsonFactory();

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
     * @throws IOException if it is no such array
     */
    static HeardComments of(byte[] notification, Set<String> listenedTo) throws IOException {
        HeardComments heard = new HeardComments();
        boolean all = listenedTo.contains(Listeners.ALL);
        Set<String> postsOfBatch = new HashSet<>();
        Deque<String> last = new ArrayDeque<>();
        try (JsonParser parser = JSON.createParser(notification)) {
            parser.nextToken();
            while (parser.nextToken() == JsonToken.START_OBJECT) {
                String id = null;
                String post = null;
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    String field = parser.currentName();
                    JsonToken value = parser.nextToken();
                    if (value == JsonToken.VALUE_STRING && field.equals("id")) {
                        id = parser.getText();
                    } else if (value == JsonToken.VALUE_STRING && field.equals("postId")) {
                        post = parser.getText();
                    } else {
                        parser.skipChildren();
                    }
                }
                heard.hear(id, post, listenedTo);
                if (all && id != null) {
                    postsOfBatch.add(post);
                    heard.counts.merge(Listeners.ALL, 1, Integer::sum);
                    last.addLast(id);
                    if (last.size() > LATEST) {
                        last.removeFirst();
                    }
                }
            }
        }
        heard.posts = postsOfBatch.size();
        heard.latest.addAll(last);
        heard.ids.addAll(last);
        return heard;
    }

    // a foreign producer may leave out the id: then nothing tells which row it is
    private void hear(String id, String post, Set<String> listenedTo) {
        if (id != null && post != null && !post.isEmpty() && listenedTo.contains(post)) {
            counts.merge(post, 1, Integer::sum);
            if (ids.size() < MOST) {
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
        Map<String, StringBuilder> events = new HashMap<>();
        Map<String, Integer> shown = new HashMap<>();
        counts.keySet().forEach(post -> events.put(post, new StringBuilder()));
        for (Map<String, Object> row : rows) {
            String event = event(row);
            String post = (String) row.get("post_id");
            if (counts.containsKey(post)) {
                add(post, event, events, shown);
            }
            if (latest.contains(row.get("id").toString())) {
                add(Listeners.ALL, event, events, shown);
            }
        }
        return counts.keySet().stream().collect(Collectors.toMap(post -> post, post -> Buffer.buffer(events.get(post).append(
                ServerSentEvent.of("batch", "{\"comments\":%d,\"posts\":%d,\"shown\":%d}".formatted(counts.get(post),
                        post.equals(Listeners.ALL) ? posts : 1, shown.getOrDefault(post, 0)))).toString())));
    }

    private static void add(String post, String event, Map<String, StringBuilder> events, Map<String, Integer> shown) {
        StringBuilder text = events.get(post);
        if (text.length() < MOST_BYTES) {
            text.append(event);
            shown.merge(post, 1, Integer::sum);
        }
    }

    /** The event of a comment, from a row of select-heard.sql or select-missed.sql. */
    static String event(Map<String, Object> row) {
        return ServerSentEvent.of("comment", (Long) row.get("written"), (String) row.get("comment"));
    }
}
