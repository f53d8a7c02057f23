package comments.support;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/** A connection of HTTP/2 over TLS whose client sends the frames that it likes, trusts any server, and acknowledges nothing. */
public final class Http2Connection implements AutoCloseable {

    private static final int HEADERS = 1;
    private static final int RST_STREAM = 3;
    private static final int SETTINGS = 4;
    private static final int GOAWAY = 7;
    private static final int WINDOW_UPDATE = 8;
    private static final int CONTINUATION = 9;
    private static final int END_STREAM = 1;
    private static final int END_HEADERS = 4;
    private static final int CANCEL = 8;
    private static final int SHORT = 127;

    private static final X509TrustManager ANY = new X509TrustManager() {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {
            // any
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {
            // any
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    };

    private final SSLSocket socket;
    private final Set<Integer> answered = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;
    private volatile boolean askedToLeave;

    private Http2Connection(SSLSocket socket) {
        this.socket = socket;
    }

    /** Connects to a port of this machine from one of its addresses. */
    public static Http2Connection open(String from, int port) throws IOException, GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {ANY}, null);
        SSLSocket socket = (SSLSocket) context.getSocketFactory()
                .createSocket(InetAddress.getByName("127.0.0.1"), port, InetAddress.getByName(from), 0);
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setApplicationProtocols(new String[] {"h2"});
        socket.setSSLParameters(parameters);
        socket.startHandshake();
        Http2Connection connection = new Http2Connection(socket);
        Thread reader = new Thread(connection::read, "http2-reader");
        reader.setDaemon(true);
        reader.start();
        socket.getOutputStream().write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(US_ASCII));
        // of the settings, one: each stream has a window of 0, so no body of an answer can be sent
        connection.frame(SETTINGS, 0, 0, new byte[] {0, 4, 0, 0, 0, 0});
        return connection;
    }

    private void read() {
        try (DataInputStream in = new DataInputStream(socket.getInputStream())) {
            while (true) {
                int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
                int type = in.readUnsignedByte();
                in.readUnsignedByte();
                int stream = in.readInt();
                in.skipNBytes(length);
                if (type == HEADERS || type == RST_STREAM) {
                    answered.add(stream);
                }
                askedToLeave |= type == GOAWAY;
            }
        } catch (IOException e) {
            closed = true;
        }
    }

    /** Begins a stream with headers: a name and a value in turn; {@code complete} if no more follow. */
    public void headers(int stream, boolean complete, String... headers) throws IOException {
        frame(HEADERS, complete ? END_STREAM | END_HEADERS : 0, stream, encoded(headers));
    }

    /** Begins a stream whose body never comes. */
    public void open(int stream, String... headers) throws IOException {
        frame(HEADERS, END_HEADERS, stream, encoded(headers));
    }

    /** Sends more headers, which are never the last. */
    public void continuation(int stream, String... headers) throws IOException {
        frame(CONTINUATION, 0, stream, encoded(headers));
    }

    /** Resets a stream. */
    public void reset(int stream) throws IOException {
        frame(RST_STREAM, 0, stream, new byte[] {0, 0, 0, CANCEL});
    }

    /** Lets the server send so many more bytes of a stream; 0 for those of all streams. */
    public void window(int stream, int bytes) throws IOException {
        frame(WINDOW_UPDATE, 0, stream, new byte[] {(byte) (bytes >> 24), (byte) (bytes >> 16), (byte) (bytes >> 8), (byte) bytes});
    }

    // as literals without an index (RFC 7541, 6.2.2)
    private static byte[] encoded(String... headers) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = 0; i < headers.length; i += 2) {
            bytes.write(0);
            for (String text : new String[] {headers[i], headers[i + 1]}) {
                if (text.length() >= SHORT) {
                    throw new IllegalArgumentException(text);
                }
                bytes.write(text.length());
                bytes.write(text.getBytes(US_ASCII));
            }
        }
        return bytes.toByteArray();
    }

    // what the server does not take, because it has closed the connection, is not sent
    private synchronized void frame(int type, int flags, int stream, byte[] payload) throws IOException {
        ByteArrayOutputStream frame = new ByteArrayOutputStream();
        frame.write(new byte[] {(byte) (payload.length >> 16), (byte) (payload.length >> 8), (byte) payload.length, (byte) type,
            (byte) flags, (byte) (stream >> 24), (byte) (stream >> 16), (byte) (stream >> 8), (byte) stream});
        frame.write(payload);
        try {
            socket.getOutputStream().write(frame.toByteArray());
        } catch (IOException e) {
            closed = true;
        }
    }

    /** Whether the server asked the client to use another connection. */
    public boolean isAskedToLeave() {
        return askedToLeave;
    }

    public boolean isClosed() {
        return closed;
    }

    /** Whether a stream was answered or reset, or the connection closed, within 5 s. */
    public boolean answerOrEnd(int stream) throws IOException {
        for (int i = 0; i < 500 && !closed && !answered.contains(stream); i++) {
            try {
                Thread.sleep(10);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException(e);
            }
        }
        return closed || answered.contains(stream);
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
