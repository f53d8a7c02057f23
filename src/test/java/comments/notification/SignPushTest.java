package comments.notification;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

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

/** What a push over HTTP is signed with, and when it is tried again. */
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
}
