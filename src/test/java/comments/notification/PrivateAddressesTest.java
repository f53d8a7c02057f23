package comments.notification;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Where a push may go. */
class PrivateAddressesTest {

    private static Inet6Address mapped(String ipv4) throws UnknownHostException {
        byte[] mapped = new byte[16];
        mapped[10] = mapped[11] = -1;
        System.arraycopy(InetAddress.getByName(ipv4).getAddress(), 0, mapped, 12, 4);
        // getByName makes an Inet4Address of it, a look-up of a name does not
        return Inet6Address.getByAddress("name", mapped, -1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "127.8.9.10", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.8", "198.18.0.1", "198.19.255.255", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "::1", "::", "fe80::1", "fec0::1", "fc00::1", "fdff::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::10.0.0.1", "64:ff9b::a00:1",
        "64:ff9b:1::101:101", "2002:7f00:1::",
        "2001:0:a00:1::fefe:fefe", "2001:0:101:101::f5ff:fffe", "2606:4700::5efe:a00:1", "2606:4700::200:5efe:a00:1"})
    void anAddressThatIsNotPublicIsPrivate(String address) throws UnknownHostException {
        assertThat(PrivateAddresses.isPrivate(InetAddress.getByName(address))).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.1, true", "169.254.169.254, true", "1.1.1.1, false"})
    void anIpv4AddressThatANameHasAsIpv6IsWhatItIs(String address, boolean hidden) throws UnknownHostException {
        assertThat(PrivateAddresses.isPrivate(mapped(address))).isEqualTo(hidden);
    }

    @ParameterizedTest
    @ValueSource(strings = {"1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1", "198.17.0.1", "198.20.0.1", "223.255.255.1",
        "2606:4700::1111", "64:ff9b::101:101", "2002:101:101::",
        "2001:0:101:101::fefe:fefe", "2001:1::f5ff:fffe", "2606:4700::5efe:101:101", "2606:4700::5eff:a00:1", "::ffff:1.1.1.1"})
    void aPublicAddressIsNot(String address) throws UnknownHostException {
        assertThat(PrivateAddresses.isPrivate(InetAddress.getByName(address))).isFalse();
    }

    /** Public addresses of this machine, as a server without NAT has them. */
    @ParameterizedTest
    @CsvSource({"1.1.1.1, 1.1.1.1, true", "2606:4700::1111, 2606:4700::1111, true", "1.1.1.1, 64:ff9b::101:101, true",
        "1.1.1.1, 1.1.1.2, false", "2606:4700::1111, 2606:4700::1112, false", "1.1.1.1, 64:ff9b::101:102, false"})
    void aPublicAddressOfThisMachineIsRefused(String own, String address, boolean refused) throws UnknownHostException {
        InetAddress ofThisMachine = InetAddress.getByName(own);
        assertThat(new PrivateAddresses(ofThisMachine::equals).contains(InetAddress.getByName(address))).isEqualTo(refused);
    }

    @Test
    void soIsOneThatANameHasAsIpv6() throws UnknownHostException {
        InetAddress ofThisMachine = InetAddress.getByName("1.1.1.1");
        assertThat(new PrivateAddresses(ofThisMachine::equals).contains(mapped("1.1.1.1"))).isTrue();
        assertThat(new PrivateAddresses(ofThisMachine::equals).contains(mapped("1.1.1.2"))).isFalse();
    }

    @Test
    void theAddressesOfThisMachineAreThoseOfItsInterfaces() throws Exception {
        assertThat(NetworkInterface.networkInterfaces().flatMap(NetworkInterface::inetAddresses)).isNotEmpty()
                .allSatisfy(address -> assertThat(PrivateAddresses.isOfThisMachine(address)).isTrue());
        assertThat(PrivateAddresses.isOfThisMachine(InetAddress.getByName("1.1.1.1"))).isFalse();
        assertThat(PrivateAddresses.isOfThisMachine(InetAddress.getByName("2606:4700::1111"))).isFalse();
    }
}
