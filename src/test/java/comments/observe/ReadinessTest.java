package comments.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.EmbeddedBroker;
import comments.rabbitmq.AcknowledgeInOrder;
import comments.rabbitmq.UnsettledHealth;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.camel.health.HealthCheck;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a failure behind the broker does to the readiness of a process. */
class ReadinessTest {

    private EmbeddedBroker broker;
    private Map<String, String> settings;

    @BeforeEach
    void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
        settings = new HashMap<>(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", TestServers.newDatabase(),
                "POSTGRES_USER", "postgres", "COMMENTS_BATCH_INTERVAL", "50"));
    }

    @AfterEach
    void stop() {
        broker.close();
    }

    // the first batch makes the table
    private void rename(String table, String name) {
        await().atMost(Duration.ofSeconds(30)).ignoreExceptions().until(() -> {
            try (var connection = DriverManager.getConnection(settings.get("POSTGRES_URL"));
                    var statement = connection.createStatement()) {
                statement.execute("ALTER TABLE " + table + " RENAME TO " + name);
                return true;
            }
        });
    }

    private static void awaitFailedBatch(TestPipeline pipeline) {
        await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> assertThat(pipeline.observe("health"))
                .contains("retrying-batches", "SQLSTATE 42P01"));
    }

    @Test
    void aProcessThatAcceptsPostsStaysReadyWhileABatchFails() throws Exception {
        try (TestPipeline pipeline = TestPipeline.start(settings)) {
            assertThat(pipeline.post("/comments", TestPipeline.COMMENT).statusCode()).isEqualTo(202);
            rename("comments", "away");
            assertThat(pipeline.post("/comments", TestPipeline.COMMENT).statusCode()).isEqualTo(202);
            awaitFailedBatch(pipeline);
            assertThat(pipeline.observe("health")).contains("\"DOWN\"");
            assertThat(pipeline.observe("health/ready")).contains("\"UP\"").doesNotContain("\"DOWN\"");
            assertThat(pipeline.bean("unsettledHealth", HealthCheck.class).isReadiness()).isFalse();
            assertThat(pipeline.bean("retryingPushes", HealthCheck.class).isReadiness()).isFalse();
            assertThat(pipeline.post("/comments", TestPipeline.COMMENT).statusCode()).isEqualTo(202);
            rename("away", "comments");
        }
    }

    @Test
    void aProcessThatOnlyConsumesIsNotReadyWhileABatchFails() throws Exception {
        settings.put("COMMENTS_ROLES", "comment-job-processor");
        try (TestPipeline pipeline = TestPipeline.start(settings);
                TestPipeline edge = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "COMMENTS_ROLES", "comment-service"))) {
            assertThat(edge.post("/comments", TestPipeline.COMMENT).statusCode()).isEqualTo(202);
            rename("comments", "away");
            assertThat(edge.post("/comments", TestPipeline.COMMENT).statusCode()).isEqualTo(202);
            awaitFailedBatch(pipeline);
            assertThat(pipeline.observe("health/ready")).contains("\"DOWN\"");
            assertThat(pipeline.bean("unsettledHealth", UnsettledHealth.class).isReadiness()).isTrue();
            assertThat(pipeline.bean("acknowledgeBatch", AcknowledgeInOrder.class).unsettled()).isPositive();
            rename("away", "comments");
        }
    }
}
