package comments.rabbitmq;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class AcknowledgementWindowTest {

    private final AcknowledgementWindow window = new AcknowledgementWindow();

    private long settle(long... tags) {
        for (long tag : tags) {
            window.settle(tag);
        }
        return window.advance();
    }

    @Test
    void advancesOverTheUnbrokenRunOnly() {
        assertThat(settle(2, 3)).isZero();
        assertThat(settle(5)).isZero();
        assertThat(settle(1)).isEqualTo(3);
        assertThat(settle(4)).isEqualTo(5);
    }

    @Test
    void neverAdvancesTwiceToTheSameTag() {
        assertThat(settle(1)).isEqualTo(1);
        assertThat(settle(1)).isZero();
        assertThat(settle()).isZero();
        assertThat(settle(1, 2)).isEqualTo(2);
    }

    @Test
    void leavesOutWhatIsAcknowledgedByItself() {
        assertThat(window.settleAlone(2)).isTrue();
        assertThat(window.settleAlone(2)).isFalse();
        assertThat(settle()).isZero();
        assertThat(settle(1)).isEqualTo(1);
        assertThat(window.settleAlone(1)).isFalse();
        assertThat(window.settleAlone(4)).isTrue();
        assertThat(settle(5, 3)).isEqualTo(5);
        assertThat(window.settleAlone(6)).isTrue();
        assertThat(settle()).isZero();
        assertThat(settle(7)).isEqualTo(7);
    }

    @Test
    void knowsHowManyAreNotAcknowledgedAndSinceWhen() {
        window.received(10);
        window.received(20);
        window.received(30);
        settle(2);
        assertThat(window.size()).isEqualTo(3);
        assertThat(window.oldestNanos()).isEqualTo(10);
        settle(1);
        assertThat(window.size()).isEqualTo(1);
        assertThat(window.oldestNanos()).isEqualTo(30);
        settle(3);
        assertThat(window.size()).isZero();
        assertThat(window.oldestNanos()).isNull();
    }

    @Test
    void acknowledgesEveryTagOnceInWhateverOrderTheyAreSettled() {
        Random random = new Random(20261122);
        for (int round = 0; round < 200; round++) {
            AcknowledgementWindow shuffled = new AcknowledgementWindow();
            List<Long> tags = new ArrayList<>(LongStream.rangeClosed(1, 500).boxed().toList());
            Collections.shuffle(tags, random);
            List<Long> settled = new ArrayList<>();
            long acknowledged = 0;
            for (long tag : tags) {
                shuffled.settle(tag);
                settled.add(tag);
                long upTo = shuffled.advance();
                if (upTo > 0) {
                    assertThat(upTo).isGreaterThan(acknowledged);
                    assertThat(settled).containsAll(LongStream.rangeClosed(acknowledged + 1, upTo).boxed().toList());
                    acknowledged = upTo;
                }
            }
            assertThat(acknowledged).isEqualTo(500);
        }
    }
}
