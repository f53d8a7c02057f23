package comments.reader;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import comments.http.HttpEngine;
import comments.postgresql.ReadDataSource;
import comments.support.Proxy;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** comment-reader alone, over real HTTP, with a database; it needs no broker. */
class CommentReaderTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String NOBODY = "5afcce55-5e1c-4ab4-bd01-d669ca3f6a48";
    /** What tries to be more than a value, where SQL, HTML, a header or a path are made of it. */
    private static final List<String> WEAPONS = List.of("'; DROP TABLE comments; --", "' OR '1'='1", "p') UNION SELECT 'x'",
            ":?id", "?", "$1", "\\", "%", "_", "\"", "<script>alert(1)</script>", "\r\nSet-Cookie: a=b", "\nX-Test: 1",
            "../../etc/passwd", "${7*7}", "{{POSTGRES_PASSWORD}}", "a;b", "&limit=2", "+", "#", "\u2028", "😀", "\u202e", " ", "null");

    private static String database;
    private static TestPipeline pipeline;
    private static Connection connection;

    @BeforeAll
    static void start() throws Exception {
        database = TestServers.newDatabase();
        pipeline = TestPipeline.start(Map.of("COMMENTS_ROLES", "comment-reader", "POSTGRES_URL", database,
                "POSTGRES_USER", "postgres", "RABBITMQ_URI", "amqp://127.0.0.1:1"));
        // makes the schema
        pipeline.bean("commentReads", ReadDataSource.class).getConnection().close();
        connection = DriverManager.getConnection(database);
    }

    @AfterAll
    static void stop() throws SQLException {
        pipeline.close();
        connection.close();
    }

    @BeforeEach
    void empty() throws SQLException {
        execute("TRUNCATE comments");
    }

    private static void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static UUID insert(String post, String content, UUID parent, String acceptedAt) throws SQLException {
        UUID id = UUID.randomUUID();
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO comments (id, post_id, user_id, user_name, content,"
                + " parent_id, accepted_at, created_at) VALUES (?, ?, 'u', 'Ann', ?, ?, ?::timestamptz, '2026-11-22T10:00:01.5Z')")) {
            insert.setObject(1, id);
            insert.setString(2, post);
            insert.setString(3, content);
            insert.setObject(4, parent);
            insert.setString(5, acceptedAt);
            insert.execute();
        }
        return id;
    }

    private static UUID insert(String post, int second) throws SQLException {
        return insert(post, "c" + second, null, "2026-11-22T10:00:%02dZ".formatted(second));
    }

    private static HttpResponse<String> get(String path, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(pipeline.uri(path));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return pipeline.send(request);
    }

    private static JsonNode json(HttpResponse<String> response) throws Exception {
        return JSON.readTree(response.body());
    }

    private static List<String> idsOf(HttpResponse<String> response) throws Exception {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return json(response).findValuesAsText("id");
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, UTF_8);
    }

    private static String header(HttpResponse<?> response, String name) {
        return response.headers().firstValue(name).orElse(null);
    }

    private static String next(HttpResponse<String> response) {
        String link = header(response, "Link");
        return link == null ? null : link.replaceFirst("^<(.*)>; rel=\"next\"$", "$1");
    }

    /** The ids of all pages, and how many pages there were. */
    private record Pages(List<String> ids, int count) {

        static Pages from(String first) throws Exception {
            List<String> ids = new ArrayList<>();
            int count = 0;
            for (String path = first; path != null; count++) {
                HttpResponse<String> page = get(path);
                ids.addAll(idsOf(page));
                path = next(page);
            }
            return new Pages(ids, count);
        }
    }

    private static void assertProblem(HttpResponse<String> response, int status, String... named) throws Exception {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        assertThat(header(response, "Content-Type")).isEqualTo("application/problem+json");
        assertThat(json(response).get("status").asInt()).isEqualTo(status);
        assertThat(List.of(named)).allSatisfy(part -> assertThat(json(response).get("detail").asText()).contains(part));
    }

    // ---- one comment ----

    @Test
    void aCommentIsAnsweredAsTheContractHasIt() throws Exception {
        UUID parent = UUID.randomUUID();
        UUID id = insert("p", "H\u00e4\n\"\u0001\ud83d\ude00", parent, "2026-11-22T12:00:00.123+02");
        HttpResponse<String> response = get("/comments/" + id);
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(json(response)).isEqualTo(JSON.valueToTree(Map.of("id", id.toString(), "postId", "p", "userId", "u",
                "userName", "Ann", "content", "H\u00e4\n\"\u0001\ud83d\ude00", "parentId", parent.toString(),
                "acceptedAt", "2026-11-22T10:00:00.123Z", "createdAt", "2026-11-22T10:00:01.500Z")));
        assertThat(json(get("/comments/" + insert("p", 1))).has("parentId")).isFalse();
    }

    @Test
    void anIdMayBeInCapitals() throws Exception {
        UUID id = insert("p", 1);
        assertThat(json(get("/comments/" + id.toString().toUpperCase())).get("id").asText()).isEqualTo(id.toString());
    }

    @Test
    void aCommentThatIsNotThereMayBeOnItsWay() throws Exception {
        HttpResponse<String> response = get("/comments/" + NOBODY);
        assertProblem(response, 404, "can take a moment to appear");
        assertThat(header(response, "Retry-After")).isEqualTo("1");
        assertThat(header(response, "Cache-Control")).as("nobody keeps it without asking again").isEqualTo("no-cache");
    }

    @ParameterizedTest
    @ValueSource(strings = {"17", "1-1-1-1-1", "5afcce555e1c4ab4bd01d669ca3f6a48", "{5afcce55-5e1c-4ab4-bd01-d669ca3f6a48}",
        "5afcce55-5e1c-4ab4-bd01-d669ca3f6a4g", "5afcce55-5e1c-4ab4-bd01-d669ca3f6a48x"})
    void anIdThatIsNoUuidIsRefusedByName(String id) throws Exception {
        assertProblem(get("/comments/" + encoded(id)), 400, "id");
        assertProblem(get("/comments/" + encoded(id) + "/replies"), 400, "id");
    }

    @Test
    void aCallerWhoHasTheCommentIsNotSentItAgain() throws Exception {
        UUID id = insert("p", 1);
        HttpResponse<String> first = get("/comments/" + id);
        String etag = header(first, "ETag");
        for (String match : List.of(etag, "W/" + etag, "\"a\", " + etag, "*")) {
            HttpResponse<String> second = get("/comments/" + id, "If-None-Match", match);
            assertThat(second.statusCode()).as(match).isEqualTo(304);
            assertThat(second.body()).isEmpty();
            assertThat(second.headers().map()).containsOnlyKeys("etag", "cache-control");
            assertThat(header(second, "ETag")).isEqualTo(etag);
        }
        assertThat(get("/comments/" + id, "If-None-Match", "\"a\"").statusCode()).isEqualTo(200);
        assertThat(header(get("/comments/" + insert("p", 1)), "ETag")).isNotEqualTo(etag);
    }

    @Test
    void headIsGetWithoutTheBody() throws Exception {
        UUID id = insert("p", 1);
        for (String path : List.of("/comments/" + id, "/comments/" + NOBODY, "/comments?postId=p", "/comments?postId=p&limit=0",
                "/comments/" + id + "/replies")) {
            HttpResponse<String> get = get(path);
            HttpResponse<String> head = pipeline.send(HttpRequest.newBuilder(pipeline.uri(path)).method("HEAD", BodyPublishers.noBody()));
            assertThat(head.statusCode()).isEqualTo(get.statusCode());
            assertThat(head.headers().map()).isEqualTo(get.headers().map());
            assertThat(head.body()).isEmpty();
        }
    }

    // ---- pages ----

    @Test
    void theCommentsOfAPostComeNewestFirst() throws Exception {
        UUID first = insert("p", 1);
        UUID third = insert("p", 3);
        UUID second = insert("p", 2);
        insert("q", 2);
        HttpResponse<String> response = get("/comments?postId=p");
        assertThat(idsOf(response)).containsExactly(third.toString(), second.toString(), first.toString());
        assertThat(header(response, "Link")).isNull();
        assertThat(json(response).get(0)).isEqualTo(json(get("/comments/" + third)));
    }

    @Test
    void aPostWithoutCommentsHasAnEmptyPage() throws Exception {
        HttpResponse<String> response = get("/comments?postId=p");
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.body()).isEqualTo("[]");
        assertThat(get("/comments/" + NOBODY + "/replies").body()).isEqualTo("[]");
    }

    @Test
    void thePagesHoldEveryCommentOnceAndOneThatCameLaterOnNoLaterPage() throws Exception {
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            expected.add(0, insert("p", i).toString());
        }
        HttpResponse<String> first = get("/comments?postId=p&limit=7");
        assertThat(idsOf(first)).isEqualTo(expected.subList(0, 7));
        insert("p", "later", null, "2026-11-22T10:01:00Z");
        Pages rest = Pages.from(next(first));
        assertThat(rest.ids()).isEqualTo(expected.subList(7, 60));
        assertThat(rest.count()).isEqualTo(8);
        assertThat(idsOf(get("/comments?postId=p"))).as("the default").hasSize(50);
    }

    @Test
    void commentsOfTheSameMomentAreOrderedById() throws Exception {
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            ids.add(insert("p", 1).toString());
        }
        ids.sort((a, b) -> b.compareTo(a));
        assertThat(Pages.from("/comments?postId=p&limit=3")).isEqualTo(new Pages(ids, 7));
        assertThat(Pages.from("/comments?postId=p&limit=20")).isEqualTo(new Pages(ids, 1));
    }

    @Test
    void microsecondsAndInfiniteTimesAreKeptApart() throws Exception {
        List<String> expected = new ArrayList<>();
        for (String time : List.of("-infinity", "4713-01-01 BC", "2026-11-22T10:00:00.000001Z", "2026-11-22T10:00:00.000002Z",
                "294276-12-31", "infinity")) {
            expected.add(0, insert("p", "c", null, time).toString());
        }
        assertThat(Pages.from("/comments?postId=p&limit=1")).isEqualTo(new Pages(expected, 6));
    }

    @Test
    void theRepliesToACommentComeTheSameWay() throws Exception {
        UUID comment = insert("p", 1);
        List<String> expected = new ArrayList<>();
        for (int i = 10; i < 20; i++) {
            expected.add(0, insert("p", "r", comment, "2026-11-22T10:00:" + i + "Z").toString());
        }
        insert("p", "other", UUID.randomUUID(), "2026-11-22T10:00:30Z");
        assertThat(Pages.from("/comments/" + comment + "/replies?limit=4")).isEqualTo(new Pages(expected, 3));
        assertThat(json(get("/comments/" + comment + "/replies?limit=1")).get(0).get("parentId").asText()).isEqualTo(comment.toString());
    }

    @Test
    void aPageEndsAtAQuarterOfAMebibyteAndSaysThatThereIsMore() throws Exception {
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            expected.add(0, insert("p", "\u0001".repeat(10_000), null, "2026-11-22T10:00:%02dZ".formatted(i)).toString());
        }
        HttpResponse<String> first = get("/comments?postId=p&limit=1000");
        assertThat(idsOf(first)).isEqualTo(expected.subList(0, 26));
        assertThat(Pages.from(next(first)).ids()).isEqualTo(expected.subList(26, 30));
    }

    @Test
    void theETagOfAPageChangesWithItsCommentsAndItsLink() throws Exception {
        insert("p", 2);
        HttpResponse<String> first = get("/comments?postId=p&limit=1");
        String etag = header(first, "ETag");
        assertThat(get("/comments?postId=p&limit=1", "If-None-Match", etag).statusCode()).isEqualTo(304);
        insert("p", 1);
        HttpResponse<String> withLink = get("/comments?postId=p&limit=1", "If-None-Match", etag);
        assertThat(withLink.statusCode()).isEqualTo(200);
        assertThat(withLink.body()).isEqualTo(first.body());
        insert("p", 3);
        assertThat(header(get("/comments?postId=p&limit=1"), "ETag")).isNotEqualTo(etag)
                .isNotEqualTo(header(withLink, "ETag"));
        HttpResponse<String> unchanged = get("/comments?postId=p&limit=1", "If-None-Match", header(get("/comments?postId=p&limit=1"), "ETag"));
        assertThat(unchanged.statusCode()).isEqualTo(304);
        assertThat(next(unchanged)).as("as a 200 would have it").startsWith("/comments?postId=p&limit=1&before=");
    }

    // ---- bad input ----

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

    // ---- the database ----

    @Test
    void itCantWrite() throws Exception {
        try (Connection reads = pipeline.bean("commentReads", ReadDataSource.class).getConnection();
                Statement statement = reads.createStatement()) {
            assertThat(catchThrowableOfType(SQLException.class, () -> statement.execute("DELETE FROM comments")).getSQLState())
                    .isEqualTo("25006");
        }
    }

    @Test
    void aStatementThatTakesTooLongIsEnded() throws Exception {
        UUID id = insert("p", 1);
        connection.setAutoCommit(false);
        try {
            execute("LOCK TABLE comments");
            HttpResponse<String> response = get("/comments/" + id);
            assertProblem(response, 503, "can't be read now");
            assertThat(header(response, "Retry-After")).isEqualTo("1");
        } finally {
            connection.rollback();
            connection.setAutoCommit(true);
        }
        assertThat(get("/comments/" + id).statusCode()).isEqualTo(200);
    }

    @Test
    void aMissingTableIsA503AndNothingOfItIsTold() throws Exception {
        execute("ALTER VIEW comments_as_json RENAME TO away");
        try {
            HttpResponse<String> response = get("/comments?postId=p");
            assertProblem(response, 503, "can't be read now");
            assertThat(response.body()).doesNotContain("relation", "comments\"", "SQL");
        } finally {
            execute("ALTER VIEW away RENAME TO comments_as_json");
        }
        assertThat(get("/comments?postId=p").statusCode()).isEqualTo(200);
    }

    @Test
    void everyQueryGoesByAnIndexInItsOrderWhateverTheStatisticsSay() throws Exception {
        execute("INSERT INTO comments SELECT gen_random_uuid(), CASE WHEN i % 2 = 0 THEN 'hot' ELSE 'post-' || i END, 'u', 'Ann', 'c',"
                + " CASE WHEN i % 5 = 0 THEN '" + NOBODY + "'::uuid END, now() - i * interval '1 second', now() FROM generate_series(1, 20000) i");
        assertPlans();
        execute("ANALYZE comments");
        assertPlans();
        Pages pages = Pages.from("/comments?postId=hot&limit=1000");
        assertThat(pages.ids()).hasSize(10_000).doesNotHaveDuplicates();
        assertThat(pages.count()).isEqualTo(10);
    }

    private static void assertPlans() throws SQLException, IOException {
        Map<String, String> types = Map.of("postId", "text", "parentId", "uuid", "acceptedAt", "timestamptz", "id", "uuid",
                "limit", "int", "bytes", "int", "since", "timestamptz");
        try (Connection reads = pipeline.bean("commentReads", ReadDataSource.class).getConnection();
                Statement statement = reads.createStatement()) {
            for (String file : List.of("select-comment.sql", "select-comments-of-post.sql", "select-replies.sql",
                    "select-missed.sql")) {
                String sql = Files.readString(Path.of("routes/sql", file));
                List<String> names = types.keySet().stream().filter(name -> sql.contains(":?" + name)).toList();
                String prepared = sql;
                for (String name : names) {
                    prepared = prepared.replaceAll(":\\?" + name + "\\b", "\\$" + (names.indexOf(name) + 1));
                }
                statement.execute("PREPARE one (" + String.join(", ", names.stream().map(types::get).toList()) + ") AS " + prepared);
                List<String> plan = new ArrayList<>();
                try (ResultSet rows = statement.executeQuery("EXPLAIN EXECUTE one ("
                        + String.join(", ", Collections.nCopies(names.size(), "NULL")) + ")")) {
                    while (rows.next()) {
                        plan.add(rows.getString(1));
                    }
                }
                statement.execute("DEALLOCATE one");
                assertThat(plan).as(file).anyMatch(line -> line.matches(".*Index Scan (Backward )?using comments_(pkey|by_post|by_parent) .*"))
                        .noneMatch(line -> line.contains("Seq Scan") || line.contains("Bitmap"))
                        .noneMatch(line -> line.matches(".*Sort Key: (comments|latest)\\..*")
                                && !plan.get(plan.indexOf(line) + 1).contains("Presorted"));
            }
        }
    }

    @Test
    void whileTheDatabaseIsAwayEveryReadIsRefusedAtOnce() throws Exception {
        try (Proxy proxy = new Proxy(URI.create(database.substring("jdbc:".length())).getPort());
                TestPipeline reader = TestPipeline.start(Map.of("COMMENTS_ROLES", "comment-reader", "POSTGRES_USER", "postgres",
                        "RABBITMQ_URI", "amqp://127.0.0.1:1", "POSTGRES_URL", database.replaceFirst(":\\d+/", ":" + proxy.port() + "/")))) {
            HttpRequest.Builder request = HttpRequest.newBuilder(reader.uri("/comments?postId=p"));
            assertThat(reader.send(request).statusCode()).isEqualTo(200);
            proxy.blackHole();
            assertThatAllAreRefusedAtOnce(reader, request);
            proxy.release();
            await().atMost(Duration.ofSeconds(15)).until(() -> reader.send(request).statusCode() == 200);
            proxy.close();
            assertThatAllAreRefusedAtOnce(reader, request);
        }
    }

    @Test
    void aDatabaseThatWasNeverThereKeepsNobodyEither() throws Exception {
        try (Proxy proxy = new Proxy(URI.create(database.substring("jdbc:".length())).getPort());
                TestPipeline reader = TestPipeline.start(Map.of("COMMENTS_ROLES", "comment-reader", "POSTGRES_USER", "postgres",
                        "RABBITMQ_URI", "amqp://127.0.0.1:1", "POSTGRES_URL", database.replaceFirst(":\\d+/", ":" + proxy.port() + "/")))) {
            proxy.blackHole();
            assertThatAllAreRefusedAtOnce(reader, HttpRequest.newBuilder(reader.uri("/comments?postId=p")));
        }
    }

    private static void assertThatAllAreRefusedAtOnce(TestPipeline reader, HttpRequest.Builder request) throws Exception {
        // those who ask when it goes away wait as long as a connection does
        await().atMost(Duration.ofSeconds(15)).until(() -> reader.send(request).statusCode() == 503);
        // without the pause, 20 threads would wait half a second for each of them
        long sent = System.nanoTime();
        List<CompletableFuture<Duration>> answers = IntStream.range(0, 200).mapToObj(i -> reader.sendAsync(request).thenApply(answer -> {
            assertThat(answer.statusCode()).isEqualTo(503);
            return Duration.ofNanos(System.nanoTime() - sent);
        })).toList();
        // but for who tries whether it is back
        assertThat(answers.stream().map(CompletableFuture::join).filter(took -> took.toSeconds() >= 3)).hasSizeLessThan(5);
    }

    @Test
    void halfReadAnswersLeakNothing() throws Exception {
        for (int i = 0; i < 40; i++) {
            insert("p", "x".repeat(10_000), null, "2026-11-22T10:00:%02dZ".formatted(i));
        }
        int answered = 0;
        byte[] request = "GET /comments?postId=p&limit=1000 HTTP/1.1\r\nHost: a\r\n\r\n".getBytes(US_ASCII);
        for (int wave = 0; wave < 20; wave++) {
            List<Socket> readers = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                Socket reader = new Socket();
                reader.setReceiveBufferSize(4_096);
                reader.connect(new InetSocketAddress("127.0.0.1", pipeline.port()));
                reader.getOutputStream().write(request);
                readers.add(reader);
            }
            for (int i = 0; i < readers.size(); i++) {
                Socket reader = readers.get(i);
                // some leave before the answer, some in its midst, some in order and some not
                if (i % 4 != 0) {
                    String line = new String(reader.getInputStream().readNBytes(12), US_ASCII);
                    // 503 where a connection is too long in coming, on a slow machine
                    assertThat(line).isIn("HTTP/1.1 200", "HTTP/1.1 503");
                    answered += line.endsWith("200") ? 1 : 0;
                }
                reader.setSoLinger(i % 2 == 0, 0);
                reader.close();
            }
        }
        assertThat(answered).as("of 1,500").isGreaterThan(750);
        ReadDataSource reads = pipeline.bean("commentReads", ReadDataSource.class);
        HttpEngine engine = pipeline.bean("platform-http-engine", HttpEngine.class);
        await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> {
            assertThat(reads.getHikariPoolMXBean().getActiveConnections()).isZero();
            assertThat(engine.isIdle()).isTrue();
            assertThat(pipeline.context().getInflightRepository().size()).isZero();
        });
        assertThat(idsOf(get("/comments?postId=p"))).isNotEmpty();
    }

    @Test
    void moreReadersThanConnectionsAreAllAnswered() throws Exception {
        UUID id = insert("p", 1);
        ExecutorService readers = Executors.newFixedThreadPool(50);
        try {
            List<Future<Integer>> statuses = readers.invokeAll(Collections.nCopies(1_000, () -> get("/comments/" + id).statusCode()));
            for (Future<Integer> status : statuses) {
                assertThat(status.get()).isEqualTo(200);
            }
        } finally {
            readers.shutdown();
        }
    }
}
