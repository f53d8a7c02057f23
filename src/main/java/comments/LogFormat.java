package comments;

import ch.qos.logback.core.PropertyDefinerBase;

/**
 * What the lines of the log look like: {@code json} or {@code text}, as {@code LOG_FORMAT} says. Logback asks long before
 * the knobs are checked, so that whatever is not {@code json} is text here.
 */
public final class LogFormat extends PropertyDefinerBase {

    private static final String KNOB = "LOG_FORMAT";
    private static final String JSON = "json";

    /** Whether each line is to be a JSON object. */
    static boolean isJson() {
        String set = System.getProperty(KNOB, System.getenv(KNOB));
        return JSON.equals(set == null ? StartChecks.defaults().getProperty(KNOB) : set.strip());
    }

    @Override
    public String getPropertyValue() {
        return isJson() ? JSON : "text";
    }
}
