package comments.service;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.networknt.schema.Schema;
import comments.http.InvalidRequestException;
import comments.support.ApiDocument;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is posted is taken exactly if the schema of openapi.json takes it. */
class CommentSchemaTest {

    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
    private static final Schema SCHEMA = schema();

    private static final String GOOD = """
            {"postId":"p","userId":"u","userName":"Ann","content":"Hi"}""";

    /** Values to be put in the place of each field, and what is to be put around the whole. */
    private static final List<String> VALUES = List.of(
            "\"\"", "\" \"", "\"\\u200b\\u3164\"", "\"\\u2800 \\udb40\\udd00\"", "\"\\u200d.\"", "\"a\"", "null", "true", "0", "-1.5e3", "1e400", "[]", "[\"a\"]", "{}", "{\"a\":{\"b\":[]}}",
            "\"\\u0000\"", "\"a\\u0000b\"", "\"\\u0001\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud83d\\ude00\"",
            "\"\\ude00\\ud83d\"", "\"😀\"", "\"\u2028\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"<script>\"", "\"'; --\"",
            "\"" + "a".repeat(200) + "\"", "\"" + "a".repeat(201) + "\"",
            "\"" + "😀".repeat(200) + "\"", "\"" + "😀".repeat(201) + "\"",
            "\"" + "a".repeat(10_000) + "\"", "\"" + "a".repeat(10_001) + "\"",
            "\"01a203e0-e52b-70a1-b154-faa7274d2213\"", "\"01A203E0-E52B-70A1-B154-FAA7274D2213\"",
            "\"01a203e0e52b70a1b154faa7274d2213\"", "\"1-1-1-1-1\"", "\"01a203e0-e52b-70a1-b154-faa7274d221g\"",
            "\"{01a203e0-e52b-70a1-b154-faa7274d2213}\"");

    private static Schema schema() {
        try {
            return ApiDocument.read().schema(JSON.readTree("""
                    {"oneOf": [{"$ref": "#/components/schemas/NewComment"}, {"$ref": "#/components/schemas/NewComments"}]}"""));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String imported(String acceptedAt) {
        return GOOD.replace("}", ",\"id\":\"01a203e0-e52b-70a1-b154-faa7274d2213\",\"acceptedAt\":\"" + acceptedAt + "\"}");
    }

    static Stream<String> corpus() {
        List<String> bodies = new ArrayList<>(List.of("", " ", "{}", "[]", "null", "7", "\"a\"", "[null]", "[[]]", "{", "}",
                GOOD + " ", " \n" + GOOD, GOOD + "x", GOOD + GOOD, "[" + GOOD + "]", "[" + GOOD + "," + GOOD + "]",
                "[" + GOOD + ",]", "[" + GOOD + ",{}]", "[" + (GOOD + ",").repeat(999) + GOOD + "]",
                "[" + (GOOD + ",").repeat(1_000) + GOOD + "]", GOOD.replace("}", ",}"), "\ufeff" + GOOD,
                GOOD.replace("}", ",\"content\":\"b\"}"), GOOD.replace("}", ",\"id\":\"b\"}"),
                GOOD.replace("}", ",\"acceptedAt\":\"b\"}"),
                GOOD.replace("}", ",\"acceptedAt\":\"2009-01-01T00:00:00Z\"}"), imported("2009-01-01T00:00:00Z"),
                imported("2009-01-01t00:00:00.123456789+01:00"), imported("2009-01-01T00:00Z"), imported("2009-01-01T00:00:00"),
                imported("2009-01-01"), imported("2009-01-01T00:00:00+0100"), imported("12009-01-01T00:00:00Z"), imported("2009-01-01T00:00:00.Z"), GOOD.replace("}", ",\"\":1}"), GOOD.replace("\"", "'")));
        for (String field : List.of("postId", "userId", "userName", "content", "parentId", "id", "other")) {
            bodies.add(GOOD.replaceAll(",?\"" + field + "\":\"[^\"]*\"", "").replace("{,", "{"));
            for (String value : VALUES) {
                String without = GOOD.replaceAll("\"" + field + "\":\"[^\"]*\",?", "").replace(",}", "}");
                bodies.add(without.replaceFirst("\\{", "{\"" + field + "\":" + value.replace("\\", "\\\\") + ","));
            }
        }
        return bodies.stream();
    }

    @ParameterizedTest
    @MethodSource("corpus")
    void theParserAndTheSchemaAgree(String body) {
        assertThat(parserTakes(body)).as(body).isEqualTo(schemaTakes(body));
    }

    @Test
    void theyAgreeOnMutations() {
        List<String> corpus = corpus().filter(body -> body.length() < 1_000).toList();
        Random random = new Random(20261122);
        int taken = 0;
        for (int i = 0; i < 20_000; i++) {
            StringBuilder body = new StringBuilder(corpus.get(random.nextInt(corpus.size())));
            for (int edits = random.nextInt(3) + 1; edits > 0 && !body.isEmpty(); edits--) {
                int at = random.nextInt(body.length());
                switch (random.nextInt(3)) {
                    case 0 -> body.deleteCharAt(at);
                    case 1 -> body.insert(at, "{}[],:\"\\u0e5tfn -9".charAt(random.nextInt(18)));
                    default -> body.insert(at, body.substring(at, Math.min(body.length(), at + random.nextInt(20))));
                }
            }
            // an edit can split a surrogate pair, which UTF-8 can't say
            String sent = new String(body.toString().getBytes(UTF_8), UTF_8);
            boolean takes = parserTakes(sent);
            assertThat(takes).as(sent).isEqualTo(schemaTakes(sent));
            taken += takes ? 1 : 0;
        }
        assertThat(taken).as("some mutations are good, some bad").isBetween(100, 19_900);
    }

    private static boolean parserTakes(String body) {
        try {
            CommentParser.read(body.getBytes(UTF_8));
            return true;
        } catch (InvalidRequestException e) {
            return false;
        }
    }

    private static boolean schemaTakes(String body) {
        try {
            JsonNode json = JSON.readTree(body);
            return !json.isMissingNode() && SCHEMA.validate(json).isEmpty();
        } catch (JsonProcessingException e) {
            return false;
        }
    }
}
