package comments.stream;

import comments.http.ServerSentEvent;
import comments.http.SseClients;
import comments.model.NotificationReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Selects the comments of a notification, a JSON array of comments, that clients subscribe to. Leaves the {@link Selection}
 * in the exchange property {@link #PROPERTY}.
 *
 * <p>Any number of threads may call it. It never fails, because the broker would deliver the message again at once, for ever.
 */
public class SelectSubscribed implements Processor {

    /** The exchange property that holds the {@link Selection} while its comments are read. */
    static final String PROPERTY = "subscribed";

    private SseClients clients;

    /** The clients of the stream. */
    public void setClients(SseClients clients) {
        this.clients = clients;
    }

    @Override
    public void process(Exchange exchange) {
        exchange.setProperty(PROPERTY, Selection.of(exchange.getMessage().getBody(byte[].class), clients.topics()));
    }

    /**
     * The event of a comment, from a row of select-heard.sql or select-missed.sql. That of a change has no id, because its comment may
     * be older than the last event.
     *
     * @param changed whether the comment was there before
     */
    static String event(Map<String, Object> row, boolean changed) {
        String comment = (String) row.get("comment");
        if (Boolean.TRUE.equals(row.get("erased"))) {
            return ServerSentEvent.of("erased", comment);
        }
        return changed ? ServerSentEvent.of("edited", comment) : ServerSentEvent.of("comment", id(row), comment);
    }

    /** The event that tells how many comments and changes were missed and are shown, and whether there are more. */
    static String missed(int shown, boolean more) {
        return ServerSentEvent.of("missed", "{\"shown\":%d,\"more\":%b}".formatted(shown, more));
    }

    /** The id of this event: when the database wrote the comment, by its own clock, in microseconds since 1970. */
    static long id(Map<String, Object> row) {
        return (Long) row.get("written");
    }

    /**
     * The comments of one pushed batch that clients subscribe to, and their events. Clients of a post get each of its comments.
     * Clients of all posts get the latest few. Both get the number of comments.
     *
     * <p>Limits for any size of the batch: at most {@value #MAX_COMMENTS} comments are read from the database,
     * {@value #MAX_OF_POST} of one post. A client gets {@value #MAX_BYTES} bytes of them, plus the rest of the last comment.
     */
    public static final class Selection {

        static final int MAX_BYTES = 256 << 10;

        private static final int LATEST = 20;
        private static final int MAX_COMMENTS = 5_000;
        private static final int MAX_OF_POST = 500;

        // by post, and of all posts
        private final Map<String, Integer> counts = new HashMap<>();
        private final Set<String> ids = new LinkedHashSet<>();
        private final Set<String> latest = new HashSet<>();
        private int posts;
        private final Set<String> erased = new HashSet<>();
        // a notification is of new comments, or of changes
        private boolean changes;

        private Selection() {
        }

        /**
         * Selects comments.
         *
         * @param topics the posts that clients subscribe to; may change meanwhile
         */
        static Selection of(byte[] notification, Set<String> topics) {
            Selection selection = new Selection();
            if (topics.isEmpty()) {
                return selection;
            }
            boolean all = topics.contains(SseClients.ALL);
            Set<String> postsOfBatch = new HashSet<>();
            Deque<String> last = new ArrayDeque<>();
            NotificationReader.read(notification, (id, post, change) -> {
                selection.changes |= change != null;
                if ("erased".equals(change)) {
                    selection.erased.add(id);
                }
                selection.add(id, post, topics);
                if (all && id != null) {
                    postsOfBatch.add(post);
                    selection.counts.merge(SseClients.ALL, 1, Integer::sum);
                    last.addLast(id);
                    if (last.size() > LATEST) {
                        last.removeFirst();
                    }
                }
            });
            selection.posts = postsOfBatch.size();
            selection.latest.addAll(last);
            selection.ids.addAll(last);
            return selection;
        }

        // a message of another producer may have no id: then its row can't be found
        private void add(String id, String post, Set<String> topics) {
            if (id != null && post != null && !post.isEmpty() && topics.contains(post)) {
                if (counts.merge(post, 1, Integer::sum) <= MAX_OF_POST && ids.size() < MAX_COMMENTS) {
                    ids.add(id);
                }
            }
        }

        /** The number of comments to read. */
        public int size() {
            return ids.size();
        }

        /** The parameters of the statement in select-heard.sql. */
        public Map<String, Object> parameters() {
            return Map.of("ids", ids.stream().map(id -> '"' + id + '"').collect(Collectors.joining(",", "[", "]")));
        }

        /**
         * The text of the events for each topic. Clients that do not get all changes are told to read the list again. A replica that is late
         * may still have the text of an erased comment: it is left out.
         *
         * @param rows the comments that were read; none if the database was not reachable
         */
        Map<String, String> events(List<Map<String, Object>> rows) {
            Map<String, Text> texts = new HashMap<>();
            counts.keySet().forEach(topic -> texts.put(topic, new Text()));
            for (Map<String, Object> row : rows) {
                if (erased.contains(row.get("id").toString()) && !Boolean.TRUE.equals(row.get("erased"))) {
                    continue;
                }
                String event = event(row, changes);
                String post = (String) row.get("post_id");
                if (counts.containsKey(post)) {
                    texts.get(post).add(event);
                }
                if (latest.contains(row.get("id").toString())) {
                    texts.get(SseClients.ALL).add(event);
                }
            }
            Map<String, String> events = new HashMap<>();
            texts.forEach((topic, text) -> events.put(topic, text.events + (changes ? missed(counts.get(topic), text.shown)
                    : ServerSentEvent.of("batch", "{\"comments\":%d,\"posts\":%d,\"shown\":%d}".formatted(counts.get(topic),
                            topic.equals(SseClients.ALL) ? posts : 1, text.shown)))));
            return events;
        }

        private static String missed(int count, int shown) {
            return shown == count ? "" : SelectSubscribed.missed(shown, true);
        }

        /** Events of comments, up to the limit. */
        private static final class Text {

            private final StringBuilder events = new StringBuilder();
            private int bytes;
            private int shown;

            void add(String event) {
                if (bytes < MAX_BYTES) {
                    events.append(event);
                    bytes += event.getBytes(StandardCharsets.UTF_8).length;
                    shown++;
                }
            }
        }
    }
}
