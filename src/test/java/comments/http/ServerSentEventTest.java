package comments.http;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ServerSentEventTest {

    @Test
    void hasItsKindItsIdAndItsData() {
        assertThat(ServerSentEvent.of("comment", 7, "{}")).isEqualTo("id: 7\nevent: comment\ndata: {}\n\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\n\nevent: end\n\n", "a\r\rid: 1", "a\r\n\r\ndata: b", "\n", "\r", "\r\n", ": a\n: b"})
    void noDataEndsTheEventOrBeginsAnotherField(String data) {
        String event = ServerSentEvent.of("comment", data);
        assertThat(event).doesNotContain("\r").endsWith("\n\n");
        String[] lines = event.substring(0, event.length() - 2).split("\n", -1);
        assertThat(lines[0]).isEqualTo("event: comment");
        assertThat(lines).hasSizeGreaterThan(1);
        for (int i = 1; i < lines.length; i++) {
            assertThat(lines[i]).startsWith("data: ");
        }
    }
}
