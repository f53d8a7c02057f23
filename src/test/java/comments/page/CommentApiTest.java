package comments.page;

import static comments.support.ApiDocument.fields;
import static java.util.stream.Collectors.toCollection;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.TextNode;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.ConnectionFactory;
import comments.EmbeddedBroker;
import comments.http.HttpEngine;
import comments.http.Problem;
import comments.http.SseClients;
import comments.support.ApiDocument;
import comments.support.ApiDocument.Operation;
import comments.support.ApiKeyHash;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** openapi.json and the application are one: all that is documented was answered here, and all that was answered is documented. */
class CommentApiTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String NOBODY = "5afcce55-5e1c-4ab4-bd01-d669ca3f6a48";
    private static final Set<String> OF_HTTP = Set.of("content-type", "content-length", "connection", "x-content-type-options",
            "transfer-encoding");

    private record Answer(String method, String path, HttpResponse<String> response) {

        @Override
        public String toString() {
            return method + " " + path + ": " + response.statusCode() + " " + response.headers().map() + " " + response.body();
        }
    }

    private static final List<Answer> ANSWERS = new ArrayList<>();

    private static ApiDocument api;
    private static final String IMPORT = TestPipeline.COMMENT.replace("}", ",\"id\":\"" + NOBODY + "\",\"acceptedAt\":\"2009-01-01T00:00:00Z\"}");

    private static EmbeddedBroker broker;
    private static TestPipeline pipeline;

    @BeforeAll
    static void provokeAllAnswers() throws Exception {
        api = ApiDocument.read();
        broker = EmbeddedBroker.startInMemory();
        String database = TestServers.newDatabase();
        pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", database, "POSTGRES_USER", "postgres",
                "HTTP_MAX_BODY", "20000", "COMMENTS_RATE_PER_CALLER", "60", "COMMENTS_CONFIRM_TIMEOUT", "2000"));
        String id = provokeWritten();
        provokeRefused();
        provokeRead(id);
        provokeStreamed();
        new RefusedReads(CommentApiTest::answer, pipeline, id).provoke();
        provokeFailures(database);
        try (TestPipeline closed = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", database,
                "POSTGRES_USER", "postgres", "COMMENTS_API_KEYS", "ann:" + ApiKeyHash.of("key") + ",bob:" + ApiKeyHash.of("posts") + ":post,"
                + "eve:" + ApiKeyHash.of("reads") + ":read,carl:" + ApiKeyHash.of("changes") + ":post+read+change", "COMMENTS_PAGES", "false",
                "HTTP_MAX_BODY", "20000", "COMMENTS_RATE_PER_CALLER", "1", "COMMENTS_CONFIRM_TIMEOUT", "2000", "COMMENTS_BASE_PATH", "/c"))) {
            new ChangeAnswers(CommentApiTest::answer, content("patch-comment")).provoke(pipeline, closed, broker.uri());
            for (String path : List.of("/comments?postId=p1", "/comments/" + id, "/comments/" + id + "/replies", "/comments/count?postId=p1",
                    "/openapi.json")) {
                answer(closed, "GET", path, null, "Authorization", "Bearer key");
            }
            for (String path : List.of("/comments?postId=p1", "/comments/" + id, "/comments/" + id + "/replies", "/openapi.json",
                    "/comments/count?postId=p1", "/comments/stream")) {
                answer(closed, "GET", path, null);
                answer(closed, "GET", path, null, "Authorization", "Bearer guess");
                answer(closed, "GET", path, null, "Authorization", "Bearer posts");
            }
            answer(closed, "POST", "/comments", TestPipeline.COMMENT, "Content-Type", "application/json", "Authorization", "Bearer reads");
            answer(closed, "POST", "/comments", TestPipeline.COMMENT, "Content-Type", "application/json");
            answer(closed, "POST", "/comments", IMPORT, "Content-Type", "application/json", "Authorization", "Bearer key");
            assertThat(closed.send(HttpRequest.newBuilder(closed.uri("/openapi"))).statusCode())
                    .as("the page, which COMMENTS_PAGES leaves out").isEqualTo(404);
            new RefusedReads(CommentApiTest::answer, closed, id).provokeDrained();
        }
    }

    @AfterAll
    static void stop() {
        pipeline.close();
        broker.close();
    }

    private static HttpResponse<String> answer(TestPipeline of, String method, String path, String body, String... headers)
            throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(of.uri(path))
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        HttpResponse<String> response = of.send(request);
        ANSWERS.add(new Answer(method, path.replaceAll("\\?.*", ""), response));
        return response;
    }

    private static HttpResponse<String> get(String path, String... headers) throws IOException, InterruptedException {
        return answer(pipeline, "GET", path, null, headers);
    }

    private static HttpResponse<String> post(String body, String... headers) throws IOException, InterruptedException {
        return answer(pipeline, "POST", "/comments", body, headers.length > 0 ? headers
                : new String[] {"Content-Type", "application/json"});
    }

    private static JsonNode content(String operation) {
        return api.operations().stream().filter(each -> each.id().equals(operation)).findFirst().orElseThrow().content();
    }

    /** Posts the examples of the document; returns the id of one of them that has a reply, when both can be read. */
    private static String provokeWritten() throws Exception {
        String id = null;
        for (Map.Entry<String, JsonNode> type : fields(content("post-comment").at("/requestBody/content"))) {
            for (JsonNode example : type.getValue().get("examples")) {
                JsonNode value = example.get("value");
                HttpResponse<String> response = post(value.isTextual() ? value.asText() : value.toString(), "Content-Type", type.getKey());
                assertThat(response.statusCode()).as(value.toString()).isEqualTo(202);
                id = JSON.readTree(response.body()).path("id").asText(id);
            }
        }
        post(TestPipeline.COMMENT, "Content-Type", "application/json", "Idempotency-Key", "key");
        String parent = id;
        String reply = JSON.readTree(post(TestPipeline.COMMENT.replace("}", ",\"parentId\":\"" + parent + "\"}")).body()).get("id").asText();
        await().until(() -> pipeline.send(HttpRequest.newBuilder(pipeline.uri("/comments/" + reply))).statusCode() == 200);
        return parent;
    }

    private static void provokeRefused() throws Exception {
        post("{");
        post("{x");
        post("");
        post(TestPipeline.COMMENT, "Content-Type", "application/json", "Idempotency-Key", "a b");
        post("x".repeat(20_001));
        post(TestPipeline.COMMENT, "Content-Type", "text/plain");
        post(TestPipeline.COMMENT, "Content-Type", "application/json; charset=utf-16");
        post(TestPipeline.COMMENT, "Content-Type", "application/json", "Content-Encoding", "gzip");
        post("{\"postId\":\"p1\",\"userId\":7,\"userName\":\"Ann\",\"contents\":\"?\"}");
        post(IMPORT);
        post(IMPORT.replace("2009", "9009"));
        post("[" + (TestPipeline.COMMENT + ",").repeat(60) + TestPipeline.COMMENT + "]");
        post("[" + (TestPipeline.COMMENT + ",").repeat(59) + TestPipeline.COMMENT + "]");
        post("[" + (TestPipeline.COMMENT + ",").repeat(59) + TestPipeline.COMMENT + "]");
        answer(pipeline, "POST", "/comments?" + "x".repeat(9_000), TestPipeline.COMMENT, "Content-Type", "application/json");
    }

    private static void provokeRead(String id) throws Exception {
        for (String path : List.of("/comments?postId=p1", "/comments/" + id, "/comments/" + id + "/replies", "/comments/count?postId=p1")) {
            HttpResponse<String> response = get(path);
            get(path, "If-None-Match", response.headers().firstValue("ETag").orElseThrow());
            get(path.replaceAll("\\?.*", "") + "?" + "x".repeat(9_000));
        }
        get("/comments?postId=p1&limit=1");
        get("/comments?postId=none");
        get("/comments");
        get("/comments?postId=p1&limit=0");
        get("/comments?postId=p1&before=x");
        get("/comments?postId=p1&page=2");
        get("/comments/17");
        get("/comments/" + id + "?page=2");
        get("/comments/" + NOBODY);
        get("/comments/17/replies");
        get("/comments/" + id + "/replies?postId=p1");
        get("/comments/count?page=2");
        get("/comments/count?" + "postId=p1&".repeat(101));
        get("/openapi.json");
        get("/openapi.json?" + "x".repeat(9_000));
    }

    private static void provokeStreamed() throws Exception {
        SseClients listeners = pipeline.bean("sseClients", SseClients.class);
        CompletableFuture<HttpResponse<String>> stream = CompletableFuture.supplyAsync(() -> {
            try {
                return get("/comments/stream?postId=p1", "Last-Event-ID", "1");
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        await().until(() -> listeners.count() == 1);
        await().until(() -> {
            listeners.endAll("resume");
            return stream.isDone();
        });
        assertThat(stream.get().body()).endsWith("event: end\ndata: {\"reason\":\"resume\"}\n\n");
        get("/comments/stream", "Last-Event-ID", "x");
        get("/comments/stream?postId=");
        get("/comments/stream?" + "x".repeat(9_000));
        listeners.setMaxClients(0);
        get("/comments/stream");
        listeners.setMaxClients(100);
    }

    private static void provokeFailures(String database) throws Exception {
        try (Connection owner = DriverManager.getConnection(database)) {
            owner.createStatement().execute("ALTER TABLE comments RENAME TO away");
            get("/comments?postId=p1");
            get("/comments/" + NOBODY);
            get("/comments/" + NOBODY + "/replies");
            get("/comments/count?postId=p1");
            owner.createStatement().execute("ALTER TABLE away RENAME TO comments");
        }
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(broker.uri());
        try (com.rabbitmq.client.Connection connection = factory.newConnection(); Channel channel = connection.createChannel()) {
            channel.queueDelete("comments");
            post(TestPipeline.COMMENT);
        }
        try (EmbeddedBroker other = EmbeddedBroker.startInMemory();
                TestPipeline ending = TestPipeline.start(Map.of("RABBITMQ_URI", other.uri(), "COMMENTS_ROLES", "comment-service"))) {
            other.close();
            await().until(() -> answer(ending, "POST", "/comments", TestPipeline.COMMENT, "Content-Type", "application/json").body()
                    .contains("Nothing is accepted now"));
            ending.bean("platform-http-engine", HttpEngine.class).drain();
            answer(ending, "POST", "/comments", TestPipeline.COMMENT, "Content-Type", "application/json");
        }
    }

    private static Operation operation(Answer answer) {
        return api.operations().stream().filter(operation -> operation.method().equals(answer.method())
                && Pattern.matches(operation.path().replaceAll("\\{\\w+}", "[^/]+"), answer.path())).findFirst()
                .orElseThrow(() -> new AssertionError("not documented: " + answer));
    }

    /** The status that documents an answer: its own, or "default". */
    private static String documentedAs(Operation operation, Answer answer) {
        String status = Integer.toString(answer.response().statusCode());
        if (operation.content().at("/responses").has(status)) {
            return status;
        }
        assertThat(status).as(answer.toString()).isIn("414", "431", "500");
        return "default";
    }

    @Test
    void everyAnswerIsDocumented() throws Exception {
        assertThat(ANSWERS).hasSizeGreaterThan(50);
        for (Answer answer : ANSWERS) {
            Operation operation = operation(answer);
            JsonNode documented = api.resolve(operation.content().at("/responses").path(documentedAs(operation, answer)));
            assertThat(documented.isObject()).as("%s is documented", answer).isTrue();
            Set<String> headers = new HashSet<>(OF_HTTP);
            for (Map.Entry<String, JsonNode> header : fields(documented.path("headers"))) {
                headers.add(header.getKey().toLowerCase());
                JsonNode content = api.resolve(header.getValue());
                String value = answer.response().headers().firstValue(header.getKey()).orElse(null);
                assertThat(value != null || !content.path("required").asBoolean()).as("%s has %s", answer, header.getKey()).isTrue();
                if (value != null) {
                    assertThat(api.schema(content.get("schema")).validate(TextNode.valueOf(value))).as(answer.toString()).isEmpty();
                }
            }
            assertThat(headers).as("the headers of %s", answer).containsAll(answer.response().headers().map().keySet());
            JsonNode content = documented.path("content");
            String type = answer.response().headers().firstValue("Content-Type").orElse("none");
            if (content.isEmpty()) {
                assertThat(answer.response().body()).as(answer.toString()).isEmpty();
            } else {
                assertThat(content.has(type)).as("%s has a documented type", answer).isTrue();
                JsonNode body = type.endsWith("json") ? JSON.readTree(answer.response().body())
                        : TextNode.valueOf(answer.response().body());
                assertThat(api.schema(content.get(type).get("schema")).validate(body))
                        .as(answer.toString()).isEmpty();
            }
        }
    }

    @Test
    void everyDocumentedAnswerWasGiven() {
        Set<String> documented = api.operations().stream().flatMap(operation ->
                fields(operation.content().get("responses")).stream().map(response -> operation + " " + response.getKey()))
                .collect(toCollection(TreeSet::new));
        Set<String> given = ANSWERS.stream().map(answer -> operation(answer) + " " + documentedAs(operation(answer), answer))
                .collect(toCollection(TreeSet::new));
        assertThat(given).isEqualTo(documented);
    }

    @Test
    void everyExampleOfAProblemIsAProblemThatWasAnswered() throws Exception {
        Set<JsonNode> problems = new HashSet<>();
        for (Answer answer : ANSWERS) {
            if (answer.response().statusCode() >= 400) {
                problems.add(JSON.readTree(answer.response().body()));
            }
        }
        int examples = 0;
        for (Operation operation : api.operations()) {
            for (JsonNode response : operation.content().get("responses")) {
                for (JsonNode example : api.resolve(response).path("content").path(Problem.MEDIA_TYPE).path("examples")) {
                    assertThat(problems).as(operation.toString()).contains(example.get("value"));
                    examples++;
                }
            }
        }
        assertThat(examples).isGreaterThan(30);
    }

    @Test
    void thePageToTryTheApiLoadsNothingFromElsewhere() throws Exception {
        HttpResponse<String> page = pipeline.send(HttpRequest.newBuilder(pipeline.uri("/openapi")));
        assertThat(page.statusCode()).isEqualTo(200);
        assertThat(page.headers().firstValue("Content-Type")).hasValue("text/html; charset=utf-8");
        assertThat(page.headers().firstValue("Content-Security-Policy").orElseThrow()).startsWith("default-src 'none'")
                .doesNotContain("unsafe", "http", "*");
        List<String> named = Pattern.compile("(?:src|href)=\"([^\"]+)\"").matcher(page.body()).results()
                .map(match -> match.group(1)).filter(name -> !name.equals("data:,")).toList();
        assertThat(named).hasSize(3).allMatch(name -> name.startsWith("openapi/"));
        for (String name : named) {
            HttpResponse<String> file = pipeline.send(HttpRequest.newBuilder(pipeline.uri("/" + name)));
            assertThat(file.statusCode()).as(name).isEqualTo(200);
            assertThat(file.headers().firstValue("Content-Type").orElseThrow()).as(name)
                    .startsWith(name.endsWith(".css") ? "text/css" : "text/javascript");
            assertThat(file.headers().firstValue("X-Content-Type-Options")).hasValue("nosniff");
        }
    }

    @Test
    void nothingElseIsServedBesideThePage() throws Exception {
        for (String path : List.of("/openapi/none", "/openapi/../application.properties", "/openapi/..%2fapplication.properties",
                "/openapi/swagger-ui.css/x", "/openapi/application.properties", "/openapis", "/openapi/%00")) {
            HttpResponse<String> response = pipeline.send(HttpRequest.newBuilder(pipeline.uri(path)));
            assertThat(response.statusCode()).as(path).isEqualTo(404);
            assertThat(response.headers().firstValue("Content-Type")).hasValue(Problem.MEDIA_TYPE);
        }
    }
}
