package comments;

import ch.qos.logback.core.PropertyDefinerBase;

/**
 * The format of the log, {@code json} or {@code text}, from {@code LOG_FORMAT}. Logback reads it long before the settings are
 * checked, so any value other than {@code json} is text here.
 */
public final class LogFormat extends PropertyDefinerBase {

    private static final String SETTING = "LOG_FORMAT";
    private static final String JSON = "json";

    /** Whether each line is a JSON object. */
    static boolean isJson() {
        String set = System.getProperty(SETTING, System.getenv(SETTING));
        return JSON.equals(set == null ? StartChecks.defaults().getProperty(SETTING) : set.strip());
    }

    @Override
    public String getPropertyValue() {
        return isJson() ? JSON : "text";
    }
}
