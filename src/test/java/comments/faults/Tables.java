package comments.faults;

import comments.faults.Checker.Row;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/** What is in the tables of the test's database. */
record Tables(Servers servers) {

    /** All comments. */
    List<Row> rows() throws SQLException {
        List<Row> rows = new ArrayList<>();
        try (Connection connection = servers.connectToDatabase(); Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(
                        "SELECT id, post_id, user_id, user_name, content, parent_id FROM comments")) {
            while (row.next()) {
                rows.add(new Row(row.getObject(1, UUID.class), new Posted(row.getString(2), row.getString(3),
                        row.getString(4), row.getString(5), row.getObject(6, UUID.class))));
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

    /** Whether each change that was taken is applied, or in quarantine. */
    boolean noChangeWaits() throws SQLException {
        return servers.number("SELECT count(*) FROM comment_changes_waiting") == 0;
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
