package comments.processor;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The search for comments of users: its statements, one after the other, while erasures are repeated. */
class UserErasureSearchTest extends StatementsFixture {


    private int seconds;

    @BeforeEach
    void fill() throws SQLException {
        execute("TRUNCATE comments, comment_changes_waiting, comment_quarantine, user_erasures, user_erasures_running");
        insert(1_500);
    }

    /** Comments of the user that came after the last erasure. */
    private void insert(int comments) throws SQLException {
        execute(("INSERT INTO comments (id, post_id, user_id, user_name, content, accepted_at)"
                + " SELECT gen_random_uuid(), 'p', 'u', 'Ann', 'c', '2026-11-22Z'::timestamptz + interval '%d.5 s'"
                + " FROM generate_series(1, %d)").formatted(seconds, comments));
    }

    private static void apply(String changes) throws Exception {
        execute(sql("apply-changes").replace(":?batch", "'" + changes + "'"));
    }

    /** Erases all comments of the user until now, which is one second later than before. */
    private void eraseAll() throws Exception {
        seconds++;
        apply("[{\"id\":\"%s\",\"kind\":\"erase-user\",\"userId\":\"u\",\"acceptedAt\":\"2026-11-22T00:00:%02dZ\"}]"
                .formatted(UUID.randomUUID(), seconds));
    }

    private static int begin() throws Exception {
        try (Statement statement = database.createStatement(); ResultSet row = statement.executeQuery(sql("begin-user-erasures"))) {
            row.next();
            return row.getInt("searched");
        }
    }

    /** One part of the search, as the route does it; returns whether it was the last. */
    private static boolean search() throws Exception {
        try (Statement statement = database.createStatement(); ResultSet found = statement.executeQuery(sql("find-comments-of-users"))) {
            if (!found.next()) {
                return true;
            }
            if (found.getInt("comments") > 0) {
                apply(found.getString("changes"));
            }
            execute(sql("advance-user-erasures")
                    .replace(":?after", "'" + found.getString("after") + "'").replace(":?next", "'" + found.getString("next") + "'")
                    .replace(":?persons", "'" + found.getString("persons") + "'")
                    .replace(":?erasures", "'" + found.getString("erasures") + "'")
                    .replace(":?blocks", found.getString("blocks")).replace(":?files", "'" + found.getString("files") + "'")
                    .replace(":?ends", Boolean.toString(found.getBoolean("ends"))));
            return found.getBoolean("ends");
        }
    }

    private static int left() throws SQLException {
        return Integer.parseInt(select("SELECT count(*) FROM comments WHERE erased_at IS NULL"));
    }

    @Test
    void anErasureThatIsRepeatedBetweenAllStepsDoesNotHoldUpTheSearch() throws Exception {
        eraseAll();
        int steps = 0;
        boolean ended = false;
        while (!ended) {
            assertThat(++steps).as("steps").isLessThan(10);
            eraseAll();
            if (begin() > 0) {
                eraseAll();
                ended = search();
            }
        }
        assertThat(left()).isZero();
        assertThat(select("SELECT count(*) FROM user_erasures_running")).as("the last repetition is searched next").isEqualTo("1");
    }

    @Test
    void aSearchKeepsItsPlaceAndTheNextFindsWhatCameMeanwhile() throws Exception {
        eraseAll();
        assertThat(begin()).isZero();
        assertThat(begin()).isEqualTo(1);
        assertThat(search()).as("it notes the size of the table").isFalse();
        assertThat(search()).isFalse();
        assertThat(left()).isEqualTo(500);
        String place = select("SELECT after_row FROM user_erasures_running");
        insert(1);
        eraseAll();
        eraseAll();
        assertThat(select("SELECT string_agg(after_row::text, ',') FROM user_erasures_running")).isEqualTo(place);
        assertThat(search()).isTrue();
        assertThat(left()).as("what came later").isEqualTo(1);
        assertThat(begin()).isZero();
        assertThat(begin()).isEqualTo(1);
        search();
        assertThat(search()).isTrue();
        assertThat(left()).isZero();
        assertThat(begin()).isZero();
        assertThat(select("SELECT count(*) FROM user_erasures_running")).isEqualTo("0");
    }

    @Test
    void anErasureThatIsRepeatedWhileItWaitsKeepsItsAge() throws Exception {
        eraseAll();
        String recorded = select("SELECT recorded_at FROM user_erasures_running");
        eraseAll();
        assertThat(select("SELECT recorded_at FROM user_erasures_running")).isEqualTo(recorded);
        assertThat(select("SELECT accepted_at = '2026-11-22 00:00:02Z' FROM user_erasures_running")).isEqualTo("t");
    }
}
