package comments.reader;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The view comment_periods, which pages read from the newest period to the oldest. */
class CommentPeriodsTest extends ReaderFixture {

    private static List<String> strings(String query) throws SQLException {
        List<String> found = new ArrayList<>();
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(query)) {
            while (rows.next()) {
                found.add(rows.getString(1));
            }
        }
        return found;
    }

    private static List<String> periods() throws SQLException {
        return strings("SELECT start AT TIME ZONE 'UTC' FROM comment_periods");
    }

    private static void insert(String... times) throws SQLException {
        for (String time : times) {
            insert("p", time, null, time);
        }
    }

    @AfterEach
    void resetTimeZone() throws SQLException {
        execute("RESET TimeZone");
    }

    /** In New York, the clocks change between these two. */
    @Test
    void periodsBetweenTwoCommentsAreCountedInAnyTimeZone() throws Exception {
        execute("SET TimeZone = 'America/New_York'");
        insert("2026-01-20T00:00:00Z", "2026-05-20T00:00:00Z");
        assertThat(periods()).containsExactly("2026-05-18 00:00:00", "2026-04-20 00:00:00", "2026-03-23 00:00:00", "2026-02-23 00:00:00",
                "2026-01-26 00:00:00", "2025-12-29 00:00:00");
        assertThat(get("/comments?postId=p").body()).contains("2026-05-20", "2026-01-20");
    }

    @Test
    void noPeriodBetweenCommentsOfTwoCenturiesIsRead() throws Exception {
        insert("1826-01-20T00:00:00Z", "2026-05-20T00:00:00Z");
        assertThat(periods()).hasSize(2);
        assertThat(get("/comments?postId=p").body()).contains("2026-05-20", "1826-01-20");
    }

    /** A producer of its own may write such a time. */
    @ParameterizedTest
    @ValueSource(strings = {"infinity", "-infinity"})
    void anInfiniteTimeIsAPeriodOfItsOwn(String time) throws Exception {
        insert("p", "endless", null, time);
        assertThat(periods()).containsExactly(time);
        insert("2026-05-20T00:00:00Z");
        assertThat(periods()).hasSize(2).contains(time);
    }

    @Test
    void anEmptyTableHasNone() throws Exception {
        assertThat(periods()).isEmpty();
    }
}
