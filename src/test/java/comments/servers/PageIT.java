package comments.servers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import comments.FreePort;
import comments.support.Browser;
import comments.support.JarProcess;
import comments.support.PrivatePostgreSQL;
import comments.support.PrivateRabbitMQ;
import comments.support.TestPipeline;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.sql.Connection;
import java.sql.ResultSet;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;

/** The page in a real browser, before the packaged application on RabbitMQ and PostgreSQL. */
class PageIT {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static final String MARKUP = "<script>document.title = 'taken'</script><img src=x onerror=\"document.title = 'taken'\">";

    private static PrivateRabbitMQ rabbitmq;
    private static PrivatePostgreSQL postgresql;
    private static int port;
    private static JarProcess pipeline;
    private static Browser browser;

    @BeforeAll
    static void start() throws Exception {
        assumeTrue(PrivateRabbitMQ.missing() == null, PrivateRabbitMQ::missing);
        assumeTrue(PrivatePostgreSQL.missing() == null, PrivatePostgreSQL::missing);
        assumeTrue(Browser.missing() == null, Browser::missing);
        FutureTask<PrivateRabbitMQ> startingRabbitMQ = meanwhile(PrivateRabbitMQ::start);
        FutureTask<Browser> startingBrowser = meanwhile(Browser::start);
        postgresql = PrivatePostgreSQL.start();
        rabbitmq = startingRabbitMQ.get();
        port = FreePort.find();
        pipeline = run();
        browser = startingBrowser.get();
    }

    private static <T> FutureTask<T> meanwhile(Callable<T> start) {
        FutureTask<T> starting = new FutureTask<>(start);
        new Thread(starting).start();
        return starting;
    }

    private static JarProcess run() throws Exception {
        return JarProcess.start(knobs(Map.of("HTTP_PORT", Integer.toString(port))));
    }

    @AfterAll
    static void stop() throws Exception {
        for (AutoCloseable each : new AutoCloseable[] {browser, pipeline, rabbitmq, postgresql}) {
            if (each != null) {
                each.close();
            }
        }
    }

    @BeforeEach
    void open() {
        open(origin());
        awaitLive();
    }

    private static void open(String origin) {
        // nothing of the page before comes after this
        browser.open("about:blank", 1400, 900);
        browser.console();
        browser.requests();
        browser.open(origin + "/", 1400, 900);
        browser.screen(1400, 900);
    }

    private static void awaitLive() {
        browser.await("#connection[data-state=live]");
        browser.awaitText("#latest-state", "live");
    }

    private static String origin() {
        return "http://127.0.0.1:" + port;
    }

    /**
     * No violation of the policy, no request to anybody else, and no error on the console but that a comment that is
     * followed was not there yet.
     */
    private static void assertThatAllIsQuiet() throws Exception {
        assertThat(browser.console()).allMatch(line -> line.matches(".*/comments/[0-9a-f-]{36} .*status of 404 .*"));
        List<String> requests = browser.requests();
        assertThat(requests).isNotEmpty();
        for (String request : requests) {
            String url = JSON.readTree(request).at("/message/params/request/url").asText();
            assertThat(url.startsWith(origin() + "/") || url.startsWith("data:")).as(url).isTrue();
        }
    }

    private static void write(String field, String text) {
        WebElement input = browser.find("[name=" + field + "]");
        input.clear();
        input.sendKeys(text);
    }

    private static long count(String where) throws Exception {
        try (Connection connection = postgresql.connect();
                ResultSet row = connection.createStatement().executeQuery("SELECT count(*) FROM comments WHERE " + where)) {
            row.next();
            return row.getLong(1);
        }
    }

    private static void send(String json) throws Exception {
        var answer = CLIENT.send(HttpRequest.newBuilder(URI.create(origin() + "/comments"))
                .header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(json)).build(),
                BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    }

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

    private static void awaitListeners(int listeners) {
        await().atMost(Duration.ofSeconds(30)).ignoreExceptions().until(() -> JSON.readTree(CLIENT.send(
                HttpRequest.newBuilder(URI.create(origin() + "/pipeline")).build(), BodyHandlers.ofString()).body())
                .get("listeners").asInt() == listeners);
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

    private static void startBurst() {
        browser.find("#burst").click();
        browser.await("#burst-progress:not([hidden])");
    }

    private static boolean burstIsOver() {
        return browser.all("#burst[aria-disabled=true]").isEmpty();
    }

    private static void awaitEndOfBurst() {
        await().atMost(Duration.ofSeconds(60)).until(PageIT::burstIsOver);
    }

    private static long backlog() {
        return Long.parseLong(browser.find("#backlog-now").getText().replaceAll("\\D", "").replaceFirst("^$", "0"));
    }

    /** Lets nobody write comments until it is closed; they can be read. */
    private static Connection holdTable() throws Exception {
        Connection connection = postgresql.connect();
        connection.setAutoCommit(false);
        connection.createStatement().execute("LOCK TABLE comments IN EXCLUSIVE MODE");
        return connection;
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

    /** A comment that nobody was told of, since its batch was too large. */
    @Test
    void aCommentThatWasCutOutOfItsBatchIsPushedWithIt() throws Exception {
        browser.run("""
                const real = window.fetch
                const cut = text => text.replaceAll('event: comment', 'event: cut')
                    .replaceAll('"comments":1,', '"comments":900,').replaceAll('"shown":1', '"shown":0')
                window.fetch = async (path, options) => {
                    const answer = await real(path, options)
                    return !path.startsWith('/comments/stream?') ? answer : new Response(answer.body
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

    @Test
    void whereKeysAreAskedForOneIsEnough() throws Exception {
        try (TestPipeline secured = TestPipeline.start(knobs(Map.of("COMMENTS_API_KEYS",
                "ann:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b")))) {
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
    }

    private static Map<String, String> knobs(Map<String, String> more) {
        Map<String, String> knobs = new HashMap<>(more);
        knobs.putAll(Map.of("RABBITMQ_URI", rabbitmq.uri(), "POSTGRES_URL", postgresql.url(), "POSTGRES_USER", "postgres"));
        return knobs;
    }

    @Test
    void whatRunsElsewhereIsSaidAndWhatIsPostedIsFollowedAllTheSame() throws Exception {
        try (TestPipeline edge = TestPipeline.start(knobs(Map.of("COMMENTS_ROLES", "comment-service,comment-reader")))) {
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
    }

    @Test
    void whereNothingIsAcceptedNothingCanBePosted() throws Exception {
        try (TestPipeline reader = TestPipeline.start(knobs(Map.of("COMMENTS_ROLES", "comment-reader")))) {
            open("http://127.0.0.1:" + reader.port());
            awaitLive();
            assertThat(browser.find("#elsewhere").getText()).contains("comment-service", "comment-job-processor");
            assertThat(browser.find("#posting").isDisplayed()).isFalse();
            send(TestPipeline.COMMENT.replace("Hi", "told everywhere"));
            browser.awaitText("#latest", "told everywhere");
        }
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
            pipeline = run();
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
