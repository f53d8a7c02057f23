package comments;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A port on loopback that nobody listens on. */
public final class FreePort {

    private static final Set<Integer> FOUND = ConcurrentHashMap.newKeySet();

    private FreePort() {
    }

    /** Finds one, and never the same twice: who was given it first may not listen yet. */
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
