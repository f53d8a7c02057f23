package comments.faults;

import static org.awaitility.Awaitility.await;

import comments.faults.Checker.Row;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.awaitility.core.ConditionTimeoutException;

/** What is in the tables of the test's database. */
record Tables(Servers servers) {

    /** All comments. */
    List<Row> rows() throws SQLException {
        List<Row> rows = new ArrayList<>();
        try (Connection connection = servers.connectToDatabase(); Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(
                        "SELECT id, post_id, user_id, user_name, content, parent_id, erased_at IS NOT NULL FROM comments")) {
            while (row.next()) {
                rows.add(new Row(row.getObject(1, UUID.class), new Posted(row.getString(2), row.getString(3),
                        row.getString(4), row.getString(5), row.getObject(6, UUID.class)), row.getBoolean(7)));
            }
        }
        return rows;
    }

    /** Whether there is a comment for each of these ids. */
    boolean contain(Set<UUID> ids) throws SQLException {
        try (Connection connection = servers.connectToDatabase();
                var statement = connection.prepareStatement("SELECT count(*) FROM comments WHERE id = ANY (?)")) {
            statement.setArray(1, connection.createArrayOf("uuid", ids.toArray()));
            ResultSet rows = statement.executeQuery();
            rows.next();
            return rows.getInt(1) == ids.size();
        }
    }

    /**
     * Waits until nothing is in a queue, and no change waits. What is not done in time is for the checker to find.
     *
     * @param users whether all comments of any user were erased, so that a search publishes further changes
     */
    void drain(boolean users) {
        try {
            servers.awaitDrained();
            await().atMost(Checker.RECOVERY_LIMIT).ignoreExceptions().until(this::noChangeWaits);
            if (users) {
                servers.awaitDrained();
            }
        } catch (ConditionTimeoutException e) {
            // something is left in a queue
        }
    }

    private boolean noChangeWaits() throws SQLException {
        return servers.number("SELECT (SELECT count(*) FROM comment_changes_waiting) + (SELECT count(*) FROM user_erasures_running)") == 0;
    }

    /** The comments that were edited or erased, and which of these was last. */
    Map<UUID, String> changed() throws SQLException {
        Map<UUID, String> changed = new HashMap<>();
        try (Connection connection = servers.connectToDatabase(); Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("""
                        SELECT id, CASE WHEN erased_at IS NULL THEN 'edited' ELSE 'erased' END FROM comments
                        WHERE edited_at IS NOT NULL OR erased_at IS NOT NULL""")) {
            while (row.next()) {
                changed.put(row.getObject(1, UUID.class), row.getString(2));
            }
        }
        return changed;
    }

    /** The messages in quarantine. */
    List<String> quarantine() throws SQLException {
        List<String> bodies = new ArrayList<>();
        try (Connection connection = servers.connectToDatabase(); Statement statement = connection.createStatement()) {
            ResultSet table = statement.executeQuery("SELECT to_regclass('comment_quarantine')");
            table.next();
            if (table.getString(1) != null) {
                ResultSet rows = statement.executeQuery("SELECT convert_from(body, 'UTF8') FROM comment_quarantine");
                while (rows.next()) {
                    bodies.add(rows.getString(1));
                }
            }
        }
        return bodies;
    }
}
