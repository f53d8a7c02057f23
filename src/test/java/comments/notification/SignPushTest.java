package comments.notification;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a push over HTTP is signed with, when it is tried again, and where it may go. */
class SignPushTest {

    private static final String SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private static final String OTHER = "whsec_" + "A".repeat(32);

    private static Message signed(String secrets, Instant now, String body) throws Exception {
        SignPush sign = new SignPush(Clock.fixed(now, ZoneOffset.UTC));
        sign.setSecrets(secrets);
        Exchange exchange = new DefaultExchange(new DefaultCamelContext());
        exchange.getMessage().setBody(body.getBytes(UTF_8));
        sign.process(exchange);
        return exchange.getMessage();
    }

    /** The vector of https://github.com/standard-webhooks/standard-webhooks. */
    @Test
    void theSignatureIsThatOfStandardWebhooks() {
        SignPush sign = new SignPush();
        sign.setSecrets(SECRET);
        assertThat(sign.signatures("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, "{\"test\": 2432232314}".getBytes(UTF_8)))
                .isEqualTo("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    @Test
    void eachSecretSignsTheIdTheTimeAndTheBody() throws Exception {
        Message message = signed(SECRET + "  " + OTHER, Instant.ofEpochSecond(1614265330), "[]");
        SignPush sign = new SignPush();
        sign.setSecrets(OTHER);
        String id = message.getHeader("webhook-id", String.class);
        assertThat(message.getHeader("webhook-timestamp")).isEqualTo("1614265330");
        assertThat(message.getHeader("webhook-signature", String.class)).matches("v1,\\S{44} v1,\\S{44}")
                .endsWith(" " + sign.signatures(id, 1614265330, "[]".getBytes(UTF_8)));
    }

    @Test
    void anIdIsThatOfTheBodyAtAnyTime() throws Exception {
        String id = signed(SECRET, Instant.EPOCH, "[1]").getHeader("webhook-id", String.class);
        assertThat(id).matches("msg_[\\w-]{24}");
        assertThat(signed("", Instant.now(), "[1]").getHeader("webhook-id")).isEqualTo(id);
        assertThat(signed(SECRET, Instant.EPOCH, "[2]").getHeader("webhook-id")).isNotEqualTo(id);
    }

    @Test
    void withoutASecretThereIsNoSignature() throws Exception {
        assertThat(signed("", Instant.EPOCH, "[]").getHeaders()).containsOnlyKeys("webhook-id", "webhook-timestamp");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "3 | 3",
        "0 | 0",
        "601 | 600",
        "99999999999999999999 | 600",
        "-5 | 0",
        "soon | 0",
        "'' | 0",
        "Wed, 25 Nov 2026 12:00:20 GMT | 20",
        "Wed, 25 Nov 2026 11:00:00 GMT | 0",
        "Sat, 25 Nov 2028 12:00:00 GMT | 600"})
    void retryAfterIsInSecondsOrADateAndBounded(String retryAfter, long seconds) {
        RetryPush retry = new RetryPush(Clock.fixed(Instant.parse("2026-11-25T12:00:00Z"), ZoneOffset.UTC));
        assertThat(retry.delay(retryAfter)).isEqualTo(Duration.ofSeconds(seconds));
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "127.8.9.10", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.8", "198.18.0.1", "198.19.255.255", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "::1", "::", "fe80::1", "fec0::1", "fc00::1", "fdff::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::10.0.0.1", "64:ff9b::a00:1",
        "64:ff9b:1::101:101", "2002:7f00:1::"})
    void anAddressThatIsNotPublicIsPrivate(String address) throws UnknownHostException {
        assertThat(WebhookComponent.isPrivate(InetAddress.getByName(address))).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.1, true", "169.254.169.254, true", "1.1.1.1, false"})
    void anIpv4AddressThatANameHasAsIpv6IsWhatItIs(String address, boolean hidden) throws UnknownHostException {
        byte[] mapped = new byte[16];
        mapped[10] = mapped[11] = -1;
        System.arraycopy(InetAddress.getByName(address).getAddress(), 0, mapped, 12, 4);
        // getByName makes an Inet4Address of it, a look-up of a name does not
        assertThat(WebhookComponent.isPrivate(Inet6Address.getByAddress("name", mapped, -1))).isEqualTo(hidden);
    }

    @ParameterizedTest
    @ValueSource(strings = {"1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1", "198.17.0.1", "198.20.0.1", "223.255.255.1",
        "2606:4700::1111", "64:ff9b::101:101", "2002:101:101::", "::ffff:1.1.1.1"})
    void aPublicAddressIsNot(String address) throws UnknownHostException {
        assertThat(WebhookComponent.isPrivate(InetAddress.getByName(address))).isFalse();
    }
}
