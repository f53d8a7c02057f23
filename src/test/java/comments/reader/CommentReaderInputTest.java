package comments.reader;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that are wrong, hostile or too large. */
class CommentReaderInputTest extends ReaderFixture {

    /** What tries to be more than a value, where SQL, HTML, a header or a path are made of it. */
    private static final List<String> WEAPONS = List.of("'; DROP TABLE comments; --", "' OR '1'='1", "p') UNION SELECT 'x'",
            ":?id", "?", "$1", "\\", "%", "_", "\"", "<script>alert(1)</script>", "\r\nSet-Cookie: a=b", "\nX-Test: 1",
            "../../etc/passwd", "${7*7}", "{{POSTGRES_PASSWORD}}", "a;b", "&limit=2", "+", "#", "\u2028", "😀", "\u202e", " ", "null");

    @ParameterizedTest
    @ValueSource(strings = {"limit=0", "limit=1001", "limit=-1", "limit=1.5", "limit=", "limit=a", "limit=%2010", "limit=99999999999",
        "limit=1&limit=2", "limit=%D9%A3", "before=", "before=AAAA", "before=%27", "before=&before=",
        "before=f_________4AAAAAAAAAAAAAAAAAAAAA", "before=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%0D%0A"})
    void aBadParameterIsRefusedByName(String parameter) throws Exception {
        String name = parameter.replaceAll("=.*", "");
        assertProblem(get("/comments?postId=p&" + parameter), 400, name);
        assertProblem(get("/comments/" + NOBODY + "/replies?" + parameter), 400, name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "?", "?limit=1", "?postId", "?postId=", "?postId=a&postId=a", "?postId=%00", "?postId=a%00"})
    void aPostMustBeNamedOnce(String query) throws Exception {
        assertProblem(get("/comments" + query), 400, "postId");
        assertProblem(get("/comments?postId=" + "a".repeat(201)), 400, "postId");
        assertThat(get("/comments?postId=" + encoded("😀".repeat(200))).body()).isEqualTo("[]");
    }

    @Test
    void unknownParametersAreNamed() throws Exception {
        assertProblem(get("/comments?postId=p&page=2&sort=id"), 400, "page, sort");
        assertProblem(get("/comments/" + NOBODY + "?fields=id"), 400, "fields");
        assertProblem(get("/comments/" + NOBODY + "/replies?postId=p"), 400, "postId");
        assertProblem(get("/comments?postId=p&" + "x".repeat(2_000)), 400, "x".repeat(64) + "…");
    }

    @Test
    void aQueryThatIsNotOneIsRefused() throws Exception {
        for (String query : List.of("postId=%", "postId=%zz", "%=a", "postId=f\u00f6\u00f6", "postId=%ff", "postId=%C3", "postId=%ED%A0%80",
                "%ff=p", "postId=p&limit=%ff")) {
            assertThat(raw("GET /comments?" + query + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).as(query)
                    .startsWith("HTTP/1.1 400 ").contains("application/problem+json", "malformed");
        }
    }

    private static String raw(String request) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", pipeline.port())) {
            socket.getOutputStream().write(request.getBytes(UTF_8));
            return new String(socket.getInputStream().readAllBytes(), UTF_8);
        }
    }

    @Test
    void theBodyOfAGetIsIgnored() throws Exception {
        UUID id = insert("p", 1);
        for (String type : List.of("application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "application/json")) {
            assertThat(raw("GET /comments?postId=p HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: " + type
                    + "\r\nContent-Length: 8\r\n\r\npostId=x")).as(type).startsWith("HTTP/1.1 200 ").contains(id.toString());
        }
    }

    @Test
    void largeCommentsThatDontFitCostNothing() throws Exception {
        execute("INSERT INTO comments SELECT gen_random_uuid(), 'p', 'u', 'Ann', repeat('\uD83D\uDE00', 10000), NULL,"
                + " now() - i * interval '1 second', now() FROM generate_series(1, 1000) i");
        List<CompletableFuture<HttpResponse<String>>> answers = IntStream.range(0, 16)
                .mapToObj(i -> pipeline.sendAsync(HttpRequest.newBuilder(pipeline.uri("/comments?postId=p&limit=1000")))).toList();
        for (CompletableFuture<HttpResponse<String>> answer : answers) {
            assertThat(idsOf(answer.get())).hasSize(6);
        }
    }

    /** The headers that an answer may have, whatever is sent. */
    private static void assertOnlyOurs(HttpResponse<String> response) {
        assertThat(List.of("content-type", "content-length", "etag", "cache-control", "link", "retry-after"))
                .containsAll(response.headers().map().keySet());
        assertThat(response.statusCode()).isIn(200, 304, 400, 404);
    }

    @Test
    void sqlScriptsAndHeadersInAParameterAreHarmless() throws Exception {
        for (String weapon : WEAPONS) {
            UUID id = insert(weapon, weapon, null, "2026-11-22T10:00:01Z");
            insert(weapon, weapon, null, "2026-11-22T10:00:00Z");
            HttpResponse<String> page = get("/comments?limit=1&postId=" + encoded(weapon));
            assertThat(idsOf(page)).as(weapon).containsExactly(id.toString());
            assertThat(json(page).get(0).get("content").asText()).isEqualTo(weapon);
            assertThat(header(page, "Link")).matches("<[!#-;=?-~]*>; rel=\"next\"");
            assertThat(Pages.from("/comments?limit=1&postId=" + encoded(weapon)).ids()).hasSize(2);
            for (String path : List.of("/comments/" + encoded(weapon).replace("+", "%20"), "/comments?postId=p&limit=" + encoded(weapon),
                    "/comments?postId=p&before=" + encoded(weapon), "/comments?postId=p&" + encoded(weapon),
                    "/comments/" + NOBODY + "/replies?before=" + encoded(weapon))) {
                HttpResponse<String> response = get(path);
                assertOnlyOurs(response);
                assertThat(response.statusCode()).as(path).isIn(400, 404);
                assertThat(header(response, "Content-Type")).isEqualTo("application/problem+json");
            }
            assertOnlyOurs(get("/comments/" + id, "If-None-Match", weapon.replaceAll("[^ -~]", "")));
        }
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery("SELECT count(*) FROM comments")) {
            rows.next();
            assertThat(rows.getInt(1)).isEqualTo(2 * WEAPONS.size());
        }
    }

    @Test
    void noHeaderOfTheCallersComesBackOrChangesAnything() throws Exception {
        UUID id = insert("p", 1);
        HttpResponse<String> plain = get("/comments/" + id);
        HttpResponse<String> response = get("/comments/" + id, "id", NOBODY, "X-Test", "echo", "Link", "<a>", "Location", "/a",
                "CamelHttpPath", "/comments/" + NOBODY, "CamelHttpResponseCode", "500", "CamelJdbcParameters", "x",
                "CamelHttpQuery", "postId=p", "Content-Type", "text/html", "Set-Cookie", "a=b", "Cookie", "a=b", "ETag", "\"x\"");
        assertThat(response.body()).isEqualTo(plain.body());
        assertThat(response.headers().map()).isEqualTo(plain.headers().map());
        assertThat(response.headers().map()).containsOnlyKeys("content-type", "content-length", "etag", "cache-control");
    }

    @Test
    void otherMethodsAreRefusedWithThoseThatThereAre() throws Exception {
        for (String path : List.of("/comments/" + NOBODY, "/comments/" + NOBODY + "/replies", "/comments")) {
            HttpResponse<String> response = pipeline.send(HttpRequest.newBuilder(pipeline.uri(path)).DELETE());
            assertProblem(response, 405);
            assertThat(header(response, "Allow")).isIn("GET, HEAD", "HEAD, GET");
        }
    }
}
