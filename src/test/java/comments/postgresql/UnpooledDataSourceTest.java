package comments.postgresql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import comments.support.TestServers;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.TimeZone;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UnpooledDataSourceTest {

    private static UnpooledDataSource source(String url) {
        return new UnpooledDataSource(url, "postgres", "");
    }

    private static String shown(Connection connection, String setting) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet row = statement.executeQuery("SHOW " + setting)) {
            row.next();
            return row.getString(1);
        }
    }

    /** IST is a name that only Java has; the second one could be in a newer list of zones than the server's. */
    @ParameterizedTest
    @CsvSource({"IST, Asia/Kolkata", "Etc/Unknown, UTC", "Europe/Berlin, Europe/Berlin"})
    void aTimeZoneThatTheDatabaseDoesNotKnowGetsAnotherName(String zone, String used) throws Exception {
        UnpooledDataSource source = source(TestServers.newDatabase());
        TimeZone before = TimeZone.getDefault();
        TimeZone named = (TimeZone) TimeZone.getTimeZone("UTC").clone();
        named.setID(zone);
        TimeZone.setDefault(named);
        try (Connection connection = source.getConnection()) {
            assertThat(shown(connection, "TimeZone")).isEqualTo(used);
            assertThat(TimeZone.getDefault().getID()).isEqualTo(used);
        } finally {
            TimeZone.setDefault(before);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"LATIN1", "SQL_ASCII"})
    void aDatabaseThatCanNotHoldEveryCharacterIsRefused(String encoding) throws Exception {
        String url = TestServers.newDatabase();
        String name = "encoded_" + encoding.toLowerCase();
        try (Connection connection = DriverManager.getConnection(url); Statement statement = connection.createStatement()) {
            statement.execute("CREATE DATABASE %s ENCODING '%s' LOCALE 'C' TEMPLATE template0".formatted(name, encoding));
        }
        assertThatThrownBy(() -> source(url.replaceFirst("/test\\d+", "/" + name)).getConnection())
                .isInstanceOf(SQLException.class)
                .hasMessage("the database has the encoding %s, and must have UTF8".formatted(encoding));
    }

    /** Else a crash of the server takes comments whose messages are acknowledged. */
    @Test
    void aCommitIsOnDiskWhateverTheDatabaseSays() throws Exception {
        String url = TestServers.newDatabase();
        try (Connection connection = DriverManager.getConnection(url); Statement statement = connection.createStatement()) {
            statement.execute("ALTER DATABASE " + connection.getCatalog() + " SET synchronous_commit = off");
        }
        try (Connection connection = source(url).getConnection()) {
            assertThat(shown(connection, "synchronous_commit")).isEqualTo("on");
        }
        try (Connection connection = DriverManager.getConnection(url)) {
            assertThatThrownBy(() -> UnpooledDataSource.requireDurableCommits(connection, true)).isInstanceOf(SQLException.class)
                    .hasMessageContaining("synchronous_commit = off, and must have on");
            assertThat(shown(connection, "synchronous_commit")).isEqualTo("off");
        }
    }

    /** Who asks for more than that, such as for a replica, gets it. */
    @Test
    void aCommitMayWaitForMore() throws Exception {
        try (Connection connection = source(TestServers.newDatabase() + "&options=-c%20synchronous_commit=remote_apply").getConnection()) {
            assertThat(shown(connection, "synchronous_commit")).isEqualTo("remote_apply");
        }
    }

    /** A server that refuses what the driver sends at connect has not seen any comment. */
    @Test
    void aRefusedConnectionIsNoDataError() throws Exception {
        String url = TestServers.newDatabase() + "&options=-c%20work_mem=none";
        try (CamelContext context = new DefaultCamelContext(); PostgresDataSource pool = new PostgresDataSource()) {
            pool.setJdbcUrl(url);
            Exchange exchange = new DefaultExchange(context);
            assertThatThrownBy(pool::getConnection).isInstanceOfSatisfying(SQLException.class, exchange::setException);
            assertThat(exchange.getException()).hasMessageContaining("work_mem");
            assertThat(new DataError().matches(exchange)).isFalse();
        }
    }

    @Test
    void aSessionOfItsOwnKeepsItsPreparedStatements() throws Exception {
        try (PostgresDataSource pool = new PostgresDataSource()) {
            pool.setJdbcUrl(TestServers.newDatabase());
            try (Connection connection = pool.getConnection()) {
                assertThat(connection.unwrap(org.postgresql.PGConnection.class).getPrepareThreshold()).isEqualTo(5);
            }
        }
    }

    @Test
    void whiteSpaceAroundTheSettingsIsIgnored() throws Exception {
        String url = TestServers.newDatabase().replaceFirst("\\?.*", "");
        try (PostgresDataSource pool = new PostgresDataSource()) {
            pool.setJdbcUrl(" " + url + "\n");
            pool.setUsername("postgres\n");
            pool.setPassword(TestServers.password() + "\r\n");
            try (Connection connection = pool.getConnection()) {
                assertThat(connection.getMetaData().getUserName()).isEqualTo("postgres");
            }
        }
    }
}
