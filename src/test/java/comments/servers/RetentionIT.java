package comments.servers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.support.JarProcess;
import comments.support.PrivateServers;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The retention with least privileges, while comments are posted and a process is killed. */
class RetentionIT {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int OLD = 60_000;
    private static final int YOUNG = 10_000;

    @RegisterExtension
    static final PrivateServers SERVERS = new PrivateServers();

    private static void execute(String sql) throws SQLException {
        try (Connection connection = SERVERS.connectToDatabase(); Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static long count(String where) throws SQLException {
        return SERVERS.number("SELECT count(*) FROM comments WHERE " + where);
    }

    private static void makeSchema(int days) throws Exception {
        JarProcess schema = SERVERS.launch(PrivateServers.ALL, "POSTGRES_USER", PrivateServers.OWNER, "POSTGRES_MIGRATE", "only",
                "COMMENTS_RETENTION", days);
        assertThat(schema.awaitEnd()).isZero();
    }

    private static boolean mayDelete(String role) throws SQLException {
        return SERVERS.number("SELECT has_table_privilege('%s', 'comments', 'DELETE')::int".formatted(role)) == 1;
    }

    @Test
    void onlyTheChangerMayDeleteAndOnlyWhereThereIsARetention() throws Exception {
        assertThat(mayDelete(PrivateServers.CHANGER)).isFalse();
        makeSchema(30);
        assertThat(mayDelete(PrivateServers.CHANGER)).isTrue();
        assertThat(mayDelete(PrivateServers.WRITER)).isFalse();
        assertThat(mayDelete(PrivateServers.READER)).isFalse();
        makeSchema(0);
        assertThat(mayDelete(PrivateServers.CHANGER)).isFalse();
    }

    @Test
    void processesThatAreKilledLeaveNothingOldAndNothingYoungIsTouched() throws Exception {
        makeSchema(30);
        execute("""
                INSERT INTO comments (id, post_id, user_id, user_name, content, accepted_at)
                SELECT gen_random_uuid(), 'post-' || i %% 9973, 'u', 'Ann', 'old', now() - interval '30 days' - i * interval '1 minute'
                FROM generate_series(1, %d) AS i""".formatted(OLD));
        execute("""
                INSERT INTO comments (id, post_id, user_id, user_name, content, accepted_at)
                SELECT gen_random_uuid(), 'post-' || i %% 9973, 'u', 'Ann', 'young', now() - i * interval '2 minutes'
                FROM generate_series(1, %d) AS i""".formatted(YOUNG));
        JarProcess service = SERVERS.start("comment-service,comment-job-processor", "COMMENTS_RETENTION", 30);
        int posted = 0;
        for (int killed = 0; killed < 3; killed++) {
            long before = count("content = 'old'");
            JarProcess changes = SERVERS.launch("comment-changes", "COMMENTS_RETENTION", 30);
            JarProcess other = SERVERS.launch("comment-changes", "COMMENTS_RETENTION", 30);
            while (count("content = 'old'") > before - 6_000) {
                assertThat(service.post("{\"postId\":\"p\",\"userId\":\"u\",\"userName\":\"Ann\",\"content\":\"young\"}").statusCode()).isEqualTo(202);
                posted++;
            }
            changes.kill();
            other.kill();
        }
        assertThat(count("content = 'old'")).isPositive();
        JarProcess last = SERVERS.start("comment-changes", "COMMENTS_RETENTION", 30);
        await().atMost(LIMIT).until(() -> count("content = 'old'") == 0);
        long young = YOUNG + posted;
        await().atMost(LIMIT).until(() -> count("content = 'young'") == young);
        assertThat(last.metric("comments_deleted_total")).isPositive();
        assertThat(last.log().filter(line -> line.contains("that are older than 30 days, in the 28 days from "))).isNotEmpty();
    }

    @Test
    void withoutThePrivilegeTheLogSaysSoAndNothingElseStops() throws Exception {
        execute("INSERT INTO comments (id, post_id, user_id, user_name, content, accepted_at)"
                + " VALUES (gen_random_uuid(), 'p', 'u', 'Ann', 'old', now() - interval '31 days')");
        JarProcess changes = SERVERS.start("comment-changes", "COMMENTS_RETENTION", 30);
        await().atMost(LIMIT).until(() -> changes.log().anyMatch(line -> line.contains("comment-changes-retention") && line.contains("COMMENTS_RETENTION must also be set where the schema is made")));
        assertThat(count("true")).isEqualTo(1);
        makeSchema(30);
        await().atMost(LIMIT).until(() -> count("true") == 0);
    }
}
