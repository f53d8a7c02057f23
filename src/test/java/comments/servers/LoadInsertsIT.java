package comments.servers;

import static org.assertj.core.api.Assertions.assertThat;

import comments.support.LoadTool;
import comments.support.LoadTool.Result;
import comments.support.PrivatePostgreSQL;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The tool that measures inserts, on a table that is too small to say anything. */
class LoadInsertsIT {

    @Test
    void allTablesAreFilledMeasuredAndDropped() throws Exception {
        try (PrivatePostgreSQL postgresql = PrivatePostgreSQL.start()) {
            Result inserts = LoadTool.run(Map.of("POSTGRES_URL", postgresql.url(), "POSTGRES_USER", "postgres"), "load/inserts", "2000", "3");
            assertThat(inserts.exit()).as(inserts.errors()).isZero();
            Stream.of("empty", "current", "without_reading", "large").forEach(table ->
                    assertThat(inserts.output()).containsPattern("(?m)^" + table + " +median of 2 batches: \\d+\\.\\d ms, \\d+\\.\\d us a comment, \\d+\\.\\d\\d times as long as empty$"));
            try (Connection connection = postgresql.connect(); Statement statement = connection.createStatement();
                    ResultSet databases = statement.executeQuery("SELECT count(*) FROM pg_database WHERE datname LIKE 'inserts%'")) {
                databases.next();
                assertThat(databases.getInt(1)).isZero();
            }
        }
    }
}
