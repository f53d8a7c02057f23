package comments.reader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.ByteBuffer;
import java.time.OffsetDateTime;
import java.util.Base64;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PageCursorTest {

    private static final UUID ID = UUID.fromString("01a203e0-e52b-70a1-b154-faa7274d2213");

    private static String text(long micros, UUID id) {
        return Base64.getUrlEncoder().encodeToString(ByteBuffer.allocate(24).putLong(micros)
                .putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits()).array());
    }

    @Test
    void itIsATimeInMicrosecondsSince2000AndAnId() {
        PageCursor cursor = PageCursor.parse(text(86_400_000_001L, ID));
        assertThat(cursor.acceptedAt()).isEqualTo(OffsetDateTime.parse("2000-01-02T00:00:00.000001Z"));
        assertThat(cursor.id()).isEqualTo(ID);
    }

    @Test
    void itsTextIsThatOfTheComment() {
        String text = new PageCursor(OffsetDateTime.parse("2000-01-02T00:00:00.000001Z"), ID).text();
        assertThat(text).isEqualTo(text(86_400_000_001L, ID)).hasSize(32);
        assertThat(PageCursor.parse(text).id()).isEqualTo(ID);
    }

    @Test
    void infinityIsTheLatestAndTheEarliestTime() {
        assertThat(PageCursor.parse(text(Long.MAX_VALUE, ID)).acceptedAt()).isEqualTo(OffsetDateTime.MAX);
        assertThat(PageCursor.parse(text(Long.MIN_VALUE, ID)).acceptedAt()).isEqualTo(OffsetDateTime.MIN);
    }

    @ParameterizedTest
    @ValueSource(longs = {Long.MIN_VALUE, -211_813_488_000_000_000L, -1, 0, 1, 9_223_371_331_199_999_999L, Long.MAX_VALUE})
    void aTextThatIsReadIsWrittenAgain(long micros) {
        assertThat(PageCursor.parse(text(micros, ID)).text()).isEqualTo(text(micros, ID));
    }

    @Test
    void theEarliestAndTheLatestTimeOfTheDatabaseAreRight() {
        assertThat(PageCursor.parse(text(-211_813_488_000_000_000L, ID)).acceptedAt())
                .isEqualTo(OffsetDateTime.parse("-4713-11-24T00:00:00Z"));
        assertThat(PageCursor.parse(text(9_223_371_331_199_999_999L, ID)).acceptedAt())
                .isEqualTo(OffsetDateTime.parse("+294276-12-31T23:59:59.999999Z"));
    }

    @ParameterizedTest
    @ValueSource(longs = {-211_813_488_000_000_001L, 9_223_371_331_200_000_000L, Long.MIN_VALUE + 1, Long.MAX_VALUE - 1})
    void aTimeThatTheDatabaseDoesNotHaveIsRefused(long micros) {
        assertThatIllegalArgumentException().isThrownBy(() -> PageCursor.parse(text(micros, ID)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "A", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'", "+/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\u0000"})
    void anyOtherTextIsRefused(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> PageCursor.parse(text));
    }
}
