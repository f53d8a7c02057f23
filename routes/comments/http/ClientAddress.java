package comments.http;

import io.netty.util.NetUtil;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.SocketAddress;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/**
 * The address of a client: that of its connection, or, if a trusted proxy connects, the rightmost address in
 * {@code X-Forwarded-For} that is not a trusted proxy. An IPv6 client counts by its /64 network, which one host usually has.
 *
 * <p>Any number of threads may call it.
 */
public final class ClientAddress {

    private static final int NETWORK_BYTES = 8;

    private record Network(byte[] address, int bits) {

        boolean contains(byte[] other) {
            int whole = bits / 8;
            int rest = bits % 8;
            return other.length == address.length && Arrays.equals(address, 0, whole, other, 0, whole)
                    && (rest == 0 || (address[whole] ^ other[whole]) >> 8 - rest == 0);
        }
    }

    private final List<Network> proxies;

    /**
     * Trusts proxies.
     *
     * @param proxies their networks in CIDR notation, or their addresses, separated by commas
     * @throws IllegalArgumentException if one is neither
     */
    public ClientAddress(String proxies) {
        this.proxies = proxies.isBlank() ? List.of() : Arrays.stream(proxies.split(",")).map(ClientAddress::network).toList();
    }

    private static Network network(String text) {
        String[] parts = text.strip().split("/", -1);
        byte[] address = bytes(parts[0]);
        int bits = address == null || parts.length > 2 ? -1
                : parts.length == 1 ? address.length * 8
                : parts[1].matches("\\d{1,3}") ? Integer.parseInt(parts[1]) : -1;
        if (bits < 0 || bits > address.length * 8) {
            throw new IllegalArgumentException(text.strip());
        }
        return new Network(address, bits);
    }

    // an IPv4 address that is written as IPv6 is an IPv4 address; null if it is none
    private static byte[] bytes(String address) {
        byte[] bytes = NetUtil.createByteArrayFromIpAddressString(address);
        boolean mapped = bytes != null && bytes.length == 16 && (bytes[10] & bytes[11]) == -1
                && Arrays.equals(bytes, 0, 10, new byte[10], 0, 10);
        return mapped ? Arrays.copyOfRange(bytes, 12, 16) : bytes;
    }

    /** Whether a connection comes from a trusted proxy. */
    boolean isProxy(SocketAddress connection) {
        return !proxies.isEmpty() && isProxy(bytes(connection.hostAddress()));
    }

    private boolean isProxy(byte[] address) {
        return address != null && proxies.stream().anyMatch(proxy -> proxy.contains(address));
    }

    /** The address of a connection, without the trust in proxies. */
    static String of(SocketAddress connection) {
        String address = connection.hostAddress();
        // a Unix socket has no address
        return address == null ? "" : shown(address, bytes(address));
    }

    /** The address of the client of a request. */
    String of(HttpServerRequest request) {
        if (proxies.isEmpty()) {
            return of(request.remoteAddress());
        }
        String address = request.remoteAddress().hostAddress();
        byte[] bytes = address == null ? null : bytes(address);
        String[] forwarded = String.join(",", request.headers().getAll("X-Forwarded-For")).split(",");
        for (int i = forwarded.length - 1; i >= 0 && isProxy(bytes); i--) {
            String before = withoutPort(forwarded[i].strip());
            byte[] bytesBefore = bytes(before);
            if (bytesBefore == null) {
                break;
            }
            address = before;
            bytes = bytesBefore;
        }
        return address == null ? "" : shown(address, bytes);
    }

    // some proxies add the port: 192.0.2.1:4711, [2001:db8::1]:4711
    private static String withoutPort(String address) {
        int port = address.lastIndexOf(':');
        boolean hasPort = address.startsWith("[") ? port > address.indexOf(']') : port >= 0 && port == address.indexOf(':');
        String host = hasPort ? address.substring(0, port) : address;
        return host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
    }

    private static String shown(String address, byte[] bytes) {
        return bytes == null ? address : bytes.length == 4 ? NetUtil.bytesToIpAddress(bytes)
                : HexFormat.ofDelimiter(":").formatHex(bytes, 0, NETWORK_BYTES) + "::/64";
    }
}
