package comments.http;

import java.util.regex.Pattern;

/** The text of server-sent events, as the HTML standard has them. */
public final class ServerSentEvent {

    /** A comment, which tells the client and the proxies before it that the connection is used. */
    static final String HEARTBEAT = ":\n\n";

    private static final Pattern LINE_END = Pattern.compile("\r\n|\r|\n");

    private ServerSentEvent() {
    }

    /** An event of a kind. Each line of the data is a field of its own, so that data can't end the event. */
    public static String of(String kind, String data) {
        return "event: " + kind + "\ndata: " + LINE_END.matcher(data).replaceAll("\ndata: ") + "\n\n";
    }

    /** An event with an id, which the client repeats as Last-Event-ID when it comes back. */
    public static String of(String kind, long id, String data) {
        return "id: " + id + "\n" + of(kind, data);
    }
}
