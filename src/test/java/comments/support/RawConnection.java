package comments.support;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.Locale;

/** A connection of a client that sends what it likes, byte for byte. */
public final class RawConnection implements AutoCloseable {

    private static final int TIMEOUT_MILLIS = 10_000;

    private final Socket socket = new Socket();

    private RawConnection() {
    }

    /** Connects to a port of this machine from one of its addresses, such as 127.0.0.2. */
    public static RawConnection open(String from, int port) throws IOException {
        return open(from, port, 0);
    }

    /** Connects with a buffer for so many unread bytes; 0 for the usual one. */
    public static RawConnection open(String from, int port, int receiveBuffer) throws IOException {
        RawConnection connection = new RawConnection();
        if (receiveBuffer > 0) {
            connection.socket.setReceiveBufferSize(receiveBuffer);
        }
        connection.socket.setSoTimeout(TIMEOUT_MILLIS);
        connection.socket.bind(new InetSocketAddress(InetAddress.getByName(from), 0));
        connection.socket.connect(new InetSocketAddress("127.0.0.1", port), TIMEOUT_MILLIS);
        return connection;
    }

    /** A request of POST /comments with a JSON body; headers end with a line break. */
    public static String post(String headers, String body) {
        return "POST /comments HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" + headers
                + "Content-Length: " + body.length() + "\r\n\r\n" + body;
    }

    public RawConnection send(String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(ISO_8859_1));
        return this;
    }

    /** Reads to the end of a line; what was read before the end of the connection, otherwise. */
    public String line() throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = socket.getInputStream().read(); c >= 0 && c != '\n'; c = socket.getInputStream().read()) {
            line.append((char) c);
        }
        return line.toString().strip();
    }

    /** The status of the next answer, whose headers and body are left unread; 0 if the connection is closed instead. */
    public int status() throws IOException {
        try {
            String line = line();
            return line.isEmpty() ? 0 : Integer.parseInt(line.split(" ")[1]);
        } catch (java.net.SocketException e) {
            return 0;
        }
    }

    /** The next answer, with its headers and its body, whose length it must say. */
    public String answer() throws IOException {
        StringBuilder answer = new StringBuilder();
        int length = 0;
        for (String line = line(); !line.isEmpty(); line = line()) {
            answer.append(line).append("\r\n");
            if (line.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
                length = Integer.parseInt(line.substring(line.indexOf(':') + 1).strip());
            }
        }
        return answer + "\r\n" + new String(socket.getInputStream().readNBytes(length), ISO_8859_1);
    }

    /** Reads so many bytes, or to the end of the connection; returns how many it read. */
    public int read(int bytes) throws IOException {
        return socket.getInputStream().readNBytes(bytes).length;
    }

    /** The rest, until the other side closes the connection. */
    public String rest() throws IOException {
        return new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
