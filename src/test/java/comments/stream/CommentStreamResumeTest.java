package comments.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import comments.notification.NotificationServiceTest;
import comments.rabbitmq.FanoutConnectionFactory;
import comments.support.EventStream;
import comments.support.EventStream.Event;
import comments.support.Proxy;
import comments.support.TestPipeline;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Clients that come back, and what they missed. */
class CommentStreamResumeTest extends StreamFixture {

    @Test
    void whoeverComesBackIsToldWhatHeMissed() throws Exception {
        EventStream first = listen(post);
        String before = post(post, "before");
        await().until(() -> first.comments().contains(before));
        String lastId = first.events("comment").get(0).id();
        first.close();
        await().until(() -> listeners().count() == 0);
        List<String> missed = List.of(post(post, "one"), post(post, "two"));
        EventStream other = listen(null);
        String flushed = post(post, "three");
        await().until(() -> other.comments().contains(flushed));

        EventStream again = listen(post, "Last-Event-ID", lastId);
        await().until(() -> again.events("missed").size() == 1);
        assertThat(again.comments()).containsAll(missed).contains(flushed);
        assertThat(again.events("missed").get(0).json().get("more").asBoolean()).isFalse();
        String live = post(post, "live");
        await().until(() -> again.comments().contains(live));
        assertThat(again.comments().indexOf(live)).isGreaterThan(again.comments().indexOf(missed.get(0)));
    }

    @Test
    void whoMissedMoreThanIsKeptForHimIsToldTheLatestAndThatThereIsMore() throws Exception {
        EventStream all = listen(null);
        List<String> ids = postList(post, 1_000);
        await().until(() -> comments(all, "comments") >= 1_000);
        EventStream again = listen(post, "Last-Event-ID", Long.toString(System.currentTimeMillis() * 1_000 - 1_000_000));
        await().until(() -> again.events("missed").size() == 1);
        assertThat(again.comments()).hasSize(100).isSubsetOf(ids);
        assertThat(again.events("missed").get(0).json()).isEqualTo(JSON.readTree("{\"shown\":100,\"more\":true}"));
    }

    @Test
    void whatIsToldOfWhatWasMissedIsNoLongerThan32KiBAndACommentMore() throws Exception {
        EventStream all = listen(null);
        for (int i = 0; i < 10; i++) {
            post(post, "x".repeat(10_000));
        }
        await().until(() -> comments(all, "comments") == 10);
        EventStream again = listen(post, "Last-Event-ID", "1");
        await().until(() -> again.events("missed").size() == 1);
        assertThat(again.events("missed").get(0).json()).isEqualTo(JSON.readTree("{\"shown\":4,\"more\":true}"));
    }

    @Test
    void whoeverComesBackAfterYearsIsToldAllThereIs() throws Exception {
        EventStream all = listen(null);
        String id = post(post, "Hi");
        await().until(() -> all.comments().contains(id));
        EventStream again = listen(post, "Last-Event-ID", "1");
        await().until(() -> again.events("missed").size() == 1);
        assertThat(again.comments()).containsExactly(id);
        assertThat(again.events("missed").get(0).json()).isEqualTo(JSON.readTree("{\"shown\":1,\"more\":false}"));
    }

    @Test
    void whoHasHeardNothingYetHasAnIdToComeBackWithToo() throws Exception {
        EventStream all = listen(null);
        String before = post("another", "so that the process has sent an id");
        await().until(() -> all.comments().contains(before));
        EventStream quiet = listen(post);
        await().until(() -> quiet.lastId() != null);
        listeners().endAll("resume");
        await().until(quiet::ended);
        await().until(all::ended);
        EventStream other = listen(null);
        String missed = post(post, "while he was away");
        await().until(() -> other.comments().contains(missed));
        EventStream again = listen(post, "Last-Event-ID", quiet.lastId());
        await().until(() -> again.events("missed").size() == 1);
        assertThat(again.comments()).containsExactly(missed);
        assertThat(again.events("missed").get(0).json()).isEqualTo(JSON.readTree("{\"shown\":1,\"more\":false}"));
    }

    @Test
    void whileTheDatabaseIsAwayWhoeverComesBackIsToldThatThereIsMoreAndTheLogIsShort() throws Exception {
        String database = knobs.get("POSTGRES_URL");
        ListAppender<ILoggingEvent> log = NotificationServiceTest.logOf("comment-stream", Level.WARN);
        try (Proxy proxy = new Proxy(URI.create(database.substring("jdbc:".length())).getPort());
                TestPipeline reader = TestPipeline.start(Map.of("COMMENTS_ROLES", "comment-reader", "POSTGRES_USER", "postgres",
                        "RABBITMQ_URI", broker.uri(), "POSTGRES_URL", database.replaceFirst(":\\d+/", ":" + proxy.port() + "/")))) {
            proxy.close();
            List<EventStream> all = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                EventStream one = EventStream.open(reader.uri("/comments/stream?postId=p"), "Last-Event-ID", "1");
                all.add(one);
                assertThat(one.response().statusCode()).isEqualTo(200);
            }
            await().until(() -> all.stream().allMatch(one -> one.events("missed").size() == 1));
            assertThat(all).allSatisfy(one -> assertThat(one.events()).extracting(Event::data)
                    .containsExactly("{\"shown\":0,\"more\":true}"));
            assertThat(NotificationServiceTest.messages(log)).hasSizeBetween(1, 10)
                    .allSatisfy(line -> assertThat(line).startsWith("The comments that a client of the stream missed can't be read: "));
        }
    }

    @Test
    void allAreSentAwayToComeBackWhenTheBrokerIsReachedForTheFirstTime() throws Exception {
        AtomicInteger target = new AtomicInteger(1);
        try (Proxy proxy = new Proxy(target::get);
                TestPipeline reader = TestPipeline.start(Map.of("COMMENTS_ROLES", "comment-reader", "POSTGRES_USER", "postgres",
                        "RABBITMQ_URI", broker.uri().replaceFirst(":\\d+$", ":" + proxy.port()), "POSTGRES_URL", knobs.get("POSTGRES_URL")));
                EventStream early = EventStream.open(reader.uri("/comments/stream?postId=p"))) {
            target.set(URI.create(broker.uri()).getPort());
            await().atMost(Duration.ofSeconds(30)).until(early::ended);
            assertThat(early.events()).containsExactly(new Event("end", early.lastId(), "{\"reason\":\"resume\"}"));
        }
    }

    @Test
    void allAreSentAwayToComeBackWhenTheBrokerWasAway() throws Exception {
        EventStream ours = listen(post);
        pipeline.bean("pushListening", FanoutConnectionFactory.class).resetConnection();
        await().atMost(Duration.ofSeconds(30)).until(ours::ended);
        assertThat(ours.events()).containsExactly(new Event("end", ours.lastId(), "{\"reason\":\"resume\"}"));
        EventStream again = listen(post);
        String id = post(post, "Hi");
        await().atMost(Duration.ofSeconds(30)).until(() -> again.comments().contains(id));
    }
}
