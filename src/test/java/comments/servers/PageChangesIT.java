package comments.servers;

import static org.assertj.core.api.Assertions.assertThat;

import comments.support.PrivateServers;
import comments.support.TestPipeline;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import org.junit.jupiter.api.Test;
import org.openqa.selenium.Keys;

/** The page while a comment that it shows is edited and erased. */
class PageChangesIT extends PageFixture {

    private static final String PLACE = "#latest li:first-child";

    private TestPipeline secured;

    private String send(String method, String path, String body) throws Exception {
        var answer = secured.send(HttpRequest.newBuilder(secured.uri(path)).headers("Authorization", "Bearer secret", "Content-Type",
                "application/json").method(method, BodyPublishers.ofString(body)));
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
        return JSON.readTree(answer.body()).get("id").asText();
    }

    @Test
    void anEditAndAnErasureAreShownInTheirPlace() throws Exception {
        secured = SERVERS.startHere(PrivateServers.ALL, "COMMENTS_API_KEYS",
                "ann:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b:post+read+change");
        open("http://127.0.0.1:" + secured.port());
        browser.awaitText("#connection", "401");
        browser.find("[name=key]").sendKeys("secret", Keys.ENTER);
        awaitLive();
        String id = send("POST", "/comments", TestPipeline.COMMENT.replace("Hi", "as it was"));
        browser.awaitText(PLACE, "as it was");
        send("PATCH", "/comments/" + id, "{\"content\":\"as <b>it</b> is\"}");
        browser.awaitText(PLACE, "as <b>it</b> is");
        assertThat(browser.find(PLACE).getText()).contains("Ann", "edited at").doesNotContain("as it was");
        send("DELETE", "/comments/" + id, "");
        browser.awaitText(PLACE, "was erased");
        assertThat(browser.find("#latest").getText()).doesNotContain("Ann", "as it was", "as <b>it</b> is");
        assertThat(browser.all("#latest li")).hasSize(1);
        browser.screenshot("changed");
    }
}
