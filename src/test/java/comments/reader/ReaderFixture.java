package comments.reader;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import comments.postgresql.ReactiveSqlComponent;
import comments.postgresql.SchemaMigration;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;

/** comment-reader alone, over real HTTP, with a database of the class; it needs no broker. */
abstract class ReaderFixture {

    static final ObjectMapper JSON = new ObjectMapper();
    static final String NOBODY = "5afcce55-5e1c-4ab4-bd01-d669ca3f6a48";

    static String database;
    static TestPipeline pipeline;
    static Connection connection;

    @BeforeAll
    static void start() throws Exception {
        database = TestServers.newDatabase();
        pipeline = TestPipeline.start(Map.of("COMMENTS_ROLES", "comment-reader", "POSTGRES_URL", database,
                "POSTGRES_USER", "postgres", "RABBITMQ_URI", "amqp://127.0.0.1:1"));
        // makes the schema
        pipeline.bean("commentsSchema", SchemaMigration.class).await(60_000);
        await().atMost(Duration.ofSeconds(30)).until(() -> pipeline.bean("reactive-sql", ReactiveSqlComponent.class).problem(1_000) == null);
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

    static void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    static UUID insert(String post, String content, UUID parent, String acceptedAt) throws SQLException {
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

    static UUID insert(String post, int second) throws SQLException {
        return insert(post, "c" + second, null, "2026-11-22T10:00:%02dZ".formatted(second));
    }

    static HttpResponse<String> get(String path, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(pipeline.uri(path));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return pipeline.send(request);
    }

    static JsonNode json(HttpResponse<String> response) throws Exception {
        return JSON.readTree(response.body());
    }

    static List<String> idsOf(HttpResponse<String> response) throws Exception {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return json(response).findValuesAsText("id");
    }

    static String encoded(String text) {
        return URLEncoder.encode(text, UTF_8);
    }

    static String header(HttpResponse<?> response, String name) {
        return response.headers().firstValue(name).orElse(null);
    }

    static String next(HttpResponse<String> response) {
        String link = header(response, "Link");
        return link == null ? null : link.replaceFirst("^<(.*)>; rel=\"next\"$", "$1");
    }

    /** The ids of all pages, and how many pages there were. */
    record Pages(List<String> ids, int count) {

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

    static void assertProblem(HttpResponse<String> response, int status, String... named) throws Exception {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        assertThat(header(response, "Content-Type")).isEqualTo("application/problem+json");
        assertThat(json(response).get("status").asInt()).isEqualTo(status);
        assertThat(List.of(named)).allSatisfy(part -> assertThat(json(response).get("detail").asText()).contains(part));
    }
}
