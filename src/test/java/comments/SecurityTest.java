package comments;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import comments.settings.SettingsTest;
import comments.support.ApiKeyHash;
import comments.support.TestCertificate;
import comments.support.TestPipeline;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.Map;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** comment-service with API keys, a rate for each caller, and TLS. */
class SecurityTest {

    private static final String ANN = "ann-knows-this";
    private static final String BOB = "bob-knows-that";

    @TempDir
    static Path folder;

    private static EmbeddedBroker broker;
    private static TestCertificate certificate;
    private static TestPipeline pipeline;
    private static HttpClient client;

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
        certificate = TestCertificate.create(folder);
        client = HttpClient.newBuilder().sslContext(certificate.clientContext()).build();
        pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "COMMENTS_ROLES", "comment-service",
                "COMMENTS_API_KEYS", "ann:" + ApiKeyHash.of(ANN) + ",bob:" + ApiKeyHash.of(BOB), "COMMENTS_RATE_PER_CALLER", "5",
                "HTTP_TLS_CERTIFICATE", certificate.certificateFile().toString(), "HTTP_TLS_KEY", certificate.keyFile().toString()));
    }

    @AfterAll
    static void stop() throws IOException {
        pipeline.close();
        broker.close();
    }

    private static HttpResponse<String> post(String body, String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("https://localhost:" + pipeline.port() + "/comments"))
                .header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return client.send(request.build(), BodyHandlers.ofString());
    }

    @Test
    void whoHasNoKeyIsToldThatHeNeedsOne() throws Exception {
        for (String[] headers : new String[][] {{}, {"Authorization", "Bearer guess"}, {"Authorization", "Basic " + ANN},
            {"Authorization", "Bearer "}, {"Authorization", "Bearer " + ANN, "Authorization", "Bearer " + ANN}}) {
            HttpResponse<String> response = post(TestPipeline.COMMENT, headers);
            assertThat(response.statusCode()).isEqualTo(401);
            assertThat(response.headers().firstValue("WWW-Authenticate")).hasValue("Bearer");
            assertThat(response.headers().firstValue("Content-Type")).hasValue("application/problem+json");
        }
    }

    @Test
    void theSameIdempotencyKeyOfTwoCallersMakesTwoComments() throws Exception {
        String ofAnn = post(TestPipeline.COMMENT, "Authorization", "Bearer " + ANN, "Idempotency-Key", "1").body();
        assertThat(post(TestPipeline.COMMENT, "Authorization", "Bearer " + ANN, "Idempotency-Key", "1").body()).isEqualTo(ofAnn);
        String ofBob = post(TestPipeline.COMMENT, "Authorization", "Bearer " + BOB, "Idempotency-Key", "1").body();
        assertThat(ofBob).startsWith("{\"id\":").isNotEqualTo(ofAnn);
    }

    @Test
    void whoPostsMoreThanHisRateIsToldWhenToComeBack() throws Exception {
        String five = "[" + (TestPipeline.COMMENT + ",").repeat(4) + TestPipeline.COMMENT + "]";
        HttpResponse<String> response;
        do {
            response = post(five, "Authorization", "Bearer " + BOB);
        } while (response.statusCode() == 202);
        assertThat(response.statusCode()).isEqualTo(429);
        assertThat(response.headers().firstValueAsLong("Retry-After").orElseThrow()).isBetween(1L, 2L);
        assertThat(pipeline.observe("metrics")).contains("comments_refused_total{reason=\"too-many\"} 1.0");
    }

    /** Their advisories do not reach us: see SECURITY.md. */
    @Test
    void camelsOwnAuthenticationAndJwtAreNotConfigured() throws Exception {
        assertThat(SettingsTest.defaults().stringPropertyNames())
                .noneMatch(name -> name.toLowerCase().matches(".*(authentication|jwt).*"));
    }

    @Test
    void itSpeaksTlsWithItsCertificateAndHttp2AndNothingElse() throws Exception {
        HttpResponse<String> response = post(TestPipeline.COMMENT, "Authorization", "Bearer " + ANN);
        assertThat(response.statusCode()).isEqualTo(202);
        assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_2);
        assertThat(response.sslSession().orElseThrow().getProtocol()).isEqualTo("TLSv1.3");
        assertThatThrownBy(() -> pipeline.post("/comments", TestPipeline.COMMENT)).isInstanceOf(IOException.class);
        HttpRequest request = HttpRequest.newBuilder(URI.create("https://localhost:" + pipeline.port() + "/comments")).build();
        assertThatThrownBy(() -> HttpClient.newHttpClient().send(request, BodyHandlers.ofString()))
                .isInstanceOf(SSLException.class);
    }
}
