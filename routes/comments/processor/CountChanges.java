package comments.processor;

import comments.model.Comment;
import comments.observe.PipelineMetrics;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;

/**
 * Counts what apply-changes.sql or apply-waiting-changes.sql did, from its one row. The body becomes the notification of the comments
 * that changed, in UTF-8, or null if there are none. The exchange property {@link #CHANGED} has their number, {@link #QUARANTINED} the number
 * of changes that waited for too long, {@link #SETTLED} the JSON of those that need not wait any more, or null.
 */
public class CountChanges implements Processor {

    /** The exchange property that has the number of comments that changed. */
    public static final String CHANGED = "changed";
    /** The exchange property that has the number of changes that waited for too long. */
    public static final String QUARANTINED = "quarantined";

    /** The exchange property that has the changes that need not wait any more, for end-waiting-changes.sql. */
    public static final String SETTLED = "settled";

    @Override
    @SuppressWarnings("unchecked")
    public void process(Exchange exchange) {
        Message message = exchange.getMessage();
        Map<String, Object> row = (Map<String, Object>) message.getBody(List.class).get(0);
        int edited = number(row, "edited");
        int erased = number(row, "erased");
        PipelineMetrics.changed(edited, erased);
        if (row.containsKey("waiting")) {
            PipelineMetrics.changesWaiting(number(row, "waiting"), ((Number) row.get("waiting_seconds")).doubleValue());
        }
        exchange.setProperty(CHANGED, edited + erased);
        exchange.setProperty(QUARANTINED, number(row, "quarantined"));
        exchange.setProperty(SETTLED, row.get("settled"));
        message.removeHeaders("*");
        message.setHeader(Comment.COUNT_HEADER, edited + erased);
        String notification = (String) row.get("notification");
        message.setBody(notification == null ? null : notification.getBytes(StandardCharsets.UTF_8));
    }

    private static int number(Map<String, Object> row, String column) {
        return ((Number) row.getOrDefault(column, 0)).intValue();
    }
}
