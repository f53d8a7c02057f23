package comments.postgresql;

import java.sql.SQLTransientConnectionException;

/**
 * No connection for a read, since none was to be had a moment ago.
 *
 * <p>It is thrown at any rate while the database is away, so it carries no stack trace.
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
