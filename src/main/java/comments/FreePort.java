package comments;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Finds free ports on loopback. */
public final class FreePort {

    private static final Set<Integer> FOUND = ConcurrentHashMap.newKeySet();

    private FreePort() {
    }

    /** Returns a free port, and never the same twice: the process that it is for may not listen yet. */
    public static int find() throws IOException {
        while (true) {
            try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                if (FOUND.add(socket.getLocalPort())) {
                    return socket.getLocalPort();
                }
            }
        }
    }
}
