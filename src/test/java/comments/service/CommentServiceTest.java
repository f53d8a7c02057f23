package comments.service;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import comments.groupcommit.GroupCommit;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.apache.camel.BeanInject;
import org.apache.camel.CamelContext;
import org.apache.camel.EndpointInject;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.component.mock.MockEndpoint;
import org.apache.camel.main.MainConfigurationProperties;
import org.apache.camel.test.main.junit5.CamelMainTest;
import org.apache.camel.test.main.junit5.Configure;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The route file as it ships, from the REST endpoint to the broker, which is a mock. */
@CamelMainTest(replaceRouteFromWith = {"comment-service=direct:post", "comment-service-edit=direct:edit",
        "comment-service-erase=direct:erase", "comment-service-erase-user=direct:erase-user"}, mockEndpointsAndSkip = "spring-rabbitmq:*",
        properties = {"COMMENTS_ROLES=comment-service", "camel.metrics.enabled=false", "camel.management.enabled=false"})
class CommentServiceTest {

    private static final String COMMENT = """
            {"postId":"p","userId":"u","userName":"Ann","content":"Hi"}""";
    private static final ObjectMapper JSON = new ObjectMapper();

    @BeanInject
    private CamelContext context;

    @EndpointInject("mock:spring-rabbitmq:default")
    private MockEndpoint comments;

    @EndpointInject("direct:post")
    private ProducerTemplate post;

    @Configure
    void routes(MainConfigurationProperties configuration) {
        configuration.withRoutesIncludePattern("classpath:connections.camel.yaml,classpath:errors.camel.yaml,classpath:comment-service.camel.yaml");
    }

    @BeforeEach
    void reset() {
        comments.reset();
    }

    private Exchange post(String contentType, String body, Map<String, Object> headers) {
        return post.request("direct:post", exchange -> {
            exchange.getMessage().setHeaders(headers);
            exchange.getMessage().setHeader("Content-Type", contentType);
            exchange.getMessage().setBody(body);
        });
    }

    private Exchange post(String body) {
        return post("application/json", body, Map.of());
    }

    private static JsonNode answer(Exchange exchange) throws Exception {
        return JSON.readTree(exchange.getMessage().getBody(String.class));
    }

    private static int status(Exchange exchange) {
        return exchange.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class);
    }

    private JsonNode published() throws Exception {
        assertThat(comments.getExchanges()).hasSize(1);
        return JSON.readTree(comments.getExchanges().get(0).getMessage().getBody(byte[].class));
    }

    @Test
    void answers202WithTheIdOfThePublishedComment() throws Exception {
        Exchange exchange = post(COMMENT);
        assertThat(status(exchange)).isEqualTo(202);
        String id = published().get(0).get("id").asText();
        assertThat(UUID.fromString(id).version()).isEqualTo(7);
        assertThat(exchange.getMessage().getBody(String.class)).isEqualTo("{\"id\":\"" + id + "\"}");
        assertThat(exchange.getMessage().getHeaders()).containsOnly(
                Map.entry(Exchange.HTTP_RESPONSE_CODE, 202),
                Map.entry("Location", "/comments/" + id),
                Map.entry("Content-Type", "application/json"));
    }

    @Test
    void publishesAnArrayOfWhatWasPostedWithItsIdAndTime() throws Exception {
        post(COMMENT.replace("\"Hi\"", "\"H\\u00e4\\n\\\"\"").replace("}", ",\"parentId\":\"01A203E0-E52B-70A1-B154-FAA7274D2213\"}"));
        JsonNode comment = published().get(0);
        assertThat(comment.get("postId").asText()).isEqualTo("p");
        assertThat(comment.get("userId").asText()).isEqualTo("u");
        assertThat(comment.get("userName").asText()).isEqualTo("Ann");
        assertThat(comment.get("content").asText()).isEqualTo("Hä\n\"");
        assertThat(comment.get("parentId").asText()).isEqualTo("01a203e0-e52b-70a1-b154-faa7274d2213");
        assertThat(Duration.between(Instant.parse(comment.get("acceptedAt").asText()), Instant.now()))
                .isBetween(Duration.ZERO, Duration.ofMinutes(1));
        assertThat(comment).hasSize(7);
    }

    @Test
    void theMessageHasNoHeadersButTheContracts() {
        post("application/json", COMMENT, Map.of("CC", List.of("a", "b"), "springBatchFormat", "lengthHeader4",
                "x-death", List.of("a", "b"), "Authorization", "Bearer secret", "Set-Cookie", "a=b",
                "CamelSpringRabbitmqRoutingOverrideKey", "elsewhere"));
        assertThat(comments.getExchanges().get(0).getMessage().getHeaders()).containsOnly(
                Map.entry("commentCount", 1), Map.entry("CamelSpringRabbitmqContentType", "application/json"));
    }

    @Test
    void theAnswerEchoesNothing() {
        for (String body : new String[] {COMMENT, "{"}) {
            Exchange exchange = post("application/json", body, Map.of("Set-Cookie", "a=b", "Authorization", "Bearer secret"));
            assertThat(exchange.getMessage().getHeaders().keySet())
                    .isSubsetOf(Exchange.HTTP_RESPONSE_CODE, "Location", "Content-Type");
        }
    }

    @Test
    void answersOnlyWhenTheBrokerHasConfirmed() throws Exception {
        CountDownLatch confirm = new CountDownLatch(1);
        comments.whenAnyExchangeReceived(message -> confirm.await());
        CompletableFuture<Exchange> answered = CompletableFuture.supplyAsync(() -> post(COMMENT));
        await().until(() -> comments.getReceivedCounter() == 1);
        assertThat(answered).isNotDone();
        confirm.countDown();
        assertThat(status(answered.get(5, SECONDS))).isEqualTo(202);
    }

    @Test
    void commentsThatWaitTogetherArePublishedTogether() throws Exception {
        CountDownLatch confirm = new CountDownLatch(1);
        comments.whenExchangeReceived(1, message -> confirm.await());
        List<CompletableFuture<Exchange>> posts = new ArrayList<>();
        posts.add(CompletableFuture.supplyAsync(() -> post(COMMENT)));
        await().until(() -> comments.getReceivedCounter() == 1);
        GroupCommit groupCommit = context.getRegistry().lookupByNameAndType("groupCommit", GroupCommit.class);
        for (int i = 0; i < 3; i++) {
            post.asyncSend("direct:post", exchange -> {
                exchange.getMessage().setHeader("Content-Type", "application/json");
                exchange.getMessage().setBody(COMMENT);
            });
        }
        await().until(() -> groupCommit.getParked() == 4);
        confirm.countDown();
        await().until(() -> groupCommit.getParked() == 0);
        assertThat(comments.getExchanges()).hasSize(2);
        assertThat(comments.getExchanges().get(1).getMessage().getHeader("commentCount")).isEqualTo(3);
        assertThat(JSON.readTree(comments.getExchanges().get(1).getMessage().getBody(byte[].class))).hasSize(3);
    }

    @Test
    void answers503WhenTheBrokerDoesNotConfirm() throws Exception {
        comments.whenAnyExchangeReceived(message -> {
            throw new IllegalStateException("secret of the broker");
        });
        Exchange exchange = post(COMMENT);
        assertThat(status(exchange)).isEqualTo(503);
        assertThat(exchange.getMessage().getHeader("Retry-After")).isNotNull();
        assertThat(exchange.getMessage().getHeader("Content-Type")).isEqualTo("application/problem+json");
        assertThat(answer(exchange).get("status").asInt()).isEqualTo(503);
        assertThat(exchange.getMessage().getBody(String.class)).doesNotContain("secret");
    }

    @Test
    void aKeyGivesARetryTheSameId() throws Exception {
        Map<String, Object> key = Map.of("Idempotency-Key", "k1");
        String id = answer(post("application/json", COMMENT, key)).get("id").asText();
        assertThat(answer(post("application/json", " " + COMMENT, key)).get("id").asText()).isEqualTo(id);
        assertThat(answer(post("application/json", COMMENT.replace("Hi", "Ho"), key)).get("id").asText()).isNotEqualTo(id);
        assertThat(answer(post("application/json", COMMENT, Map.of("Idempotency-Key", "k2"))).get("id").asText())
                .isNotEqualTo(id);
        assertThat(answer(post(COMMENT)).get("id").asText()).isNotEqualTo(id);
    }

    @Test
    void aListIsPublishedAsOneMessageAndAnsweredWithItsIdsInOrder() throws Exception {
        Exchange exchange = post("[" + COMMENT + "," + COMMENT.replace("Hi", "Ho") + "]");
        assertThat(status(exchange)).isEqualTo(202);
        assertThat(exchange.getMessage().getHeader("Location")).isNull();
        JsonNode published = published();
        assertThat(comments.getExchanges().get(0).getMessage().getHeader("commentCount")).isEqualTo(2);
        assertThat(published.findValuesAsText("content")).containsExactly("Hi", "Ho");
        assertThat(answer(exchange).get("ids")).extracting(JsonNode::asText)
                .containsExactlyElementsOf(published.findValuesAsText("id"));
    }

    @Test
    void linesArePublishedAsAListIs() throws Exception {
        Exchange exchange = post("application/x-ndjson", COMMENT + "\n" + COMMENT + "\n", Map.of());
        assertThat(status(exchange)).isEqualTo(202);
        assertThat(answer(exchange).get("ids")).hasSize(2);
        assertThat(published()).hasSize(2);
    }

    @Test
    void aKeyGivesEachPlaceOfAListItsId() throws Exception {
        Map<String, Object> key = Map.of("Idempotency-Key", "k1");
        String list = "[" + COMMENT + "," + COMMENT + "]";
        JsonNode ids = answer(post("application/json", list, key)).get("ids");
        assertThat(ids.get(0)).isNotEqualTo(ids.get(1));
        assertThat(answer(post("application/json", list, key)).get("ids")).isEqualTo(ids);
    }

    @Test
    void aListWithOneWrongCommentIsRefusedAsAWhole() throws Exception {
        Exchange exchange = post("[" + COMMENT + "," + COMMENT.replace("\"Hi\"", "7") + "]");
        assertThat(status(exchange)).isEqualTo(422);
        assertThat(answer(exchange).get("errors")).hasToString("""
                [{"pointer":"#/1/content","detail":"must be a string"}]""");
        assertThat(comments.getExchanges()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "{", "{]", "[", "null", "7", "\"\"", "{}", "[]", "[{}]",
        "{\"postId\":\"p\",\"userId\":\"u\",\"userName\":\"Ann\"}",
        "{\"postId\":\"p\",\"userId\":\"u\",\"userName\":\"Ann\",\"content\":\"\"}",
        "{\"postId\":\"p\",\"userId\":\"u\",\"userName\":\"Ann\",\"content\":\"\\u0000\"}",
        "{\"postId\":\"p\",\"userId\":\"u\",\"userName\":\"Ann\",\"content\":\"\\ud800\"}",
        "{\"postId\":\"p\",\"userId\":\"u\",\"userName\":\"Ann\",\"content\":\"a\",\"content\":\"b\"}",
        "{\"postId\":\"p\",\"userId\":\"u\",\"userName\":\"Ann\",\"content\":\"a\",\"id\":\"b\"}",
        "{\"postId\":\"p\",\"userId\":\"u\",\"userName\":\"Ann\",\"content\":\"a\",\"parentId\":\"b\"}",
        "{\"postId\":\"p\",\"userId\":\"u\",\"userName\":\"Ann\",\"content\":\"a\"}x",
        "{\"postId\":[[[[[[[[]]]]]]]]}", "{\"postId\":1e999999}", "{\"postId\":99999999999999999999999999}"})
    void aBadBodyIsRefusedWithAProblemAndPublishesNothing(String body) throws Exception {
        Exchange exchange = post(body);
        assertThat(status(exchange)).isBetween(400, 422);
        assertThat(exchange.getMessage().getHeader("Content-Type")).isEqualTo("application/problem+json");
        JsonNode problem = answer(exchange);
        assertThat(problem.get("status").asInt()).isEqualTo(status(exchange));
        assertThat(problem.get("title").asText()).isNotEmpty();
        assertThat(problem.get("detail").asText()).isNotEmpty();
        if (status(exchange) == 422) {
            assertThat(problem.get("errors")).isNotEmpty()
                    .allSatisfy(error -> assertThat(error.get("pointer").asText()).startsWith("#"));
        }
        assertThat(comments.getExchanges()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "application/json | 202", "Application/JSON | 202", "application/json; charset=utf-8 | 202",
        "application/json;charset=\"UTF-8\" | 202", "application/json; v=1 | 202",
        "application/json; charset=utf-16 | 415", "application/json; charset=iso-8859-1 | 415", "application/json; charset=? | 415",
        "text/plain | 415", "text/json | 415", "application/xml | 415", "application/jsonx | 415",
        "application/x-www-form-urlencoded | 415", "multipart/form-data; boundary=a | 415", "'' | 415", "json | 415", "; | 415", ";; | 415"})
    void onlyJsonIsTaken(String contentType, int status) {
        Exchange exchange = post(contentType, COMMENT, Map.of());
        assertThat(status(exchange)).isEqualTo(status);
        assertThat(comments.getExchanges()).hasSize(status == 202 ? 1 : 0);
    }

    @Test
    void aBodyWithoutATypeOrInAnEncodingIsRefused() {
        assertThat(status(post.request("direct:post", exchange -> exchange.getMessage().setBody(COMMENT)))).isEqualTo(415);
        assertThat(status(post("application/json", COMMENT, Map.of("Content-Encoding", "gzip")))).isEqualTo(415);
        assertThat(comments.getExchanges()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "a b", "ä", "a\tb"})
    void aBadKeyIsRefusedByName(String key) throws Exception {
        Exchange exchange = post("application/json", COMMENT, Map.of("Idempotency-Key", key));
        assertThat(status(exchange)).isEqualTo(400);
        assertThat(answer(exchange).get("detail").asText()).contains("Idempotency-Key");
        assertThat(status(post("application/json", COMMENT, Map.of("Idempotency-Key", "a".repeat(256))))).isEqualTo(400);
        assertThat(status(post("application/json", COMMENT, Map.of("Idempotency-Key", List.of("a", "b"))))).isEqualTo(400);
        assertThat(comments.getExchanges()).isEmpty();
    }

    @Test
    void anotherEncodingThanUtf8IsRefused() throws Exception {
        Exchange exchange = post.request("direct:post", message -> {
            message.getMessage().setHeader("Content-Type", "application/json");
            message.getMessage().setBody(COMMENT.replace("Hi", "ä").getBytes(StandardCharsets.ISO_8859_1));
        });
        assertThat(status(exchange)).isEqualTo(400);
        assertThat(comments.getExchanges()).isEmpty();
    }
}
