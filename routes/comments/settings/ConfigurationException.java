package comments.settings;

/**
 * A wrong or missing setting. The message names the setting and what would be right, in one line, without secrets. There is
 * no stack trace: nothing in the code is wrong.
 */
public class ConfigurationException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public ConfigurationException(String message) {
        super(message, null, false, false);
    }
}
