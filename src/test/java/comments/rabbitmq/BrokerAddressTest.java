package comments.rabbitmq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BrokerAddressTest {

    @Test
    void oneNodeIsAsItWasGiven() {
        assertThat(BrokerAddress.of("amqp://ann:secret@one:5673/orders"))
                .isEqualTo(new BrokerAddress(false, "amqp://ann:secret@one:5673/orders", List.of("one:5673")));
    }

    @Test
    void allNodesOfAClusterShareTheUserAndTheVirtualHost() {
        assertThat(BrokerAddress.of("amqps://ann:a,b@one:5671,two,[::1]:5673/orders"))
                .isEqualTo(new BrokerAddress(true, "amqp://ann:a,b@one:5671/orders",
                        List.of("one:5671", "two", "[::1]:5673")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "localhost:5672", "http://one", "amqp://one:5672,", "amqp://,one", "amqp://one:port",
        "amqp://one,two:port", "amqp://one two", "amqp://under_score", "amqp://one/a/b"})
    void whatTheClientWouldMisunderstandIsRefusedWithoutRepeatingIt(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> BrokerAddress.of(text)).withMessageNotContaining("one:")
                .withNoCause();
    }
}
