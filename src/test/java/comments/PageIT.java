package comments;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.sql.Connection;
import java.sql.ResultSet;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
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
        rabbitmq = PrivateRabbitMQ.start();
        postgresql = PrivatePostgreSQL.start();
        port = FreePort.find();
        pipeline = run();
        browser = Browser.start();
    }

    private static JarProcess run() throws Exception {
        return JarProcess.start(Map.of("RABBITMQ_URI", rabbitmq.uri(), "POSTGRES_URL", postgresql.url(),
                "POSTGRES_USER", "postgres", "HTTP_PORT", Integer.toString(port)));
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
        browser.console();
        browser.requests();
        browser.open(origin() + "/", 1400, 1060);
        browser.await("#connection[data-state=live]");
        browser.awaitText("#latest-state", "live");
    }

    private static String origin() {
        return "http://127.0.0.1:" + port;
    }

    /** No error on the console, no violation of the policy, and no request to anybody else. */
    private static void assertThatAllIsQuiet() throws Exception {
        assertThat(browser.console()).isEmpty();
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
                .allSatisfy(stage -> assertThat(stage.findElement(By.tagName("output")).getText())
                        .matches("[\\d.,]+ m?s"));
        browser.awaitText("#latest", "How fast is this? 😀");
        browser.awaitText("#batches", ":");
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

    @Test
    void itWorksByKeyboardAlone() throws Exception {
        browser.find("body").sendKeys(Keys.TAB);
        assertThat(browser.focused().getAttribute("name")).isEqualTo("userName");
        browser.focused().sendKeys(Keys.TAB);
        assertThat(browser.focused().getAttribute("name")).isEqualTo("postId");
        browser.focused().sendKeys(Keys.ENTER);
        browser.await("[data-stage=pushed][data-done]");
        assertThatAllIsQuiet();
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

    @Test
    void aBurstFillsTheQueueAndIsPushed() throws Exception {
        browser.find("#burst").click();
        browser.await("#burst-progress:not([hidden])");
        browser.run("""
                window.fastest = 0
                setInterval(() => { window.fastest = Math.max(window.fastest,
                    Number(document.querySelector('[data-of=accepted]').textContent.replace(/\\D/g, ''))) }, 50)""");
        browser.await("#burst:not([disabled])");
        assertThat(browser.find("#burst-pushed").getAttribute("value")).isEqualTo("10000");
        assertThat(browser.find("#message").getText()).isEmpty();
        assertThat(count("post_id LIKE 'burst-%'")).isEqualTo(10_000);
        browser.awaitText("#latest", "are shown");
        await().atMost(Duration.ofSeconds(10)).until(() -> (Long) browser.run("return window.fastest") > 1_000);
        assertThatAllIsQuiet();
    }

    /** Under a load that shows something; the pictures are in target/screenshots. */
    @Test
    void itLooksRightInTheLightInTheDarkAndOnAPhone() throws Exception {
        AtomicBoolean enough = new AtomicBoolean();
        CompletableFuture<Void> load = CompletableFuture.runAsync(() -> postUntil(enough));
        try {
            await().atMost(Duration.ofSeconds(60)).until(() -> (Long) browser.run(
                    "return document.querySelector('#rate-chart .line')?.getAttribute('d').split('L').length ?? 0") > 25);
            write("content", "How fast is this?");
            browser.find("button.main").click();
            browser.await("[data-stage=pushed][data-done]");
            browser.screenshot("light");
            browser.prefer("dark");
            browser.screenshot("dark");
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
            browser.screen(1400, 1060);
        }
        assertThatAllIsQuiet();
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
    void itComesBackByItselfAfterARestart() throws Exception {
        pipeline.close();
        browser.await("#connection[data-state=away]");
        browser.awaitText("#latest-state", "reconnecting");
        browser.screenshot("away");
        pipeline = run();
        browser.await("#connection[data-state=live]");
        browser.awaitText("#latest-state", "live");
        send(TestPipeline.COMMENT.replace("Hi", "after the restart"));
        browser.awaitText("#latest", "after the restart");
        assertThat(browser.console()).isNotEmpty().allMatch(line -> line.matches(".*(net::ERR_.*|status of (503|404) .*)"));
    }
}
