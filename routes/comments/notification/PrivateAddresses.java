package comments.notification;

import java.io.UncheckedIOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The addresses that pushes must not reach: those that are not of the public Internet, and those of this machine's interfaces, which a
 * server without NAT has in public. Services of this machine may trust what comes from it.
 *
 * <p>Any number of threads may ask.
 */
final class PrivateAddresses {

    // of addresses that end with an IPv4 address: ::/96, ::ffff:0:0/96, which a name may have, and 64:ff9b::/96
    private static final List<byte[]> IPV4_PREFIXES = List.of(new byte[12], new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1},
            new byte[] {0, 0x64, -1, (byte) 0x9b, 0, 0, 0, 0, 0, 0, 0, 0});
    // a network's own NAT64, 64:ff9b:1::/48 (RFC 8215)
    private static final byte[] LOCAL_NAT64 = {0, 0x64, -1, (byte) 0x9b, 0, 1};
    private static final byte[] SIX_TO_FOUR = {0x20, 2};
    private static final byte[] TEREDO = {0x20, 1, 0, 0};

    private final Predicate<InetAddress> ofThisMachine;

    /** Takes what says whether an interface of this machine has an address, such as {@link #isOfThisMachine}. */
    PrivateAddresses(Predicate<InetAddress> ofThisMachine) {
        this.ofThisMachine = ofThisMachine;
    }

    /** Whether pushes must not reach an address. The interfaces are asked each time, because they change. */
    boolean contains(InetAddress address) {
        return isPrivate(address) || Stream.concat(Stream.of(address), ipv4In(address.getAddress())).anyMatch(ofThisMachine);
    }

    static boolean isOfThisMachine(InetAddress address) {
        try {
            return NetworkInterface.getByInetAddress(address) != null;
        } catch (SocketException e) {
            // the push is tried again
            throw new UncheckedIOException(e);
        }
    }

    /** Whether an address is not one of the public Internet. */
    static boolean isPrivate(InetAddress address) {
        if (address.isAnyLocalAddress() || address.isLoopbackAddress() || address.isLinkLocalAddress()
                || address.isSiteLocalAddress() || address.isMulticastAddress()) {
            return true;
        }
        byte[] bytes = address.getAddress();
        int first = bytes[0] & 0xff;
        int second = bytes[1] & 0xff;
        if (address instanceof Inet4Address) {
            // 0.0.0.0/8, carriers' 100.64.0.0/10, 192.0.0.0/24, benchmarks' 198.18.0.0/15, and what is reserved or broadcast
            return first == 0 || first == 100 && second >> 6 == 1 || first == 192 && second == 0 && bytes[2] == 0
                    || first == 198 && second >> 1 == 9 || first >= 240;
        }
        // unique local addresses, fc00::/7
        return first >> 1 == 0x7e || startsWith(bytes, LOCAL_NAT64) || ipv4In(bytes).anyMatch(PrivateAddresses::isPrivate);
    }

    private static boolean startsWith(byte[] bytes, byte[] prefix) {
        return bytes.length >= prefix.length && Arrays.equals(bytes, 0, prefix.length, prefix, 0, prefix.length);
    }

    /** The IPv4 addresses in an IPv6 address: a gateway or a tunnel sends to them. */
    private static Stream<InetAddress> ipv4In(byte[] bytes) {
        if (bytes.length == 4) {
            return Stream.empty();
        }
        if (startsWith(bytes, SIX_TO_FOUR)) {
            return Stream.of(ipv4(bytes, 2, 0));
        }
        if (startsWith(bytes, TEREDO)) {
            // the tunnel's server, and the client, which is inverted
            return Stream.of(ipv4(bytes, 4, 0), ipv4(bytes, 12, 0xff));
        }
        // ISATAP: any prefix, then 0:5efe or 200:5efe
        boolean isatap = (bytes[8] & ~2) == 0 && bytes[9] == 0 && bytes[10] == 0x5e && bytes[11] == (byte) 0xfe;
        return isatap || IPV4_PREFIXES.stream().anyMatch(prefix -> startsWith(bytes, prefix)) ? Stream.of(ipv4(bytes, 12, 0)) : Stream.empty();
    }

    private static InetAddress ipv4(byte[] bytes, int at, int inversion) {
        byte[] address = Arrays.copyOfRange(bytes, at, at + 4);
        IntStream.range(0, address.length).forEach(i -> address[i] ^= (byte) inversion);
        try {
            return InetAddress.getByAddress(address);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("four bytes are an address", e);
        }
    }
}
