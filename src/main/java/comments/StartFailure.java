package comments;

import comments.settings.ConfigurationException;
import comments.settings.ServerCheck;
import org.slf4j.LoggerFactory;

/** Reports in one line why the process could not start: on standard error, or in the log if its format is JSON. */
final class StartFailure {

    private StartFailure() {
    }

    static void report(String reason) {
        if (LogFormat.isJson()) {
            LoggerFactory.getLogger(StartFailure.class).error(reason);
        } else {
            System.err.println("comment-service: " + reason);
        }
    }

    static String describe(Throwable failure) {
        Throwable root = failure;
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof ConfigurationException) {
                return cause.getMessage();
            }
            root = cause;
        }
        return ServerCheck.rootMessage(root);
    }
}
