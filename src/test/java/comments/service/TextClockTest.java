package comments.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class TextClockTest {

    @Test
    void tellsTheTimeToTheMillisecond() {
        AtomicLong millis = new AtomicLong(1795359600123L);
        TextClock clock = new TextClock(millis::get);
        assertThat(clock.now()).isEqualTo("2026-11-22T15:00:00.123Z");
        assertThat(clock.now()).isSameAs(clock.now());
        millis.set(1795359600124L);
        assertThat(clock.now()).isEqualTo("2026-11-22T15:00:00.124Z");
        millis.set(1795359601000L);
        assertThat(clock.now()).isEqualTo("2026-11-22T15:00:01.000Z");
    }
}
