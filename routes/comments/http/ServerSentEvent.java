package comments.http;

import java.util.regex.Pattern;

/** The text of server-sent events, as the HTML standard defines them. */
public final class ServerSentEvent {

    /** A comment of the protocol: keeps the client and proxies from closing an idle connection. */
    static final String HEARTBEAT = ":\n\n";

    private static final Pattern LINE_END = Pattern.compile("\r\n|\r|\n");

    private ServerSentEvent() {
    }

    /** An event of a kind. Each line of the data becomes a field, so that data can't end the event. */
    public static String of(String kind, String data) {
        return "event: " + kind + "\ndata: " + LINE_END.matcher(data).replaceAll("\ndata: ") + "\n\n";
    }

    /** An event with an id, which the client repeats as Last-Event-ID when it reconnects. */
    public static String of(String kind, long id, String data) {
        return "id: " + id + "\n" + of(kind, data);
    }
}
