package comments.servers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import comments.support.Browser;
import comments.support.JarProcess;
import comments.support.Ports;
import comments.support.PrivateServers;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.openqa.selenium.WebElement;

/** The page in a real browser, before the packaged application on RabbitMQ and PostgreSQL. */
abstract class PageFixture {

    static final ObjectMapper JSON = new ObjectMapper();
    static final HttpClient CLIENT = HttpClient.newHttpClient();

    static int port;
    static JarProcess pipeline;
    static Browser browser;

    @RegisterExtension
    static final PrivateServers SERVERS = PrivateServers.ofClass();

    @BeforeAll
    static void start() throws Exception {
        assumeTrue(Browser.missing() == null, Browser::missing);
        FutureTask<Browser> startingBrowser = new FutureTask<>(Browser::start);
        new Thread(startingBrowser).start();
        port = Ports.find();
        pipeline = run();
        browser = startingBrowser.get();
    }

    static JarProcess run() throws Exception {
        return SERVERS.start(PrivateServers.ALL, "HTTP_PORT", port);
    }

    @AfterAll
    static void stop() {
        if (browser != null) {
            browser.close();
        }
    }

    @BeforeEach
    void open() {
        open(origin());
        awaitLive();
    }

    static void open(String origin) {
        // nothing of the page before comes after this
        browser.open("about:blank", 1400, 900);
        browser.console();
        browser.requests();
        browser.open(origin + "/", 1400, 900);
        browser.screen(1400, 900);
    }

    static void awaitLive() {
        browser.await("#connection[data-state=live]");
        browser.awaitText("#latest-state", "live");
    }

    static String origin() {
        return "http://127.0.0.1:" + port;
    }

    /**
     * No violation of the policy, no request to anybody else, and no error on the console but that a comment that is
     * followed was not there yet.
     */
    static void assertThatAllIsQuiet() throws Exception {
        assertThat(browser.console()).allMatch(line -> line.matches(".*/comments/[0-9a-f-]{36} .*status of 404 .*"));
        List<String> requests = browser.requests();
        assertThat(requests).isNotEmpty();
        for (String request : requests) {
            String url = JSON.readTree(request).at("/message/params/request/url").asText();
            assertThat(url.startsWith(origin() + "/") || url.startsWith("data:")).as(url).isTrue();
        }
    }

    static void write(String field, String text) {
        WebElement input = browser.find("[name=" + field + "]");
        input.clear();
        input.sendKeys(text);
    }

    static long count(String where) throws Exception {
        return SERVERS.number("SELECT count(*) FROM comments WHERE " + where);
    }

    static void send(String json) throws Exception {
        var answer = CLIENT.send(HttpRequest.newBuilder(URI.create(origin() + "/comments"))
                .header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(json)).build(),
                BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
    }

    static void awaitListeners(int listeners) {
        await().atMost(Duration.ofSeconds(30)).ignoreExceptions().until(() -> JSON.readTree(CLIENT.send(
                HttpRequest.newBuilder(URI.create(origin() + "/pipeline")).build(), BodyHandlers.ofString()).body())
                .get("listeners").asInt() == listeners);
    }

    static void startBurst() {
        browser.find("#burst").click();
        browser.await("#burst-progress:not([hidden])");
    }

    static boolean burstIsOver() {
        return browser.all("#burst[aria-disabled=true]").isEmpty();
    }

    static void awaitEndOfBurst() {
        await().atMost(Duration.ofSeconds(60)).until(PageFixture::burstIsOver);
    }

    static long backlog() {
        return Long.parseLong(browser.find("#backlog-now").getText().replaceAll("\\D", "").replaceFirst("^$", "0"));
    }

    /** Lets nobody write comments until it is closed; they can be read. */
    static Connection holdTable() throws Exception {
        Connection connection = SERVERS.connectToDatabase();
        connection.setAutoCommit(false);
        connection.createStatement().execute("LOCK TABLE comments IN EXCLUSIVE MODE");
        return connection;
    }
}
