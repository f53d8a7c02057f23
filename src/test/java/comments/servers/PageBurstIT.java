package comments.servers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.sql.Connection;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Bursts of thousands of comments, posted by the page. */
class PageBurstIT extends PageFixture {

    /** The picture in docs/operations.md is made here: target/screenshots/burst.png. */
    @Test
    void aBurstIsPushed() throws Exception {
        browser.find("button.main").click();
        browser.await("[data-stage=pushed][data-done]");
        write("content", "How fast is this?");
        for (int i = 0; i < 2; i++) {
            startBurst();
            await().pollInterval(Duration.ofMillis(20)).until(() -> backlog() > 2_000 || burstIsOver());
            browser.screenshot("burst");
            awaitEndOfBurst();
            assertThat(browser.find("#burst-pushed").getAttribute("value")).isEqualTo("10000");
            assertThat(browser.find("#message").getText()).isEmpty();
        }
        assertThat(count("content LIKE 'How fast is this? (%)'")).isEqualTo(20_000);
        browser.awaitText("#latest", "are shown");
        assertThatAllIsQuiet();
    }

    @Test
    void theQueueIsSeenToFillWhileTheDatabaseWaitsAndToDrain() throws Exception {
        try (Connection held = holdTable()) {
            startBurst();
            // about: messages, times what they had in them lately
            await().atMost(Duration.ofSeconds(30)).until(() -> backlog() > 5_000);
            assertThat(browser.find("[data-of=hand]").getText()).isNotEqualTo("0");
            browser.screenshot("full");
        }
        await().atMost(Duration.ofSeconds(30)).until(() -> backlog() == 0);
        awaitEndOfBurst();
        assertThat(browser.find("#burst-pushed").getAttribute("value")).isEqualTo("10000");
        assertThatAllIsQuiet();
    }

    /** As if the answers of the first posts were lost on their way. */
    @Test
    void aBurstTriesAgainAndNothingIsThereTwice() throws Exception {
        write("content", "twice?");
        browser.run("""
                const real = window.fetch
                let lost = 2
                window.fetch = async (path, options) => {
                    const answer = await real(path, options)
                    return options.method === 'POST' && lost-- > 0
                        ? new Response('', { status: 503, headers: { 'Retry-After': '0' } }) : answer
                }""");
        startBurst();
        awaitEndOfBurst();
        assertThat(browser.find("#message").getText()).isEmpty();
        assertThat(count("content LIKE 'twice? (%)'")).isEqualTo(10_000);
    }

    @Test
    void aBurstOfWhichAListIsRefusedEndsAndSaysHowMuchOfItIsAccepted() {
        browser.run("""
                const real = window.fetch
                let posts = 0
                window.fetch = async (path, options) => options.method !== 'POST' || ++posts !== 4 ? real(path, options)
                    : new Response('{"detail":"Enough."}', { status: 413, headers: { 'Content-Type': 'application/json' } })
                window.posts = () => posts""");
        startBurst();
        awaitEndOfBurst();
        assertThat(browser.find("#message").getText())
                .matches("413: Enough\\.\nAt least (1,500|2,000) of 10,000 are accepted\\.");
        assertThat((Long) browser.run("return window.posts()")).as("the other posts no more than it has begun").isLessThan(6);
    }
}
