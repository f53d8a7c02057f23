package comments.processor;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;

class CountBatchTest {

    private static Instant firstAcceptedAt(String body) {
        return CountBatch.firstAcceptedAt(body.getBytes(UTF_8));
    }

    @Test
    void findsWhenTheFirstCommentWasAccepted() {
        assertThat(firstAcceptedAt("""
                [{"content":"a","acceptedAt":"2026-11-22T15:00:00.123Z"},{"acceptedAt":"2026-11-22T16:00:00.123Z"}]"""))
                .isEqualTo("2026-11-22T15:00:00.123Z");
    }

    @Test
    void isNotFooledByAContentThatLooksLikeIt() {
        assertThat(firstAcceptedAt("""
                [{"content":"\\"acceptedAt\\":\\"2026-11-22T14:00:00.123Z","acceptedAt":"2026-11-22T15:00:00.123Z"}]"""))
                .isEqualTo("2026-11-22T15:00:00.123Z");
    }

    @Test
    void passesOverImportedComments() {
        String imported = "{\"imported\":true,\"id\":\"1\",\"content\":\"a\",\"acceptedAt\":\"2009-11-22T15:00:00.000Z\"}";
        assertThat(firstAcceptedAt("[" + imported + "]")).isNull();
        assertThat(firstAcceptedAt("[" + imported + "," + imported + ",{\"content\":\"\\\"imported\\\":true\",\"acceptedAt\":\"2026-11-22T16:00:00.123Z\"}]"))
                .isEqualTo("2026-11-22T16:00:00.123Z");
    }

    @Test
    void knowsNothingOfForeignMessages() {
        assertThat(firstAcceptedAt("[{\"content\":\"a\"}]")).isNull();
        assertThat(firstAcceptedAt("[{\"acceptedAt\":\"yesterday, at about three o'clock\"}]")).isNull();
        assertThat(firstAcceptedAt("[{\"acceptedAt\":\"")).isNull();
    }
}
