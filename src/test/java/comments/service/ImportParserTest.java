package comments.service;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import comments.http.InvalidRequestException;
import comments.http.InvalidRequestException.FieldError;
import comments.service.CommentParser.Imported;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The ids and times that imported comments bring. */
class ImportParserTest {

    private static final UUID ID = UUID.fromString("01a203e0-e52b-70a1-b154-faa7274d2213");
    private static final UUID OTHER = UUID.fromString("01a203e0-e52b-70a1-b154-faa7274d2214");
    private static final String PLAIN = comment("Hi", null, null);

    private static String comment(String content, Object id, String acceptedAt) {
        return "{\"postId\":\"p\",\"userId\":\"u\",\"userName\":\"Ann\",\"content\":\"" + content + '"'
                + (id == null ? "" : ",\"id\":\"" + id + '"') + (acceptedAt == null ? "" : ",\"acceptedAt\":\"" + acceptedAt + '"') + "}";
    }

    private static Map<Integer, Imported> imports(String body) throws InvalidRequestException {
        return CommentParser.read(body.getBytes(UTF_8)).imports();
    }

    private static Iterable<FieldError> errors(String body) {
        InvalidRequestException refusal =
                catchThrowableOfType(InvalidRequestException.class, () -> CommentParser.read(body.getBytes(UTF_8)));
        assertThat(refusal.status()).isEqualTo(422);
        return refusal.errors();
    }

    @Test
    void eachCommentMayBringItsIdAndItsTime() throws InvalidRequestException {
        assertThat(imports(PLAIN)).isEmpty();
        assertThat(imports(comment("Hi", ID, null))).containsExactly(Map.entry(0, new Imported(ID, null)));
        String list = PLAIN + "\n" + comment("a", ID, "2009-01-01T00:00:00Z") + "\n" + PLAIN + "\n" + comment("b", OTHER, null);
        Map<Integer, Imported> expected = Map.of(1, new Imported(ID, "2009-01-01T00:00:00Z"), 3, new Imported(OTHER, null));
        assertThat(imports("[" + list.replace('\n', ',') + "]")).isEqualTo(expected);
        assertThat(CommentParser.readLines(list.getBytes(UTF_8)).imports()).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({
        "2009-01-01T00:00:00Z, 2009-01-01T00:00:00Z",
        "2009-01-01t00:00:00z, 2009-01-01T00:00:00Z",
        "2009-01-01T00:00:00.1+05:30, 2008-12-31T18:30:00.100Z",
        "2016-02-29T23:59:59.123456789-00:00, 2016-02-29T23:59:59.123456Z",
        "0001-01-01T00:00:00Z, 0001-01-01T00:00:00Z"})
    void aTimeIsReadAsRfc3339HasItToTheMicrosecond(String sent, String read) throws InvalidRequestException {
        assertThat(imports(comment("Hi", ID, sent))).containsExactly(Map.entry(0, new Imported(ID, read)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "yesterday", "1230768000", "2009-01-01", "2009-01-01T00:00:00", "2009-01-01T00:00Z", "2009-02-30T00:00:00Z",
        "2009-01-01T24:00:00Z", "2009-01-01T00:00:61Z", "2009-13-01T00:00:00Z", "2009-01-01T00:00:00+0100", "2009-01-01T00:00:00+19:00",
        "+12009-01-01T00:00:00Z", "-2009-01-01T00:00:00Z", "infinity", "2009-01-01T00:00:00Z ", "2009-01-01 00:00:00Z"})
    void anyOtherTimeIsRefused(String sent) {
        assertThat(errors(comment("Hi", ID, sent))).containsExactly(new FieldError("#/acceptedAt",
                "must be a time with its offset, such as 2026-11-22T21:38:07.681Z (RFC 3339)"));
    }

    @Test
    void aTimeMustBeInThePast() throws InvalidRequestException {
        assertThat(errors(comment("Hi", ID, Instant.now().plusSeconds(60).toString())))
                .containsExactly(new FieldError("#/acceptedAt", "must not be in the future"));
        assertThat(errors("[" + comment("Hi", ID, "9999-12-31T23:59:59Z") + "]"))
                .containsExactly(new FieldError("#/0/acceptedAt", "must not be in the future"));
        assertThat(imports(comment("Hi", ID, Instant.now().toString()))).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0000-06-01T00:00:00Z", "0001-01-01T00:00:00+00:01"})
    void thereIsNoYear0(String sent) {
        assertThat(errors(comment("Hi", ID, sent))).containsExactly(new FieldError("#/acceptedAt", "must be in the year 1 or later"));
    }

    @Test
    void aTimeNeedsAnId() {
        assertThat(errors(comment("Hi", null, "2009-01-01T00:00:00Z"))).containsExactly(new FieldError("#/id",
                "is missing: with acceptedAt it is needed, so that importing again changes nothing"));
    }

    @Test
    void anIdIsAUuid() {
        assertThat(errors(comment("Hi", "1-1-1-1-1", null))).containsExactly(new FieldError("#/id", "must be a UUID, or left out"));
        assertThat(errors(PLAIN.replace("{", "{\"id\":7,"))).contains(new FieldError("#/id", "must be a string"));
        assertThat(errors(PLAIN.replace("{", "{\"id\":null,"))).contains(new FieldError("#/id", "must be a string"));
        assertThat(errors(PLAIN.replace("{", "{\"id\":\"" + ID + "\",\"id\":\"" + ID + "\",")))
                .containsExactly(new FieldError("#/id", "is given twice"));
    }

    @Test
    void anIdTwiceInAListIsOfTheSameComment() throws InvalidRequestException {
        String one = comment("a", ID, "2009-01-01T00:00:00Z");
        assertThat(imports("[" + one + "," + comment("a", ID.toString().toUpperCase(), "2009-01-01T01:00:00+01:00") + "]")).hasSize(2);
        for (String other : new String[] {comment("b", ID, "2009-01-01T00:00:00Z"), comment("a", ID, "2009-01-01T00:00:01Z"),
            comment("a", ID, null)}) {
            FieldError different = new FieldError("#/2/id", "is also the id of #/0, a different comment");
            assertThat(errors("[" + one + "," + PLAIN + "," + other + "]")).as(other).containsExactly(different);
            assertThat(catchThrowableOfType(InvalidRequestException.class,
                    () -> CommentParser.readLines((one + "\n" + PLAIN + "\n" + other).getBytes(UTF_8))).errors()).containsExactly(different);
        }
    }
}
