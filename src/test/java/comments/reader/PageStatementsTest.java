package comments.reader;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The statements of pages, which can share no text, say the same where they must. */
class PageStatementsTest {

    // in one line, without comments
    private static String statement(String name) throws IOException {
        return Files.readAllLines(Path.of("routes/sql", name + ".sql")).stream().filter(line -> !line.startsWith("--")).map(String::strip)
                .collect(Collectors.joining(" "));
    }

    @ParameterizedTest
    @ValueSource(strings = {"comments-of-post", "replies"})
    void aPageByItsSizeFindsTheSameRows(String rows) throws IOException {
        String plain = statement("select-" + rows);
        assertThat(statement("select-large-" + rows)).contains(plain.substring(plain.indexOf("FROM comment_periods")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"select-", "select-large-"})
    void repliesAreReadAsCommentsOfAPostButForTheirKey(String kind) throws IOException {
        String ofPost = statement(kind + "comments-of-post");
        assertThat(ofPost).contains("post_id COLLATE \"C\" = :?postId");
        assertThat(statement(kind + "replies")).isEqualTo(ofPost.replace("post_id COLLATE \"C\" = :?postId", "parent_id = :?parentId"));
    }
}
