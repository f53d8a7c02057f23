package comments.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.EmbeddedBroker;
import comments.http.RateLimiter;
import comments.support.ApiKeyHash;
import comments.support.RawConnection;
import comments.support.TestPipeline;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What is judged of a post before its body has come. */
class AdmissionBeforeBodyTest {

    private static final String CLIENT = "127.0.0.1";
    private static final String HEADERS = "POST /comments HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
    private static final String LENGTH = "Content-Length: 100000\r\n\r\n";

    private static TestPipeline start(EmbeddedBroker broker, String... settings) throws Exception {
        Map<String, String> all = new HashMap<>(Map.of("RABBITMQ_URI", broker.uri(), "COMMENTS_ROLES", "comment-service"));
        for (int i = 0; i < settings.length; i += 2) {
            all.put(settings[i], settings[i + 1]);
        }
        return TestPipeline.start(all);
    }

    /** The status of the answer to headers that announce a body, which is never sent. */
    private static int statusWithoutBody(TestPipeline pipeline, String headers) throws IOException {
        try (RawConnection connection = RawConnection.open(CLIENT, pipeline.port())) {
            return connection.send(HEADERS + headers + LENGTH).status();
        }
    }

    @Test
    void aClientOverItsRateIsRefusedBeforeItsBodyAndInvalidRequestsCount() throws Exception {
        String hash = ApiKeyHash.of("key");
        try (EmbeddedBroker broker = EmbeddedBroker.startInMemory();
                TestPipeline pipeline = start(broker, "COMMENTS_RATE_PER_CALLER", "1", "COMMENTS_API_KEYS", "ann:" + hash)) {
            String key = "Authorization: Bearer key\r\n";
            try (RawConnection client = RawConnection.open(CLIENT, pipeline.port())) {
                client.send(RawConnection.post(key, "{}") + HEADERS + key + LENGTH);
                assertThat(client.answer()).startsWith("HTTP/1.1 422 ");
                assertThat(client.answer()).startsWith("HTTP/1.1 429 ").contains("Retry-After: 1\r\n");
            }
            assertThat(statusWithoutBody(pipeline, "")).isEqualTo(401);
            await().until(() -> pipeline.post("/comments", TestPipeline.COMMENT, "Authorization", "Bearer key").statusCode() == 202);
            assertThat(pipeline.observe("metrics")).containsPattern("comments_refused_total\\{reason=\"too-many\"[^}]*} [1-9]");
        }
    }

    @Test
    void aListCostsAsMuchAsItHasComments() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.startInMemory();
                TestPipeline pipeline = start(broker, "COMMENTS_RATE_PER_CALLER", "1000")) {
            String list = "[" + (TestPipeline.COMMENT + ",").repeat(999) + TestPipeline.COMMENT + "]";
            RateLimiter one = pipeline.bean("rateLimiter", RateLimiter.class);
            assertThat(pipeline.bean("admissionControl", AdmissionControl.class)).extracting("rateLimiter").isSameAs(one);
            assertThat(pipeline.bean("acceptComment", AcceptComment.class)).extracting("rateLimiter").isSameAs(one);
            assertThat(pipeline.post("/comments", list).statusCode()).isEqualTo(202);
            assertThat(pipeline.post("/comments", list).statusCode()).isEqualTo(429);
            await().until(() -> pipeline.post("/comments", list).statusCode() == 202);
        }
    }

    @Test
    void aPostIsRefusedBeforeItsBodyWhileTheBrokerIsAway() throws Exception {
        EmbeddedBroker broker = EmbeddedBroker.startInMemory();
        try (TestPipeline pipeline = start(broker)) {
            assertThat(pipeline.post("/comments", TestPipeline.COMMENT).statusCode()).isEqualTo(202);
            broker.close();
            await().until(() -> statusWithoutBody(pipeline, "") == 503);
            try (RawConnection connection = RawConnection.open(CLIENT, pipeline.port())) {
                connection.send(HEADERS + LENGTH);
                String answer = connection.answer();
                assertThat(answer).startsWith("HTTP/1.1 503 ").contains("Retry-After: 1\r\n", "Nothing is accepted now. Retry later.");
            }
        }
    }
}
