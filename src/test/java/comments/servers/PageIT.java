package comments.servers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;

/** A comment on the page: how it is posted and followed, and what it looks like. */
class PageIT extends PageFixture {

    private static final String MARKUP = "<script>document.title = 'taken'</script><img src=x onerror=\"document.title = 'taken'\">";

    @Test
    void aCommentIsPostedAndFollowedUntilItsPush() throws Exception {
        write("userName", "Zoë");
        write("content", "How fast is this? 😀");
        browser.find("button.main").click();
        browser.await("[data-stage=pushed][data-done]");
        assertThat(browser.all(".stages [data-done]")).hasSize(3)
                .allSatisfy(stage -> assertThat(stage.findElement(By.tagName("b")).getText())
                        .matches("[\\d.,]+ m?s"));
        browser.awaitText("#latest", "How fast is this? 😀");
        browser.awaitText("#batches", ":");
        assertThat(HttpRequest.newBuilder(URI.create(browser.find("footer a").getAttribute("href"))).build())
                .satisfies(link -> assertThat(CLIENT.send(link, BodyHandlers.discarding()).statusCode()).isEqualTo(200));
        assertThat(browser.find("#message").getText()).isEmpty();
        assertThat(count("user_name = 'Zoë'")).isEqualTo(1);
        assertThatAllIsQuiet();
    }

    @Test
    void whatSomebodyWroteIsTextAndNeverMarkup() throws Exception {
        write("userName", MARKUP);
        write("postId", MARKUP);
        write("content", MARKUP);
        browser.find("button.main").click();
        browser.await("[data-stage=pushed][data-done]");
        browser.awaitText("#latest .text", MARKUP);
        assertThat(browser.find("#latest li b").getText()).isEqualTo(MARKUP);
        assertThat(browser.all("#latest script, #latest img")).isEmpty();
        assertThat(browser.run("return document.title")).isEqualTo("Comment pipeline");
        assertThatAllIsQuiet();
    }

    /** What reverses the direction of the text would swap what comes after it. */
    @Test
    void aNameTurnsNothingAroundButItself() throws Exception {
        write("userName", "Ann \u202e olleh");
        write("postId", "turned");
        browser.find("button.main").click();
        browser.await("[data-stage=pushed][data-done]");
        browser.awaitText("#latest", "turned");
        assertThat((Boolean) browser.run("""
                const [name, post] = ['b', 'span > bdi'].map(of => document.querySelector('#latest .of ' + of))
                    .map(text => text.getBoundingClientRect())
                return name.right < post.left""")).isTrue();
        assertThatAllIsQuiet();
    }

    @Test
    void itWorksByKeyboardAlone() throws Exception {
        browser.find("body").sendKeys(Keys.TAB);
        assertThat(browser.focused().getAttribute("name")).isEqualTo("userName");
        browser.focused().sendKeys(Keys.TAB);
        assertThat(browser.focused().getAttribute("name")).isEqualTo("postId");
        browser.focused().sendKeys(Keys.ENTER);
        browser.await("[data-stage=pushed][data-done]");
        browser.find("button.main").sendKeys(Keys.ENTER);
        browser.await("[data-stage=pushed][data-done]");
        assertThat(browser.focused().getText()).as("a button that was used keeps the focus").isEqualTo("Post");
        browser.focused().sendKeys(Keys.TAB, Keys.TAB);
        assertThat(browser.focused().getAttribute("id")).as("what scrolls").isEqualTo("latest");
        assertThatAllIsQuiet();
    }

    /** Each browser has six connections to a server over HTTP/1.1. */
    @Test
    void aHiddenTabHoldsNoStreamOpen() throws Exception {
        look("hidden", 0);
        look("visible", 1);
        browser.awaitText("#latest-state", "live");
    }

    private static void look(String state, int listeners) {
        browser.run("""
                Object.defineProperty(document, 'hidden', { configurable: true, value: arguments[0] === 'hidden' })
                document.dispatchEvent(new Event('visibilitychange'))""", state);
        awaitListeners(listeners);
    }

    private static String told(String figure, String now, String before) {
        return (String) browser.run("return import('/page.mjs').then(page => String(page.%s(%s, %s)))"
                .formatted(figure, now, before));
    }

    /** The server leaves out a bucket that has no more than the one below it. */
    @Test
    void aPercentileIsThatOfTheMessagesSinceTheSampleBefore() {
        String before = "{ committed: { count: 10000, buckets: [[5, 9000], [20, 10000]] } }";
        String now = "{ committed: { count: 11000, buckets: [[5, 9000], [20, 10000], [30, 10001], [5000, 11000]] } }";
        assertThat(told("percentile", now, before + ", 0.5")).isEqualTo("5000");
        assertThat(told("percentile", now, before + ", 0.99")).isEqualTo("5000");
        assertThat(told("percentile", now, before + ", 0.001")).isEqualTo("30");
        assertThat(told("percentile", now, "null, 0.5")).isEqualTo("null");
    }

    @Test
    void theBacklogIsWhatIsQueuedOrInHandInComments() {
        String none = "undefined";
        assertThat(told("backlog", sample(5, 3, 0, 0), none)).as("in messages, if nobody knows their size").isEqualTo("8");
        assertThat(told("backlog", sample(5, 3, 40, 20_000), none)).as("as large as since the start").isEqualTo("4000");
        assertThat(told("backlog", sample(5, 3, 50, 30_000), sample(0, 0, 40, 20_000))).as("as large as lately")
                .isEqualTo("8000");
        assertThat(told("backlog", "{ ...%s, queues: { comments: null } }".formatted(sample(0, 3, 50, 30_000)), none))
                .as("the broker is away").isEqualTo("null");
    }

    private static String sample(int queued, int inHand, int messages, int comments) {
        return """
                { queues: { comments: { messages: %d } }, unsettled: %d, groups: { count: 0, total: 0 },
                    committed: { count: %d }, persisted: %d }""".formatted(queued, inHand, messages, comments);
    }

    @Test
    void whatTheServiceRefusesIsSaid() {
        browser.run("document.forms.post.noValidate = true");
        write("content", "");
        browser.find("button.main").click();
        browser.awaitText("#message", "422");
        assertThat(browser.find("#message").getText()).contains("#/content");
        assertThat(browser.console()).singleElement().asString().contains("422");
    }

    /** A comment that nobody was told of, since its batch was too large. */
    @Test
    void aCommentThatWasCutOutOfItsBatchIsPushedWithIt() throws Exception {
        browser.run("""
                const real = window.fetch
                const cut = text => text.replaceAll('event: comment', 'event: cut')
                    .replaceAll('"comments":1,', '"comments":900,').replaceAll('"shown":1', '"shown":0')
                window.fetch = async (path, options) => {
                    const answer = await real(path, options)
                    return !path.startsWith('comments/stream?') ? answer : new Response(answer.body
                        .pipeThrough(new TextDecoderStream())
                        .pipeThrough(new TransformStream({ transform: (text, next) => next.enqueue(cut(text)) }))
                        .pipeThrough(new TextEncoderStream()), { headers: answer.headers })
                }""");
        write("postId", "busy");
        browser.find("button.main").click();
        browser.await("[data-stage=pushed][data-done]");
        assertThat(browser.find("[data-stage=pushed] b").getText()).startsWith("in a batch of 900, ");
        assertThatAllIsQuiet();
    }

    /** Under a load that shows something; the pictures are in target/screenshots. */
    @Test
    void itLooksRightInTheLightInTheDarkAndOnAPhone() throws Exception {
        AtomicBoolean enough = new AtomicBoolean();
        CompletableFuture<Void> load = CompletableFuture.runAsync(() -> postUntil(enough));
        try {
            await().atMost(Duration.ofSeconds(60)).until(() -> (Long) browser.run(
                    "return document.querySelector('#rate-chart .line')?.getAttribute('d').split('L').length ?? 0") > 6);
            write("content", "How fast is this?");
            browser.find("button.main").click();
            browser.await("[data-stage=pushed][data-done]");
            browser.screenshot("light");
            assertThatAllTextIsLegible();
            browser.prefer("dark");
            browser.screenshot("dark");
            assertThatAllTextIsLegible();
            browser.screen(390, 844);
            browser.screenshot("phone-dark");
            browser.prefer("light");
            browser.screenshot("phone");
            assertThat((Long) browser.run("return document.documentElement.scrollWidth")).as("nothing is wider than the phone")
                    .isLessThanOrEqualTo(390);
            browser.screen(900, 1200);
            browser.screenshot("tablet");
        } finally {
            enough.set(true);
            load.get();
        }
        assertThatAllIsQuiet();
    }

    /** At least 4.5 to 1 between each text and what is behind it, as WCAG 2 has it. */
    @SuppressWarnings("unchecked")
    private static void assertThatAllTextIsLegible() {
        assertThat((List<String>) browser.run("""
                const colour = text => text.match(/[\\d.]+/g).map(Number)
                const luminance = ([red, green, blue]) => [red, green, blue].map(value => value / 255)
                    .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
                    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0)
                const ground = element => element.parentElement && colour(getComputedStyle(element).backgroundColor)[3] === 0
                    ? ground(element.parentElement) : colour(getComputedStyle(element).backgroundColor)
                const texts = [...document.querySelectorAll('body *')].filter(element => element.checkVisibility()
                    && [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim()))
                if (texts.length < 50) {
                    return ['only ' + texts.length + ' texts']
                }
                return texts.flatMap(element => {
                    const [dark, light] = [colour(getComputedStyle(element).color), ground(element)].map(luminance)
                        .sort((a, b) => a - b)
                    const contrast = (light + 0.05) / (dark + 0.05)
                    return contrast < 4.5 ? [element.outerHTML + ' has ' + contrast] : []
                })""")).isEmpty();
    }

    private static void postUntil(AtomicBoolean enough) {
        Random random = new Random(1);
        List<String> names = List.of("Ann", "Bob", "Chloé", "Dmitri", "Elif", "Farid", "Grace", "Hana");
        List<String> contents = List.of("First!", "I had the same problem, and this solved it. Thank you.", "Could you say more?",
                "That is not what the measurements show.", "Works on my machine.", "+1", "See also the comment above.",
                "After an hour under load it is still the same for me: nothing lost, nothing twice.");
        while (!enough.get()) {
            List<Map<String, String>> list = Stream.generate(() -> Map.of("postId", "post-" + random.nextInt(50),
                    "userId", "u", "userName", names.get(random.nextInt(names.size())),
                    "content", contents.get(random.nextInt(contents.size())))).limit(50 + random.nextInt(250)).toList();
            try {
                send(JSON.writeValueAsString(list));
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
