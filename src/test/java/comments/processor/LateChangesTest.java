package comments.processor;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Changes in quarantine, whose comments come later than they waited, or never: the statements, one after the other. */
class LateChangesTest extends StatementsFixture {

    private static final int PART = 1_000;

    private String id;

    @BeforeEach
    void empty() throws SQLException {
        execute("TRUNCATE comments, comment_changes_waiting, comment_quarantine, user_erasures");
        id = UUID.randomUUID().toString();
    }

    private static String sql(String statement, String value) throws Exception {
        return sql(statement).replaceAll(":\\?\\w+", "'" + value + "'");
    }

    private static String plan(String statement) throws SQLException {
        StringBuilder plan = new StringBuilder();
        try (Statement explain = database.createStatement(); ResultSet row = explain.executeQuery("EXPLAIN " + statement)) {
            while (row.next()) {
                plan.append(row.getString(1)).append('\n');
            }
        }
        return plan.toString();
    }

    private static void apply(String... changes) throws Exception {
        execute(sql("apply-changes", "[" + String.join(",", changes) + "]"));
    }

    private static void applyWaiting() throws Exception {
        execute(sql("apply-waiting-changes", "60000"));
    }

    /** Takes changes back, as the route does; returns of how many comments each statement did. */
    private static List<Integer> takeBack() throws Exception {
        List<Integer> comments = new ArrayList<>();
        String after = "";
        while (after != null) {
            try (Statement statement = database.createStatement(); ResultSet row = statement.executeQuery(sql("return-changes", after))) {
                row.next();
                comments.add(row.getInt("comments"));
                after = row.getString("after");
                assertThat(row.getInt("pause")).isBetween(0, 5_000);
            }
        }
        return comments;
    }

    private static void insert(String comment) throws SQLException {
        execute("INSERT INTO comments (id, post_id, user_id, user_name, content, accepted_at)"
                + " VALUES ('%s', 'p', 'u', 'Ann', 'c', '2026-11-22Z')", comment);
    }

    private static String edit(String comment, int second) {
        return """
                {"id":"%s","kind":"edit","content":"e","acceptedAt":"2026-11-23T00:00:%02d.000001Z"}""".formatted(comment, second);
    }

    private static String erasure(String comment, int day) {
        return """
                {"id":"%s","kind":"erase","acceptedAt":"2026-11-%dT00:00:00.000000Z"}""".formatted(comment, day);
    }

    private static void quarantine(String change, String age) throws SQLException {
        execute("INSERT INTO comment_quarantine (body, sqlstate, reason, quarantined_at)"
                + " VALUES (convert_to('%s', 'UTF8'), '02000', 'late', now() - interval '%s')", change, age);
    }

    private static void quarantineMany(int changes) throws SQLException {
        execute("INSERT INTO comment_quarantine (body, sqlstate, reason)"
                + " SELECT convert_to(format('{\"id\":\"%%s\",\"kind\":\"erase\",\"acceptedAt\":\"2026-11-23T00:00:00Z\"}',"
                + " gen_random_uuid()), 'UTF8'), '02000', 'late' FROM generate_series(1, %d)", changes);
    }

    /** What the quarantine has, each with its kind. */
    private static String quarantined() throws SQLException {
        return select("SELECT coalesce(string_agg(convert_from(body, 'UTF8')::json ->> 'kind', ',' ORDER BY 1), '')"
                + " FROM comment_quarantine WHERE sqlstate = '02000'");
    }

    private static String waiting() throws SQLException {
        return select("SELECT string_agg(concat_ws(' ', kind, id, content, to_char(accepted_at AT TIME ZONE 'UTC', 'DD SS')), ',')"
                + " FROM comment_changes_waiting");
    }

    /** Lets a change wait for so long that it is quarantined. */
    private static void makeLate(String change) throws Exception {
        apply(change);
        execute("UPDATE comment_changes_waiting SET waiting_since = now() - interval '1 hour'");
        applyWaiting();
        assertThat(waiting()).isNull();
    }

    @Test
    void aChangeWhoseCommentCameTooLateIsTakenBackFromTheQuarantine() throws Exception {
        insert(id);
        quarantine(edit(id, 2), "1 hour");
        quarantine(edit(id, 3), "400 days");
        quarantine(edit(id, 1), "1 hour");
        quarantine(edit(UUID.randomUUID().toString(), 1), "1 hour");
        execute("INSERT INTO comment_quarantine (body, sqlstate, reason) VALUES ('no JSON', '22P02', 'bad')");
        assertThat(takeBack()).containsExactly(1);
        assertThat(waiting()).isEqualTo("edit " + id + " e 23 03");
        assertThat(select("SELECT count(*) FROM comment_quarantine")).isEqualTo("2");
        applyWaiting();
        assertThat(select("SELECT content FROM comments")).isEqualTo("e");
        assertThat(takeBack()).containsExactly(0);
    }

    @Test
    void anErasureIsAppliedHoweverLateItsCommentComes() throws Exception {
        makeLate(erasure(id, 24));
        execute("INSERT INTO comment_quarantine (body, sqlstate, reason) VALUES ('no JSON', '22P02', 'bad')");
        quarantine(edit(UUID.randomUUID().toString(), 1), "1 hour");
        execute("UPDATE comment_quarantine SET quarantined_at = now() - interval '400 days'");
        execute(sql("delete-quarantined", "30"));
        assertThat(select("SELECT count(*) FROM comment_quarantine")).isEqualTo("1");
        assertThat(takeBack()).containsExactly(0);
        insert(id);
        assertThat(takeBack()).containsExactly(1);
        applyWaiting();
        assertThat(select("SELECT concat(user_id, user_name, content, erased_at = '2026-11-24Z') FROM comments")).isEqualTo("t");
    }

    @Test
    void anErasureThatIsTakenBackWinsOverWhatWaits() throws Exception {
        insert(id);
        execute("INSERT INTO comment_changes_waiting VALUES ('%s', 'edit', 'e', '2026-11-25Z')", id);
        quarantine(erasure(id, 24), "1 hour");
        quarantine(erasure(id, 23), "1 hour");
        quarantine(edit(id, 3), "1 hour");
        takeBack();
        assertThat(waiting()).isEqualTo("erase " + id + " 23 00");
    }

    @Test
    void allLateChangesAreLookedAtInParts() throws Exception {
        quarantineMany(2 * PART + 1);
        List<String> comments = List.of("00000000-0000-4000-8000-000000000001", id, "ffffffff-ffff-4fff-bfff-ffffffffffff");
        for (String comment : comments) {
            quarantine(erasure(comment, 24), "2 days");
            insert(comment);
        }
        List<Integer> found = takeBack();
        assertThat(found).hasSize(3);
        assertThat(found.stream().mapToInt(Integer::intValue).sum()).isEqualTo(3);
        applyWaiting();
        assertThat(select("SELECT count(erased_at) FROM comments")).isEqualTo("3");
    }

    @Test
    void anErasureForgetsLateEditsOfACommentThatNeverComes() throws Exception {
        String another = UUID.randomUUID().toString();
        makeLate(edit(another, 1));
        makeLate(edit(id, 1));
        assertThat(quarantined()).isEqualTo("edit,edit");
        apply(erasure(id, 24));
        assertThat(quarantined()).as("while the erasure waits").isEqualTo("edit");
        quarantine(edit(id, 2), "1 hour");
        makeLate(erasure(id, 25));
        assertThat(quarantined()).as("when it is late").isEqualTo("edit,erase");
        makeLate(edit(id, 3));
        assertThat(quarantined()).as("and later").isEqualTo("edit,erase");
        assertThat(select("SELECT count(*) FROM comment_quarantine WHERE convert_from(body, 'UTF8') LIKE '%%%s%%edit%%'", id))
                .isEqualTo("0");
    }

    @Test
    void noStatementReadsAllLateChanges() throws Exception {
        quarantineMany(50 * PART);
        execute("INSERT INTO comments (id, post_id, user_id, user_name, content, accepted_at)"
                + " SELECT gen_random_uuid(), 'p', 'u', 'Ann', 'c', '2026-11-22Z' FROM generate_series(1, %d)", 10 * PART);
        execute("ANALYZE comments, comment_quarantine");
        insert(id);
        execute("INSERT INTO comment_changes_waiting VALUES ('%s', 'erase', NULL, '2026-11-25Z')", id);
        String apply = sql("apply-changes", "[" + erasure(id, 24) + "]");
        for (String statement : List.of(apply, sql("apply-waiting-changes", "60000"), sql("return-changes", ""))) {
            assertThat(plan(statement)).contains("comment_quarantine_by_comment")
                    .doesNotContain("Seq Scan on comment_quarantine", "comment_quarantine_of_changes");
        }
    }
}
