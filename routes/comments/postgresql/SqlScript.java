package comments.postgresql;

import java.nio.charset.StandardCharsets;
import java.sql.Statement;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import org.flywaydb.core.api.MigrationVersion;
import org.flywaydb.core.api.migration.Context;
import org.flywaydb.core.api.migration.JavaMigration;

/**
 * One version of the schema: a script that is named as Flyway names them, such as {@code V1__comments.sql}. Flyway's own
 * scan for scripts needs a folder that it can list, which the launchers don't all have.
 *
 * <p>An index of the script is built only if it is not there, and dropped only if it is there: {@link SchemaMigration} builds
 * and drops those of large tables before.
 */
final class SqlScript implements JavaMigration {

    /** An index: its name, its table, and the rest of the statement. */
    private static final Pattern INDEX = Pattern.compile("^CREATE INDEX (\\w+) ON (\\w+) ([^;]+);", Pattern.MULTILINE);
    private static final Pattern DROPPED_INDEX = Pattern.compile("^DROP INDEX (\\w+);", Pattern.MULTILINE);

    private final String name;
    private final String sql;

    SqlScript(String name, String sql) {
        this.name = name;
        this.sql = sql;
    }

    /** The indexes that the script creates, each with its name, its table and the rest of the statement as groups. */
    List<MatchResult> indexes() {
        return INDEX.matcher(sql).results().toList();
    }

    /** The names of the indexes that the script drops. */
    List<String> droppedIndexes() {
        return DROPPED_INDEX.matcher(sql).results().map(index -> index.group(1)).toList();
    }

    /** Whether the script creates or drops an index. */
    boolean changesIndexes() {
        return !indexes().isEmpty() || !droppedIndexes().isEmpty();
    }

    @Override
    public MigrationVersion getVersion() {
        return MigrationVersion.fromVersion(name.substring(1, name.indexOf("__")));
    }

    @Override
    public String getDescription() {
        return name.substring(name.indexOf("__") + 2, name.length() - ".sql".length()).replace('_', ' ');
    }

    @Override
    public Integer getChecksum() {
        CRC32 crc = new CRC32();
        crc.update(sql.getBytes(StandardCharsets.UTF_8));
        return (int) crc.getValue();
    }

    @Override
    public boolean canExecuteInTransaction() {
        return true;
    }

    @Override
    public void migrate(Context context) throws Exception {
        try (Statement statement = context.getConnection().createStatement()) {
            String built = INDEX.matcher(sql).replaceAll("CREATE INDEX IF NOT EXISTS $1 ON $2 $3;");
            statement.execute(DROPPED_INDEX.matcher(built).replaceAll("DROP INDEX IF EXISTS $1;"));
        }
    }
}
