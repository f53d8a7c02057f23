package comments.http;

/** Keeps the event loop of the HTTP server busy, for tests of other packages. */
public final class BusyEventLoop {

    private BusyEventLoop() {
    }

    /** Runs something on each loop that writes to clients of events; one must be connected. */
    public static void run(SseClients clients, Runnable work) {
        clients.onLoops(work);
    }
}
