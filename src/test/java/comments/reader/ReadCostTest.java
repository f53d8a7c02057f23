package comments.reader;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.UUID;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** How much the database reads for a page. */
class ReadCostTest extends ReaderFixture {

    // have the same hashtextextended(…, 0)
    private static final String POST = "p1";
    private static final String COLLIDING = "n0u7f513aeq1w2D/?p}_{ta+";
    private static final Pattern BLOCKS = Pattern.compile("(?:hit|read)=(\\d+)");

    /** The blocks of the table and its indexes that a page of 50 takes. */
    private static int blocks(String file, String... parameters) throws SQLException, IOException {
        String sql = Files.readString(Path.of("routes/sql", file));
        for (int i = 0; i < parameters.length; i += 2) {
            sql = sql.replace(":?" + parameters[i], parameters[i + 1]);
        }
        sql = sql.replace(":?acceptedAt", "timestamptz 'infinity'").replace(":?id", "'ffffffff-ffff-ffff-ffff-ffffffffffff'")
                .replace(":?limit", "50").replace(":?bytes", "262144").replace(":?share", "5242");
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) " + sql)) {
            while (rows.next()) {
                // the first line has those of all the others
                if (rows.getString(1).contains("Buffers: shared")) {
                    return BLOCKS.matcher(rows.getString(1)).results().map(MatchResult::group)
                            .mapToInt(count -> Integer.parseInt(count.replaceAll("\\D", ""))).sum();
                }
            }
            throw new AssertionError("the plan has no buffers");
        }
    }

    @Test
    void commentsOnAPostWhoseIdHasTheSameHashCostAnotherPostNothing() throws Exception {
        try (Statement statement = connection.createStatement(); ResultSet same = statement.executeQuery(
                "SELECT hashtextextended('%s', 0) = hashtextextended('%s', 0)".formatted(POST, COLLIDING))) {
            same.next();
            assertThat(same.getBoolean(1)).isTrue();
        }
        UUID id = insert(POST, 1);
        execute("INSERT INTO comments SELECT gen_random_uuid(), '%s', 'u', 'Ann', 'c', NULL, timestamptz '2026-11-22 10:00Z'".formatted(COLLIDING)
                + " + i * interval '1 ms', now() FROM generate_series(1, 300000) i");
        execute("ANALYZE comments");
        assertThat(blocks("select-comments-of-post.sql", "postId", "'" + POST + "'")).isLessThan(30);
        assertThat(idsOf(get("/comments?postId=" + POST))).containsExactly(id.toString());
    }

    /** Two years of comments, of which the post has the first. */
    @Test
    void aPageOfAQuietPostReadsAFewBlocksOfEachPeriod() throws Exception {
        UUID parent = UUID.randomUUID();
        UUID id = insert("quiet", "c", parent, "2024-11-22T10:00:00Z");
        execute("INSERT INTO comments SELECT gen_random_uuid(), 'post-' || i % 1000, 'u', 'Ann', 'c', gen_random_uuid(),"
                + " timestamptz '2024-11-22 11:00Z' + i * interval '21 minutes', now() FROM generate_series(1, 50000) i");
        execute("VACUUM ANALYZE comments");
        int periods = 27;
        for (String size : List.of("", "large-")) {
            assertThat(blocks("select-" + size + "comments-of-post.sql", "postId", "'quiet'")).isBetween(2 * periods, 10 * periods);
            assertThat(blocks("select-" + size + "replies.sql", "parentId", "'" + parent + "'")).isBetween(2 * periods, 10 * periods);
        }
        assertThat(idsOf(get("/comments?postId=quiet"))).containsExactly(id.toString());
        assertThat(idsOf(get("/comments/" + parent + "/replies"))).containsExactly(id.toString());
    }

    /** Two years of comments, 500 of each of 100 posts, and 50,000 of another. */
    @Test
    void countsReadOnlyTheIndexAndStopAtAThousand() throws Exception {
        execute("INSERT INTO comments SELECT gen_random_uuid(), post, 'u', 'Ann', 'c', NULL,"
                + " timestamptz '2024-11-22 11:00Z' + i * interval '21 minutes', now()"
                + " FROM generate_series(1, 50000) i CROSS JOIN LATERAL (VALUES ('busy'), ('post-' || i % 100)) AS posts (post)");
        execute("VACUUM ANALYZE comments");
        int periods = 27;
        assertThat(blocks("select-counts.sql", "postIds", "'{busy}'", "limit", "1000")).isLessThan(60);
        assertThat(blocks("select-counts.sql", "postIds", "'{post-1}'", "limit", "1000")).isBetween(2 * periods, 10 * periods);
        String hundred = IntStream.range(0, 100).mapToObj(i -> "post-" + i).collect(Collectors.joining(","));
        assertThat(blocks("select-counts.sql", "postIds", "'{" + hundred + "}'", "limit", "1000")).isLessThan(100 * 5 * periods);
    }

    @Test
    void aFullPageReadsNoOlderPeriod() throws Exception {
        execute("INSERT INTO comments SELECT gen_random_uuid(), 'busy', 'u', 'Ann', 'c', NULL,"
                + " timestamptz '2024-11-22 11:00Z' + i * interval '21 minutes', now() FROM generate_series(1, 50000) i");
        execute("VACUUM ANALYZE comments");
        assertThat(blocks("select-comments-of-post.sql", "postId", "'busy'")).isLessThan(80);
        assertThat(blocks("select-large-comments-of-post.sql", "postId", "'busy'")).isLessThan(80);
    }
}
