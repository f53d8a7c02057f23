package comments.reader;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatterBuilder;
import java.util.UUID;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.constraints.LongRange;

/** Each method appends the bytes that Jackson writes, so that ETags stay the same. */
class JsonBytesTest {

    private static String text(JsonBytes json) {
        return new String(json.toByteArray(), StandardCharsets.UTF_8);
    }

    private static byte[] jackson(String text) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = new JsonFactoryBuilder().enable(JsonWriteFeature.COMBINE_UNICODE_SURROGATES_IN_UTF8).build()
                .createGenerator(bytes)) {
            json.writeString(text);
        }
        return bytes.toByteArray();
    }

    // texts with and without escapes, of a few and of many bytes, in one to four bytes a character
    @Provide
    Arbitrary<String> texts() {
        Arbitrary<Integer> characters = Arbitraries.frequencyOf(
                Tuple.of(40, Arbitraries.integers().between(' ', '~')),
                Tuple.of(1, Arbitraries.integers().between(0, ' ')),
                Tuple.of(1, Arbitraries.of((int) '"', (int) '\\', 0x7f, 0x80, 0x2028)),
                Tuple.of(1, Arbitraries.integers().between(0x80, 0xd7ff)),
                Tuple.of(1, Arbitraries.integers().between(0xe000, 0x10ffff)));
        return characters.list().ofMaxSize(60).map(list -> list.stream().collect(StringBuilder::new, StringBuilder::appendCodePoint,
                StringBuilder::append).toString());
    }

    @Property
    void aStringIsEscapedAsByJackson(@ForAll("texts") String text) throws IOException {
        assertThat(new JsonBytes(4).string(text).toByteArray()).isEqualTo(jackson(text));
    }

    @Example
    void eachCharacterIsEscapedAtEachPlaceOfEightBytes() throws IOException {
        for (int c = 0; c <= 0x100; c++) {
            for (int before = 0; before < 9; before++) {
                String text = "x".repeat(before) + (char) c + "y".repeat(8);
                assertThat(new JsonBytes(0).string(text).toByteArray()).as("%x after %d", c, before).isEqualTo(jackson(text));
            }
        }
    }

    @Property
    void anIdIsItsText(@ForAll long high, @ForAll long low) {
        UUID id = new UUID(high, low);
        assertThat(text(new JsonBytes(0).id(id))).isEqualTo('"' + id.toString() + '"');
    }

    // from the year -5000 to the year 12000
    @Property
    void aTimeIsInMilliseconds(@ForAll @LongRange(min = -219_960_000_000L, max = 316_500_000_000L) long seconds,
            @ForAll @LongRange(min = 0, max = 999_999_999) long nanos) {
        Instant time = Instant.ofEpochSecond(seconds, nanos);
        String expected = '"' + new DateTimeFormatterBuilder().appendInstant(3).toFormatter().format(time) + '"';
        assertThat(text(new JsonBytes(0).time(time.atOffset(ZoneOffset.UTC)))).isEqualTo(expected);
        assertThat(text(new JsonBytes(0).time(time.atOffset(ZoneOffset.ofHours(-7))))).isEqualTo(expected);
    }

    @Example
    void yearsOfMoreThanFourDigitsHaveASign() {
        assertThat(text(new JsonBytes(0).time(OffsetDateTime.parse("+10000-01-01T00:00:00Z")))).isEqualTo("\"+10000-01-01T00:00:00.000Z\"");
        assertThat(text(new JsonBytes(0).time(OffsetDateTime.parse("0007-01-02T03:04:05.006999Z")))).isEqualTo("\"0007-01-02T03:04:05.006Z\"");
    }

    @Property
    void aNumberIsDecimal(@ForAll long number) {
        assertThat(text(new JsonBytes(0).number(number))).isEqualTo(Long.toString(number));
    }

    @Example
    void whatIsCutIsGone() {
        JsonBytes json = new JsonBytes(2).raw('[').raw(JsonBytes.ascii("12"));
        int end = json.length();
        json.raw(',').string("dropped").cut(end);
        assertThat(text(json.raw(']'))).isEqualTo("[12]");
    }
}
