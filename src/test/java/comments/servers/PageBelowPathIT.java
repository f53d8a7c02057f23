package comments.servers;

import static org.assertj.core.api.Assertions.assertThat;

import comments.support.PathProxy;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The page, and the page to try the API, behind a proxy that serves them below a path, and removes the path. */
class PageBelowPathIT extends PageFixture {

    private static void assertThatAllIsBelow(String address) throws Exception {
        assertThat(browser.console()).allMatch(line -> line.matches(".*/comments/[0-9a-f-]{36} .*status of 404 .*"));
        List<String> requests = browser.requests();
        assertThat(requests).isNotEmpty();
        for (String request : requests) {
            String url = JSON.readTree(request).at("/message/params/request/url").asText();
            assertThat(url.startsWith(address + "/") || url.equals(address) || url.startsWith("data:")).as(url).isTrue();
        }
    }

    @Test
    void aCommentIsPostedAndFollowed() throws Exception {
        try (PathProxy proxy = new PathProxy("/c", port)) {
            browser.open("about:blank", 1400, 900);
            browser.requests();
            browser.console();
            browser.open(proxy.uri().toString(), 1400, 900);
            awaitLive();
            write("content", "Below a path");
            browser.find("button.main").click();
            browser.await("[data-stage=pushed][data-done]");
            browser.awaitText("#latest", "Below a path");
            assertThatAllIsBelow(proxy.uri().toString());
            browser.open("about:blank", 1400, 900);
        }
    }

    @Test
    void theApiIsTried() throws Exception {
        try (PathProxy proxy = new PathProxy("/c", port)) {
            browser.open("about:blank", 1400, 900);
            browser.requests();
            browser.console();
            browser.open(proxy.uri() + "/", 1400, 900);
            browser.find("footer a").click();
            browser.await("#operations-read-get-comments");
            browser.find("#operations-read-get-comments .opblock-summary-control").click();
            browser.await("#operations-read-get-comments .try-out__btn");
            browser.find("#operations-read-get-comments .try-out__btn").click();
            browser.await("#operations-read-get-comments .execute");
            browser.find("#operations-read-get-comments .execute").click();
            browser.await("#operations-read-get-comments .live-responses-table .response");
            assertThat(browser.find("#operations-read-get-comments .request-url").getText())
                    .contains(proxy.uri() + "/comments?postId=p1&");
            assertThat(browser.find("#operations-read-get-comments .live-responses-table .response .response-col_status").getText())
                    .startsWith("200");
            assertThatAllIsBelow(proxy.uri().toString());
            browser.open("about:blank", 1400, 900);
        }
    }
}
