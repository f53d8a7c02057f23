package comments.service;

import static java.nio.charset.StandardCharsets.UTF_16;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import comments.http.InvalidRequestException;
import comments.http.InvalidRequestException.FieldError;
import comments.http.Problem;
import comments.model.Comment;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class CommentParserTest {

    private static final String COMMENT = """
            {"postId":"p","userId":"u","userName":"Ann","content":"Hi","parentId":"01a203e0-e52b-70a1-b154-faa7274d2213"}""";

    private static Comment read(String json) throws InvalidRequestException {
        return CommentParser.read(json.getBytes(UTF_8)).list().get(0);
    }

    private static InvalidRequestException refusal(byte[] body) {
        return catchThrowableOfType(InvalidRequestException.class, () -> CommentParser.read(body));
    }

    private static InvalidRequestException refusal(String body) {
        return refusal(body.getBytes(UTF_8));
    }

    private static String with(String field, String value) {
        return COMMENT.replaceAll("\"" + field + "\":\"[^\"]*\"", "\"" + field + "\":" + value.replace("\\", "\\\\"));
    }

    @Test
    void readsEveryField() throws InvalidRequestException {
        assertThat(read(COMMENT)).isEqualTo(
                new Comment("p", "u", "Ann", "Hi", UUID.fromString("01a203e0-e52b-70a1-b154-faa7274d2213")));
    }

    @Test
    void readsTheTextThatTheJsonStandsFor() throws InvalidRequestException {
        assertThat(read(with("content", "\"\\u00e4\\ud83d\\ude00\\n\\\"é😀\"")).content()).isEqualTo("ä😀\n\"é😀");
    }

    @Test
    void takesTheLongestFieldsCountedInCharacters() throws InvalidRequestException {
        String longestName = "😀".repeat(200);
        String longestContent = "😀".repeat(10_000);
        assertThat(read(with("userName", "\"" + longestName + "\"")).userName()).isEqualTo(longestName);
        assertThat(read(with("content", "\"" + longestContent + "\"")).content()).isEqualTo(longestContent);
    }

    @Test
    void stopsAtAHundredWrongFields() {
        StringBuilder names = new StringBuilder();
        for (int i = 0; i < 100_000; i++) {
            names.append("\"name").append(i).append("\":1,");
        }
        // what follows is not JSON, and is not read
        InvalidRequestException refusal = refusal("{" + names + "!");
        assertThat(refusal.status()).isEqualTo(422);
        assertThat(refusal.errors()).hasSize(100);
        String name = "a name that only a client has " + System.nanoTime();
        refusal("{\"" + name + "\":1}");
        assertThat(name.intern()).as("the JVM's table of strings has no other").isSameAs(name);
    }

    @Test
    void namesEachFieldThatIsWrong() {
        InvalidRequestException refusal = refusal("""
                {"postId":"","userId":7,"userName":"%s","content":null,"parentId":"1-1-1-1-1","admin":true}"""
                .formatted("a".repeat(201)));
        assertThat(refusal.status()).isEqualTo(422);
        assertThat(refusal.errors()).containsExactly(
                new FieldError("#/postId", "must be 1 to 200 characters long, and is 0"),
                new FieldError("#/userId", "must be a string"),
                new FieldError("#/userName", "must be 1 to 200 characters long, and is 201"),
                new FieldError("#/content", "must be a string"),
                new FieldError("#/admin", "is not a field of a comment"),
                new FieldError("#/parentId", "must be a UUID, or left out"));
    }

    @Test
    void namesEachFieldThatIsMissing() {
        assertThat(refusal("{}").errors()).extracting(FieldError::pointer)
                .containsExactly("#/postId", "#/userId", "#/userName", "#/content");
    }

    @Test
    void refusesAFieldThatIsGivenTwice() {
        assertThat(refusal(COMMENT.replace("{", "{\"content\":\"a\",")).errors())
                .containsExactly(new FieldError("#/content", "is given twice"));
        assertThat(refusal(COMMENT.replace("{", "{\"parentId\":null,")).errors())
                .containsExactly(new FieldError("#/parentId", "is given twice"));
    }

    @Test
    void refusesWhatPostgresqlOrUtf8CannotHold() {
        for (String text : new String[] {"\"a\\u0000\"", "\"\\ud83d\"", "\"\\ude00\\ud83d\"", "\"\\ud83dx\""}) {
            assertThat(refusal(with("content", text)).errors()).as(text).containsExactly(new FieldError("#/content",
                    "must not contain the character U+0000 or half of a surrogate pair"));
        }
    }

    @Test
    void whatItSaysOfAnUnknownFieldCanBeSaidInUtf8() {
        InvalidRequestException refusal = refusal(COMMENT.replace("{", "{\"a" + "😀".repeat(50) + "\":1,"));
        assertThat(new String(Problem.json(422, "", refusal.errors()), UTF_8)).contains("?…");
    }

    @Test
    void boundsWhatItSaysOfAnUnknownField() {
        InvalidRequestException refusal = refusal(COMMENT.replace("{", "{\"" + "x/~".repeat(1_000) + "\":1,"));
        assertThat(refusal.errors()).singleElement()
                .satisfies(error -> assertThat(error.pointer()).startsWith("#/x~1~0x").hasSizeLessThan(150));
        assertThat(refusal("[" + "1,".repeat(500) + "1]").errors()).hasSize(100);
    }

    @Test
    void refusesWhatIsNotOneJsonText() {
        for (String body : new String[] {"", " ", "{", "nul", COMMENT + "x", COMMENT + COMMENT, COMMENT.replace('"', '\''),
            "\ufeff" + COMMENT, "{\"postId\":\"\t\"}", "[".repeat(100_000), "{\"a\":" + "9".repeat(5_000) + "}",
            COMMENT.substring(0, COMMENT.length() - 1), "{\"postId\":\"\\x\"}", "// comment\n" + COMMENT}) {
            assertThat(refusal(body)).as(body.substring(0, Math.min(40, body.length())))
                    .extracting(InvalidRequestException::status).isEqualTo(400);
        }
    }

    @Test
    void refusesAnotherEncodingThanUtf8() {
        byte[] latin1 = with("content", "\"ä\"").getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
        byte[] overlong = COMMENT.getBytes(UTF_8);
        int hi = COMMENT.indexOf("Hi");
        overlong[hi] = (byte) 0xc1;
        overlong[hi + 1] = (byte) 0x81;
        for (byte[] body : new byte[][] {latin1, overlong, COMMENT.getBytes(UTF_16)}) {
            assertThat(refusal(body).status()).isEqualTo(400);
        }
    }

    @Test
    void refusesAJsonTextThatIsNoComment() {
        for (String body : new String[] {"null", "1", "\"a\"", "true"}) {
            assertThat(refusal(body).errors()).as(body)
                    .containsExactly(new FieldError("#", "must be an object: a comment"));
        }
    }

    @Test
    void readsAListInItsOrder() throws InvalidRequestException {
        var comments = CommentParser.read(("[" + COMMENT + "," + with("content", "\"Ho\"") + "]").getBytes(UTF_8));
        assertThat(comments.bulk()).isTrue();
        assertThat(comments.list()).extracting(Comment::content).containsExactly("Hi", "Ho");
    }

    @Test
    void namesWhatIsWrongInAListByItsPlace() {
        assertThat(refusal("[" + COMMENT + "," + with("content", "1") + ",7]").errors()).containsExactly(
                new FieldError("#/1/content", "must be a string"), new FieldError("#/2", "must be an object: a comment"));
    }

    @Test
    void takesListsOfOneToAThousand() throws InvalidRequestException {
        String thousand = "[" + (COMMENT + ",").repeat(999) + COMMENT + "]";
        assertThat(CommentParser.read(thousand.getBytes(UTF_8)).list()).hasSize(1_000);
        FieldError howMany = new FieldError("#", "must hold 1 to 1000 comments");
        assertThat(refusal(thousand.replace("[", "[" + COMMENT + ",")).errors()).containsExactly(howMany);
        assertThat(refusal("[]").errors()).containsExactly(howMany);
    }

    @Test
    void readsACommentFromEachLine() throws InvalidRequestException {
        var comments = CommentParser.readLines(("\n" + COMMENT + "\n \r\n" + COMMENT + "\r\n\n").getBytes(UTF_8));
        assertThat(comments.bulk()).isTrue();
        assertThat(comments.list()).hasSize(2);
    }

    @Test
    void namesTheLineOfTheBodyThatIsNotJson() {
        assertThat(catchThrowableOfType(InvalidRequestException.class,
                () -> CommentParser.readLines((COMMENT + "\n\n{oops\n" + COMMENT).getBytes(UTF_8))))
                .hasMessage("The body is not JSON: it can't be read past line 3, column 2.");
    }

    @Test
    void refusesLinesThatAreNotOneCommentEach() {
        for (String body : new String[] {"", "\n", " \r\n\n", COMMENT + COMMENT,
            COMMENT.replace(",", ",\n")}) {
            assertThat(catchThrowableOfType(InvalidRequestException.class, () -> CommentParser.readLines(body.getBytes(UTF_8))))
                    .as(body).extracting(InvalidRequestException::status).isEqualTo(400);
        }
        assertThat(catchThrowableOfType(InvalidRequestException.class,
                () -> CommentParser.readLines((COMMENT + "\n[]\n").getBytes(UTF_8))).errors())
                .containsExactly(new FieldError("#/1", "must be an object: a comment"));
    }
}
