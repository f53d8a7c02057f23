package comments.processor;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The statements of comment-changes, one after the other, as kills and redeliveries make them follow each other. */
class ChangeStatementsTest extends StatementsFixture {

    private static final ObjectMapper JSON = new ObjectMapper();

    private String id;

    @BeforeEach
    void empty() throws SQLException {
        execute("TRUNCATE comments, comment_changes_waiting, comment_quarantine, user_erasures");
        id = UUID.randomUUID().toString();
    }

    private static PreparedStatement prepare(String statement, Object value) throws Exception {
        PreparedStatement prepared = database.prepareStatement(sql(statement).replaceAll(":\\?\\w+", "?"));
        for (int i = 1; i <= prepared.getParameterMetaData().getParameterCount(); i++) {
            prepared.setObject(i, value);
        }
        return prepared;
    }

    private static int update(String statement, String value) throws Exception {
        try (PreparedStatement prepared = prepare(statement, value)) {
            return prepared.executeUpdate();
        }
    }

    /** Runs a statement that applies changes; returns the notification. */
    private static JsonNode run(String statement, Object value) throws Exception {
        try (PreparedStatement prepared = prepare(statement, value); ResultSet row = prepared.executeQuery()) {
            row.next();
            String notification = row.getString("notification");
            JsonNode changes = JSON.readTree(notification == null ? "[]" : notification);
            assertThat(row.getInt("edited") + row.getInt("erased")).isEqualTo(changes.size());
            return changes;
        }
    }

    /** Applies changes; returns what is told of, such as "edited 01a2…", in its order. */
    private static List<String> apply(String... changes) throws Exception {
        return told(run("apply-changes", "[" + String.join(",", changes) + "]"));
    }

    private static List<String> applyWaiting() throws Exception {
        return told(run("apply-waiting-changes", 60_000));
    }

    private static List<String> told(JsonNode notification) {
        List<String> told = new ArrayList<>();
        notification.forEach(change -> told.add(change.get("change").asText() + " " + change.get("id").asText()));
        return told;
    }

    private static void insert(String comment, String user) throws SQLException {
        execute("INSERT INTO comments (id, post_id, user_id, user_name, content, accepted_at) VALUES ('%s', 'p', '%s', 'Ann', 'c', '2026-11-22Z')",
                comment, user);
    }

    private static String edit(String comment) {
        return edit(comment, 0);
    }

    private static String edit(String comment, int second) {
        return """
                {"id":"%s","kind":"edit","content":"e","acceptedAt":"2026-11-23T00:00:%02d.000001Z"}""".formatted(comment, second);
    }

    private static String erasure(String comment, int day) {
        return """
                {"id":"%s","kind":"erase","acceptedAt":"2026-11-%dT00:00:00Z"}""".formatted(comment, day);
    }

    private static void eraseUser(String user) throws SQLException {
        execute("INSERT INTO user_erasures VALUES (sha256(convert_to('%s', 'UTF8')), '2026-11-24Z')", user);
    }

    @Test
    void anEditThatErasesIsToldOfAlsoIfItsBatchIsDeliveredAgain() throws Exception {
        insert(id, "gone");
        eraseUser("gone");
        assertThat(apply(edit(id))).isEmpty();
        assertThat(apply(edit(id))).isEmpty();
        assertThat(select("SELECT concat(user_id, content) FROM comments")).isEmpty();
        assertThat(applyWaiting()).containsExactly("erased " + id);
        assertThat(select("SELECT erased_at = '2026-11-24Z' FROM comments")).isEqualTo("t");
        // until the wait ends
        assertThat(applyWaiting()).containsExactly("erased " + id);
    }

    @Test
    void aRedeliveredErasureIsToldOfAlsoTogetherWithAnEarlierOne() throws Exception {
        insert(id, "u");
        assertThat(apply(erasure(id, 25))).containsExactly("erased " + id);
        assertThat(apply(erasure(id, 24), erasure(id, 25), edit(id))).containsExactly("erased " + id);
        assertThat(apply(erasure(id, 24))).isEmpty();
        assertThat(select("SELECT erased_at = '2026-11-25Z' FROM comments")).isEqualTo("t");
    }

    @Test
    void ofSeveralErasuresThatWaitTheFirstCounts() throws Exception {
        for (int day : new int[] {25, 24, 26}) {
            assertThat(apply(erasure(id, day))).isEmpty();
        }
        insert(id, "u");
        assertThat(applyWaiting()).containsExactly("erased " + id);
        assertThat(select("SELECT erased_at = '2026-11-24Z' FROM comments")).isEqualTo("t");
    }

    @Test
    void theNotificationsOfTwoEditsDifferAndThoseOfOneDoNot() throws Exception {
        insert(id, "u");
        JsonNode first = run("apply-changes", "[" + edit(id, 1) + "]");
        assertThat(first).isEqualTo(JSON.readTree("""
                [{"id":"%s","postId":"p","change":"edited","editedAt":"2026-11-23T00:00:01.000001Z"}]""".formatted(id)));
        assertThat(run("apply-changes", "[" + edit(id, 1) + "]")).isEqualTo(first);
        assertThat(run("apply-changes", "[" + edit(id, 2) + "]")).isNotEqualTo(first);
        assertThat(run("apply-changes", "[" + erasure(id, 24) + "]").get(0).get("erasedAt").asText()).isEqualTo("2026-11-24T00:00:00.000000Z");
    }

    @Test
    void theErasuresOfABatchAreToldOfLast() throws Exception {
        String first = "00000000-0000-7000-8000-000000000001";
        String last = "ffffffff-0000-7000-8000-000000000001";
        for (String comment : List.of(first, id, last)) {
            insert(comment, "u");
        }
        assertThat(apply(erasure(first, 24), edit(last), edit(id))).containsExactly("edited " + id, "edited " + last, "erased " + first);
    }

    @Test
    void anErasureForgetsWhatTheSameUserSentWithTheSameId() throws Exception {
        insert(id, "hers");
        String imported = """
                {"id":"%s","postId":"p","userId":"%s","userName":"Ann","content":"c","acceptedAt":"2026-11-21T00:00:00Z","imported":"true"}""";
        String batch = "[" + imported.formatted(id, "hers") + "," + imported.formatted(id, "another") + "]";
        try (PreparedStatement differing = prepare("quarantine-differing", batch); ResultSet row = differing.executeQuery()) {
            row.next();
            assertThat(row.getInt("quarantined")).isEqualTo(2);
        }
        apply(erasure(id, 24));
        assertThat(select("SELECT string_agg(convert_from(body, 'UTF8')::json ->> 'userId', ',') FROM comment_quarantine")).isEqualTo("another");
    }

    @Test
    void moreChangesThanOneNotificationTakesWaitForTheNextAndAreNotLate() throws Exception {
        execute("INSERT INTO comments (id, post_id, user_id, user_name, content, accepted_at)"
                + " SELECT gen_random_uuid(), 'p', 'u', 'Ann', 'c', '2026-11-22Z' FROM generate_series(1, 10001)");
        execute("INSERT INTO comment_changes_waiting SELECT id, 'erase', NULL, '2026-11-24Z', now() - interval '1 hour' FROM comments");
        assertThat(applyWaiting()).hasSize(10_000);
        execute("DELETE FROM comment_changes_waiting WHERE id IN (SELECT id FROM comments WHERE erased_at IS NOT NULL)");
        assertThat(applyWaiting()).hasSize(1);
    }

    @Test
    void whatIsLateIsQuarantinedInParts() throws Exception {
        execute("INSERT INTO comment_changes_waiting SELECT gen_random_uuid(), 'erase', NULL, '2026-11-24Z', now() - interval '1 hour' FROM generate_series(1, 10001)");
        for (String quarantined : List.of("10000", "10001")) {
            assertThat(applyWaiting()).isEmpty();
            assertThat(select("SELECT count(*) FROM comment_quarantine")).isEqualTo(quarantined);
        }
    }
}
