package comments.service;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import comments.http.InvalidRequestException;
import comments.model.Comment;
import imports.Limits;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The import leaves out what the API refuses, with the same words, and nothing else. */
class ImportLimitsTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String EMOJI = "\ud83c\udf89";

    private final Limits limits = new Limits(Instant.now(), 0);

    private static Map<String, Object> comment(String field, String value) {
        Map<String, Object> comment = new HashMap<>(Map.of("postId", "p", "userId", "u", "userName", "Ann", "content", "Hi",
                "acceptedAt", "2009-01-01T00:00:00Z"));
        comment.put(field, value);
        return comment;
    }

    /** How the API refuses a comment, as the import reports it; null if it does not. */
    private static String refusal(Map<String, Object> comment) throws Exception {
        Map<String, Object> fields = new LinkedHashMap<>(comment);
        fields.put("id", UUID.randomUUID().toString());
        try {
            CommentParser.read(JSON.writeValueAsString(fields).getBytes(UTF_8));
            return null;
        } catch (InvalidRequestException e) {
            return e.errors().stream().map(error -> error.pointer().substring(2) + ' ' + error.detail()).collect(Collectors.joining("; "));
        }
    }

    private void assertSame(String field, String value, boolean refused) throws Exception {
        Map<String, Object> comment = comment(field, value);
        assertThat(limits.refusal(comment)).isEqualTo(refusal(comment));
        assertThat(limits.refusal(comment) != null).isEqualTo(refused);
    }

    @ParameterizedTest
    @ValueSource(strings = {"postId", "userId", "userName", "content"})
    void lengthsAreCountedInCharacters(String field) throws Exception {
        int max = field.equals("content") ? Comment.MAX_CONTENT : Comment.MAX_NAME;
        for (String character : new String[] {"x", EMOJI}) {
            assertSame(field, character, false);
            assertSame(field, character.repeat(max), false);
            assertSame(field, character.repeat(max + 1), true);
        }
        assertSame(field, "", true);
        boolean mustBeVisible = field.equals("content") || field.equals("userName");
        assertSame(field, " ", mustBeVisible);
        assertSame(field, "\u2060".repeat(max + 1), true);
        assertSame(field, "a\u0000", true);
        assertSame(field, "\u0000", true);
    }

    @Test
    void halvesOfPairsAreRefused() {
        for (String half : new String[] {"\ud83c", "\udf89", "a\ud83c", "\udf89\ud83c", EMOJI + "\ud83c"}) {
            assertThat(Comment.length(half)).isNegative();
            assertThat(limits.refusal(comment("content", half)))
                    .isEqualTo("content must not contain the character U+0000 or half of a surrogate pair");
        }
    }

    @Test
    void theSameCharactersAreVisible() {
        assertThat(IntStream.rangeClosed(1, Character.MAX_CODE_POINT).filter(c -> c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE)
                .mapToObj(Character::toString).filter(text -> Comment.isVisible(text) != Limits.isVisible(text))
                .map(text -> Integer.toHexString(text.codePointAt(0)))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Z", "yesterday", "2009-01-01T00:00:00", "2009-02-30T00:00:00Z", "2009-01-01T00:00:61Z", "0000-00-00T00:00:00Z",
        "2009-01-01T00:00:00+0100", "+12009-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0000-06-01T00:00:00Z", "0001-01-01T00:00:00+00:01"})
    void theSameTimesAreRefused(String time) throws Exception {
        assertSame("acceptedAt", time, true);
    }

    @ParameterizedTest
    @ValueSource(strings = {"2009-01-01T00:00:00Z", "2009-01-01t00:00:00.123456789z", "0001-01-01T00:00:00Z", "2016-02-29T23:59:59+05:30"})
    void theSameTimesAreTaken(String time) throws Exception {
        assertSame("acceptedAt", time, false);
    }

    @Test
    void severalAreReportedTogether() throws Exception {
        Map<String, Object> comment = new LinkedHashMap<>();
        comment.put("postId", "");
        comment.put("userId", "u".repeat(201));
        comment.put("userName", "\u2060");
        comment.put("content", "");
        comment.put("acceptedAt", "");
        assertThat(limits.refusal(comment)).isEqualTo(refusal(comment));
    }
}
