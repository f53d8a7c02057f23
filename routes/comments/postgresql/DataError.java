package comments.postgresql;

import java.nio.charset.CharacterCodingException;
import java.sql.SQLException;
import java.util.Set;
import org.apache.camel.Exchange;
import org.apache.camel.Predicate;

/**
 * Whether an exchange failed because of what is in its comments, so that trying again could never help. That is so if the
 * SQLSTATE is of class 22 (data exception), 23 (integrity constraint violation) or 54 (program limit exceeded: JSON nested
 * too deeply), or if the text is not UTF-8. Everything else is taken for a fault that will pass.
 *
 * <p>Any number of threads may call it.
 *
 * @see <a href="https://www.postgresql.org/docs/current/errcodes-appendix.html">PostgreSQL Error Codes</a>
 */
public class DataError implements Predicate {

    private static final Set<String> CLASSES = Set.of("22", "23", "54");
    private static final String CHARACTER_NOT_IN_REPERTOIRE = "22021";

    @Override
    public boolean matches(Exchange exchange) {
        return CLASSES.contains(sqlState(exchange.getException()).substring(0, 2));
    }

    /** The SQLSTATE of a failure, or five zeros if it does not come from the database. */
    public static String sqlState(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException sql && sql.getSQLState() != null && sql.getSQLState().length() == 5) {
                return sql.getSQLState();
            }
            if (cause instanceof CharacterCodingException) {
                return CHARACTER_NOT_IN_REPERTOIRE;
            }
        }
        return "00000";
    }
}
