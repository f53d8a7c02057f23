package comments.servers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.http.SseClients;
import comments.support.PrivateServers;
import comments.support.TestPipeline;
import java.sql.Connection;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.openqa.selenium.Keys;

/** The page before processes that ask for a key, have not all services, or are killed. */
class PageElsewhereIT extends PageFixture {

    // of an EventSource
    private static final Long OPEN = 1L;
    private static final Long CLOSED = 2L;

    @Test
    void whereKeysAreAskedForOneIsEnough() throws Exception {
        TestPipeline secured = SERVERS.startHere(PrivateServers.ALL, "COMMENTS_API_KEYS",
                "ann:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b");
        open("http://127.0.0.1:" + secured.port());
        browser.awaitText("#connection", "401");
        browser.find("[name=key]").sendKeys("wrong", Keys.ENTER);
        browser.find("button.main").click();
        browser.awaitText("#message", "401");
        assertThat(browser.all("[data-stage][data-done]")).as("nothing was posted").isEmpty();
        browser.find("[name=key]").clear();
        browser.find("[name=key]").sendKeys("secret", Keys.ENTER);
        awaitLive();
        assertThat(browser.all("[data-stage][data-done]")).as("the key alone posts nothing").isEmpty();
        browser.screenshot("key");
        browser.find("button.main").click();
        browser.await("[data-stage=pushed][data-done]");
        assertThat(browser.console()).as("nobody tries a wrong key again and again").hasSizeLessThan(12);
    }

    @Test
    void whatRunsElsewhereIsSaidAndWhatIsPostedIsFollowedAllTheSame() throws Exception {
        TestPipeline edge = SERVERS.startHere("comment-service,comment-reader");
        open("http://127.0.0.1:" + edge.port());
        awaitLive();
        assertThat(browser.find("#elsewhere").getText())
                .contains("comment-job-processor and notification-service run elsewhere");
        assertThat(browser.find("[data-of=written]").getText()).isEqualTo("elsewhere");
        assertThat(browser.find("#backlog-name").getText()).isEqualTo("Queued, about");
        browser.find("button.main").click();
        browser.await("[data-stage=pushed][data-done]");
        browser.screenshot("elsewhere");
    }

    /** An EventSource gives up for good after a 429 or a 503. */
    @Test
    void anEventSourceComesBackWhenALimitIsNoLongerReached() throws Exception {
        TestPipeline reader = SERVERS.startHere("comment-reader", "COMMENTS_STREAM_LISTENERS", "0");
        open("http://127.0.0.1:" + reader.port());
        browser.run("""
                window.reasons = []
                window.source = new EventSource('comments/stream')
                source.addEventListener('end', event => reasons.push(JSON.parse(event.data).reason))
                """);
        await().untilAsserted(() -> assertThat(browser.run("return [...reasons, source.readyState].join()")).asString()
                .startsWith("busy").doesNotEndWith("," + CLOSED));
        reader.bean("sseClients", SseClients.class).setMaxClients(10);
        // it comes back within 15 s
        await().atMost(Duration.ofSeconds(30)).until(() -> reader.bean("sseClients", SseClients.class).count() > 0
                && browser.run("return source.readyState").equals(OPEN));
    }

    @Test
    void whereNothingIsAcceptedNothingCanBePosted() throws Exception {
        TestPipeline reader = SERVERS.startHere("comment-reader");
        open("http://127.0.0.1:" + reader.port());
        awaitLive();
        assertThat(browser.find("#elsewhere").getText()).contains("comment-service", "comment-job-processor");
        assertThat(browser.find("#posting").isDisplayed()).isFalse();
        send(TestPipeline.COMMENT.replace("Hi", "told everywhere"));
        browser.awaitText("#latest", "told everywhere");
    }

    @Test
    void itComesBackAfterAKillAndGoesOnFollowingAComment() throws Exception {
        write("content", "Does it survive?");
        try (Connection held = holdTable()) {
            browser.find("button.main").click();
            browser.await("[data-stage=accepted][data-done]");
            pipeline.kill();
            browser.await("#connection[data-state=away]");
            browser.awaitText("#latest-state", "reconnecting");
            browser.screenshot("away");
            pipeline = SERVERS.keep(run());
            awaitLive();
            // that of the page, and that of the comment
            awaitListeners(2);
            assertThat(browser.all("[data-stage=written][data-done]")).isEmpty();
        }
        browser.await("[data-stage=pushed][data-done]");
        assertThat(browser.all(".stages [data-done]")).hasSize(3);
        browser.awaitText("#latest", "Does it survive?");
        assertThat(count("content = 'Does it survive?'")).isEqualTo(1);
        assertThat(browser.console()).isNotEmpty().allMatch(line -> line.matches(".*(net::ERR_.*|status of (503|404) .*)"));
    }
}
