package comments.page;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import comments.support.TestPipeline;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.List;

/** Provokes every answer of PATCH and DELETE, for {@link CommentApiTest}. */
final class ChangeAnswers {

    /** Sends a request and files its answer. */
    interface Sender {
        HttpResponse<String> send(TestPipeline to, String method, String path, String body, String... headers)
                throws IOException, InterruptedException;
    }

    private static final String[] MAY_CHANGE = {"Authorization", "Bearer changes", "Content-Type", "application/json"};

    private final Sender sender;
    private final String edit;

    /**
     * Prepares requests.
     *
     * @param operation of openapi.json, whose example of an edit is sent
     */
    ChangeAnswers(Sender sender, JsonNode operation) {
        this.sender = sender;
        edit = operation.at("/requestBody/content/application~1json/examples/content/value").toString();
    }

    /**
     * Provokes the answers.
     *
     * @param open a process without API keys
     * @param closed a process with the keys "changes" and "key", of which the first has the scope change, a small rate and small bodies
     */
    void provoke(TestPipeline open, TestPipeline closed, String brokerUri) throws Exception {
        String posted = sender.send(closed, "POST", "/comments", TestPipeline.COMMENT, MAY_CHANGE).body();
        String path = "/comments/" + new ObjectMapper().readTree(posted).get("id").asText();
        awaitStatus(200, closed, "GET", path, null);
        awaitStatus(422, closed, "PATCH", path, "{\"content\":\"" + "x".repeat(10_001) + "\"}");
        awaitStatus(422, closed, "PATCH", path, "[" + edit + "]");
        awaitStatus(415, closed, "PATCH", path, edit, "Authorization", "Bearer changes", "Content-Type", "text/plain");
        for (String method : List.of("PATCH", "DELETE")) {
            String body = method.equals("PATCH") ? edit : null;
            awaitStatus(202, closed, method, path, body);
            awaitStatus(429, closed, method, path, body);
            awaitStatus(400, closed, method, "/comments/17", body);
            awaitStatus(401, closed, method, path, body, "Content-Type", "application/json");
            awaitStatus(403, closed, method, path, body, "Authorization", "Bearer key", "Content-Type", "application/json");
            awaitStatus(403, open, method, path, body);
            awaitStatus(413, closed, method, path, "x".repeat(20_001));
            awaitStatus(414, closed, method, path + "?" + "x".repeat(9_000), body);
        }
        String user = "/users/u1/comments";
        awaitStatus(202, closed, "DELETE", user, null);
        awaitStatus(429, closed, "DELETE", user, null);
        awaitStatus(400, closed, "DELETE", "/users/" + "x".repeat(201) + "/comments", null);
        awaitStatus(401, closed, "DELETE", user, null, "Content-Type", "application/json");
        awaitStatus(403, closed, "DELETE", user, null, "Authorization", "Bearer key", "Content-Type", "application/json");
        awaitStatus(403, open, "DELETE", user, null);
        awaitStatus(413, closed, "DELETE", user, "x".repeat(20_001));
        awaitStatus(414, closed, "DELETE", user + "?" + "x".repeat(9_000), null);
        awaitStatus(410, closed, "GET", path, null);
        assertThat(sender.send(closed, "GET", "/comments?postId=p", null, MAY_CHANGE).body()).contains("erasedAt");
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(brokerUri);
        try (Connection connection = factory.newConnection(); Channel channel = connection.createChannel()) {
            channel.queueDelete("comment-changes");
        }
        awaitStatus(503, closed, "PATCH", path, edit);
        awaitStatus(503, closed, "DELETE", path, null);
        awaitStatus(503, closed, "DELETE", user, null);
    }

    private void awaitStatus(int status, TestPipeline to, String method, String path, String body, String... headers) {
        await().until(() -> sender.send(to, method, path, body, headers.length > 0 ? headers : MAY_CHANGE).statusCode() == status);
    }
}
