package comments.reader;

import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Predicate;

/**
 * Whether the rows of a page are still to be read by size: nothing is read yet, or a text of a row is missing, because it is larger
 * than a comment's share of the page. Any number of threads may call it.
 */
public class HasLargeComments implements Predicate {

    @Override
    public boolean matches(Exchange exchange) {
        if (!(exchange.getMessage().getBody() instanceof List<?> rows)) {
            return true;
        }
        for (Object each : rows) {
            Map<?, ?> row = (Map<?, ?>) each;
            if (row.get("content") == null || row.get("user_name") == null || row.get("user_id") == null || row.get("post_id") == null) {
                return true;
            }
        }
        return false;
    }
}
