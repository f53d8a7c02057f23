package comments.load;

import java.net.ConnectException;
import java.net.UnknownHostException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/** What a command can't do: one line, which names the option and its value. */
final class Failure extends Exception {

    private static final long serialVersionUID = 1L;

    Failure(String message) {
        super(message);
    }

    /** With the reason from the cause. */
    Failure(String what, Throwable cause) {
        super(what + ": " + reason(cause), cause);
    }

    /** With an address, and the reason from the cause, which may quote the address: both without a user, a password and options. */
    Failure(String option, String address, Throwable cause) {
        super(option + " " + shown(address) + ": " + reason(cause).replace(address, shown(address)), cause);
    }

    /** An address for a message: without a user, a password and options. */
    static String shown(String address) {
        // an @ after the ? of a JDBC URL belongs to a password; one after the ? of a password belongs to the user info
        String place = address.startsWith("jdbc:") ? withoutOptions(address) : address;
        return withoutOptions(place.replaceFirst("(?s)^([a-z:]+//)?.*@", "$1"));
    }

    private static String withoutOptions(String address) {
        return address.replaceFirst("(?s)\\?.*", "");
    }

    /** Refuses a wrong option, with exit code 2. */
    static void require(CommandSpec spec, boolean right, String option, String takes) {
        if (!right) {
            throw new ParameterException(spec.commandLine(), option + " is wrong, it takes " + takes);
        }
    }

    /** The first line that a cause has to say. */
    static String reason(Throwable failed) {
        if (failed instanceof Failure) {
            return firstLine(failed.getMessage());
        }
        for (Throwable cause = failed; cause != null; cause = cause.getCause()) {
            if (cause instanceof ConnectException) {
                return "nothing listens there";
            }
            if (cause instanceof UnknownHostException || cause instanceof java.nio.channels.UnresolvedAddressException) {
                return "no host has this name";
            }
            if (cause instanceof AccessDeniedException) {
                return "it may not be written";
            }
            if (cause instanceof FileAlreadyExistsException || cause instanceof NotDirectoryException) {
                return "it is no folder";
            }
            if (cause instanceof NoSuchFileException) {
                return "there is no such file";
            }
        }
        for (Throwable cause = failed; cause != null; cause = cause.getCause()) {
            if (cause.getMessage() != null && !cause.getMessage().isBlank()) {
                return firstLine(cause.getMessage());
            }
        }
        return failed.getClass().getSimpleName();
    }

    static String firstLine(String message) {
        return message.lines().findFirst().orElse("");
    }
}
