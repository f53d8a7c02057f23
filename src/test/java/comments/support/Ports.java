package comments.support;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Ports on loopback for what the tests start. They are below those that the kernel gives to clients, and each of the JVMs that
 * run tests at the same time has its own, so that a port is still free when the process that is given it listens.
 */
public final class Ports {

    private static final int FIRST = 10_000;
    private static final int LAST = 31_999;
    private static final int JVMS = 8;
    private static final int JVM = Integer.getInteger("tests.jvm", 0) % JVMS;
    private static final Set<Integer> FOUND = ConcurrentHashMap.newKeySet();

    private Ports() {
    }

    /** Finds one that nothing listens on, and never the same twice. */
    public static int find() {
        while (true) {
            int port = FIRST + JVMS * ThreadLocalRandom.current().nextInt((LAST - FIRST) / JVMS) + JVM;
            if (isFree(port) && FOUND.add(port)) {
                return port;
            }
        }
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return socket.isBound();
        } catch (IOException e) {
            return false;
        }
    }
}
