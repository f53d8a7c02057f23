package comments.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.support.EventStream;
import java.sql.DriverManager;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;

/** Clients that resume on a process whose clock is 30 s ahead of the database's. */
class CommentStreamClockTest extends StreamFixture {

    private static void execute(String sql) throws SQLException {
        try (var connection = DriverManager.getConnection(knobs.get("POSTGRES_URL")); var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private EventStream listenAndLeave() throws Exception {
        EventStream all = listen(null);
        String first = post("another", "makes the table");
        await().until(() -> all.comments().contains(first));
        execute("""
                CREATE OR REPLACE FUNCTION behind() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN NEW.created_at := now() - interval '30 seconds'; RETURN NEW; END $$;
                CREATE OR REPLACE TRIGGER behind BEFORE INSERT ON comments FOR EACH ROW EXECUTE FUNCTION behind()""");
        EventStream quiet = listen(post);
        await().until(() -> quiet.lastId() != null);
        quiet.close();
        await().until(() -> listeners().count() == 1);
        return quiet;
    }

    @Test
    void aClientThatGotNoEventGetsWhatWasWrittenSince() throws Exception {
        EventStream quiet = listenAndLeave();
        EventStream other = listen(null);
        String missed = post(post, "missed");
        await().until(() -> other.comments().contains(missed));
        EventStream again = listen(post, "Last-Event-ID", quiet.lastId());
        await().until(() -> again.events("missed").size() == 1);
        assertThat(again.comments()).containsExactly(missed);
        assertThat(again.events("missed").get(0).json()).isEqualTo(JSON.readTree("{\"shown\":1,\"more\":false}"));
        assertThat(Long.parseLong(again.lastId())).isGreaterThanOrEqualTo(Long.parseLong(quiet.lastId()));
    }

    @Test
    void whatBecameVisibleLateIsFoundTooUpToAMinute() throws Exception {
        EventStream quiet = listenAndLeave();
        execute("""
                ALTER TABLE comments DISABLE TRIGGER behind;
                INSERT INTO comments (id, post_id, user_id, user_name, content, accepted_at, created_at)
                SELECT gen_random_uuid(), '%s', 'u', 'Ann', age::text, now(), to_timestamp(%s / 1e6) - age * interval '1 second'
                FROM unnest(ARRAY[25, 60, 80]) AS age;
                ALTER TABLE comments ENABLE TRIGGER behind""".formatted(post, quiet.lastId()));
        EventStream again = listen(post, "Last-Event-ID", quiet.lastId());
        await().until(() -> again.events("missed").size() == 1);
        assertThat(again.events("comment")).extracting(event -> event.json().get("content").asText())
                .containsExactlyInAnyOrder("25", "60");
    }

    @Test
    void anIdThatSaysNothingIsToldThatThereIsMore() throws Exception {
        EventStream again = listen(post, "Last-Event-ID", "0");
        await().until(() -> again.events("missed").size() == 1);
        assertThat(again.events("missed").get(0).json()).isEqualTo(JSON.readTree("{\"shown\":0,\"more\":true}"));
    }
}
