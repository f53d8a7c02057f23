package comments.reader;

import comments.http.Callers;
import java.util.Map;
import java.util.Set;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.component.jdbc.JdbcConstants;

/**
 * Makes of {@code GET /comments/{id}} the parameters of select-comment.sql. All headers of the request are removed.
 *
 * <p>Throws {@code InvalidRequestException} for what the contract refuses.
 */
public class CommentQuery implements Processor {

    private Callers callers = new Callers();

    /** Who may read. By default everybody. */
    public void setCallers(Callers callers) {
        this.callers = callers;
    }

    @Override
    public void process(Exchange exchange) throws Exception {
        Message message = exchange.getMessage();
        callers.identify(message);
        ReadRequest request = ReadRequest.of(message, Set.of());
        exchange.setProperty(ReadRequest.PROPERTY, request);
        message.removeHeaders("*");
        message.setHeader(JdbcConstants.JDBC_PARAMETERS, Map.of("id", request.id()));
    }
}
