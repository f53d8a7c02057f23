package comments;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.support.EventStream;
import comments.support.PathProxy;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The API and its pages behind a proxy that serves them below a path, and removes the path. */
class SubPathTest {

    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static final Pattern ADDRESS = Pattern.compile("(?:href|src)=\"([^\"]+)\"");
    private static final Pattern NEXT = Pattern.compile("<(.*)>; rel=\"next\"");

    private static EmbeddedBroker broker;
    private static TestPipeline pipeline;
    private static PathProxy proxy;

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
        pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", TestServers.newDatabase(),
                "POSTGRES_USER", "postgres", "COMMENTS_BASE_PATH", "/c/d"));
        proxy = new PathProxy("/c/d", pipeline.port());
    }

    @AfterAll
    static void stop() {
        proxy.close();
        pipeline.close();
        broker.close();
    }

    private static URI uri(String path) {
        return URI.create(proxy.uri() + path);
    }

    private static HttpResponse<String> get(URI uri) throws IOException, InterruptedException {
        return CLIENT.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
    }

    private static URI post(String postId) throws IOException, InterruptedException {
        HttpResponse<String> posted = CLIENT.send(HttpRequest.newBuilder(uri("/comments")).header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(TestPipeline.COMMENT.replace("\"p\"", '"' + postId + '"'))).build(), BodyHandlers.ofString());
        assertThat(posted.statusCode()).isEqualTo(202);
        return posted.uri().resolve(posted.headers().firstValue("Location").orElseThrow());
    }

    @Test
    void theLocationOfACommentLeadsToIt() throws Exception {
        URI comment = post("located");
        assertThat(comment.toString()).startsWith(proxy.uri() + "/comments/");
        await().until(() -> get(comment).statusCode() == 200);
    }

    @Test
    void theLinkOfAPageLeadsToTheNextOne() throws Exception {
        URI first = post("linked");
        await().until(() -> get(first).statusCode() == 200);
        URI second = post("linked");
        await().until(() -> get(second).statusCode() == 200);
        HttpResponse<String> page = get(uri("/comments?postId=linked&limit=1"));
        MatchResult link = NEXT.matcher(page.headers().firstValue("Link").orElseThrow()).results().findFirst().orElseThrow();
        HttpResponse<String> next = get(page.uri().resolve(link.group(1)));
        assertThat(next.statusCode()).isEqualTo(200);
        assertThat(next.body()).contains(first.getPath().substring(first.getPath().lastIndexOf('/') + 1));
    }

    @ParameterizedTest
    @CsvSource({"/, 3", "/openapi, 3"})
    void theAddressesInAPageLeadBelowThePath(String path, int addresses) throws Exception {
        HttpResponse<String> page = get(uri(path));
        List<URI> linked = ADDRESS.matcher(page.body()).results().map(found -> found.group(1))
                .filter(address -> !address.startsWith("data:")).map(page.uri()::resolve).toList();
        assertThat(linked).hasSize(addresses).allSatisfy(address -> {
            assertThat(address.toString()).startsWith(proxy.uri() + "/");
            assertThat(get(address).statusCode()).as(address.toString()).isEqualTo(200);
        });
    }

    @Test
    void theStreamOpensBelowThePath() throws Exception {
        try (EventStream stream = EventStream.open(uri("/comments/stream?postId=streamed"))) {
            assertThat(stream.response().statusCode()).isEqualTo(200);
            post("streamed");
            await().until(() -> stream.events().stream().anyMatch(event -> event.kind().equals("comment")));
        }
    }
}
