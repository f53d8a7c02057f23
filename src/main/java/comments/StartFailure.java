package comments;

/** Says in one line why the process could not start. */
final class StartFailure {

    private StartFailure() {
    }

    static String describe(Throwable failure) {
        Throwable root = failure;
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof ConfigurationException) {
                return cause.getMessage();
            }
            root = cause;
        }
        return rootMessage(root);
    }

    /** The first line of what the first cause says. */
    static String rootMessage(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        String message = root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
        return message.lines().findFirst().orElse(message);
    }
}
