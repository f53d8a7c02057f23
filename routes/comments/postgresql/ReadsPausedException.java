package comments.postgresql;

import java.sql.SQLTransientConnectionException;

/**
 * A read was refused without a try, because no connection was to be had in the second before.
 *
 * <p>While the database is away, every read throws it: it has no stack trace.
 */
public class ReadsPausedException extends SQLTransientConnectionException {

    private static final long serialVersionUID = 1L;

    public ReadsPausedException() {
        super("The database was away a moment ago");
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
        return this;
    }
}
