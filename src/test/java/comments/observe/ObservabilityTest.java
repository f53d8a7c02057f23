package comments.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import comments.DeploymentFiles;
import comments.DeploymentFiles.Manifest;
import comments.EmbeddedBroker;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The dashboard, the alerts and the probes ask for what the running application tells. */
class ObservabilityTest {

    private static final Path DASHBOARD = Path.of("docker/grafana/dashboards/comments.json");
    private static final Path ALERTS = Path.of("docker/prometheus/alerts.yml");

    /** What Prometheus itself knows, and what RabbitMQ 4 tells on /metrics and /metrics/detailed. */
    private static final Set<String> OF_OTHERS = Set.of("up", "rabbitmq_detailed_queue_messages_ready",
            "rabbitmq_detailed_queue_messages_unacked", "rabbitmq_detailed_queue_messages_ready_bytes",
            "rabbitmq_process_resident_memory_bytes", "rabbitmq_resident_memory_limit_bytes", "rabbitmq_disk_space_available_bytes",
            "rabbitmq_disk_space_available_limit_bytes");

    private static EmbeddedBroker broker;
    private static TestPipeline pipeline;

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
        pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", TestServers.newDatabase(),
                "POSTGRES_USER", "postgres"));
        assertThat(pipeline.post("/comments", TestPipeline.COMMENT).statusCode()).isEqualTo(202);
        System.gc();
        await().atMost(Duration.ofSeconds(30)).until(() -> pipeline.observe("metrics").contains("comments_pushed_total 1.0"));
    }

    @AfterAll
    static void stop() {
        pipeline.close();
        broker.close();
    }

    /** The expressions in the dashboard and the alerts, by where they are. */
    private static Map<String, String> expressions() throws Exception {
        Map<String, String> expressions = new TreeMap<>();
        for (JsonNode panel : new ObjectMapper().readTree(DASHBOARD.toFile()).get("panels")) {
            for (JsonNode target : panel.path("targets")) {
                expressions.put(DASHBOARD + " " + panel.get("title").asText() + " " + target.get("refId").asText(),
                        target.get("expr").asText());
            }
        }
        for (JsonNode rule : DeploymentFiles.yaml(ALERTS).get(0).content().at("/groups/0/rules")) {
            expressions.put(ALERTS + " " + rule.get("alert").asText(), rule.get("expr").asText());
        }
        return expressions;
    }

    /** The names of metrics in an expression: what is no function, keyword, label or value. */
    private static Set<String> metrics(String expression) {
        String bare = expression.replaceAll("\"[^\"]*\"", "").replaceAll("\\{[^}]*}", "").replaceAll("\\[[^]]*]", "")
                .replaceAll("\\b(by|without) ?\\([^)]*\\)", "");
        return Pattern.compile("\\b[a-z][a-z0-9_]*\\b(?! *\\()").matcher(bare).results().map(match -> match.group())
                .filter(name -> !Set.of("or", "and", "unless").contains(name))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Set<String> told() throws Exception {
        return pipeline.observe("metrics").lines().filter(line -> !line.startsWith("#"))
                .map(line -> line.replaceAll("[{ ].*", "")).collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void everyMetricThatIsAskedForIsTold() throws Exception {
        Set<String> told = told();
        Map<String, String> expressions = expressions();
        assertThat(expressions).hasSizeGreaterThan(25);
        expressions.forEach((place, expression) -> {
            Set<String> asked = metrics(expression);
            assertThat(asked).as(place).isNotEmpty();
            asked.removeAll(OF_OTHERS);
            assertThat(asked).as("%s, compared to /observe/metrics", place).isSubsetOf(told);
        });
    }

    @Test
    void everyMetricOfThePipelineIsOnTheDashboard() throws Exception {
        Set<String> asked = expressions().entrySet().stream()
                .filter(entry -> entry.getKey().startsWith(DASHBOARD.toString()))
                .flatMap(entry -> metrics(entry.getValue()).stream())
                .map(ObservabilityTest::meter).collect(Collectors.toSet());
        Set<String> ours = told().stream().filter(name -> name.startsWith("comments_")).map(ObservabilityTest::meter)
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(asked).as("%s, compared to /observe/metrics", DASHBOARD).containsAll(ours);
    }

    // a histogram has a series for each of these
    private static String meter(String series) {
        return series.replaceAll("_(bucket|sum|count|max)$", "");
    }

    @Test
    void theReasonsOfRefusalInTheAlertsExist() throws Exception {
        String told = pipeline.observe("metrics");
        List<String> reasons = new ArrayList<>();
        expressions().forEach((place, expression) -> Pattern.compile("reason=~\"([^\"]+)\"").matcher(expression).results()
                .forEach(match -> reasons.addAll(List.of(match.group(1).split("\\|")))));
        assertThat(reasons).isNotEmpty().allSatisfy(reason ->
                assertThat(told).as(ALERTS + " reason").contains("comments_refused_total{reason=\"" + reason + "\"}"));
    }

    /** Whatever keeps a post from its 202 is told of, unless it is the client's fault, or the process ends. */
    @Test
    void allReasonsOfOursAreInTheAlert() throws Exception {
        Set<String> ofOthers = Set.of("malformed", "unauthorized", "forbidden", "too-many", "media-type", "invalid", "too-large", "not-http", "stopping");
        Set<String> ours = Pattern.compile("comments_refused_total\\{reason=\"([^\"]+)\"}").matcher(pipeline.observe("metrics")).results()
                .map(reason -> reason.group(1)).filter(reason -> !ofOthers.contains(reason)).collect(Collectors.toSet());
        assertThat(ours).isNotEmpty();
        String expression = expressions().entrySet().stream().filter(entry -> entry.getValue().contains("comments_refused_total{reason=~"))
                .map(Map.Entry::getValue).findFirst().orElseThrow();
        assertThat(Set.of(expression.replaceFirst("(?s).*?reason=~\"([^\"]+)\".*", "$1").split("\\|"))).isEqualTo(ours);
    }

    private static JsonNode rule(String alert) {
        for (JsonNode rule : DeploymentFiles.yaml(ALERTS).get(0).content().at("/groups/0/rules")) {
            if (rule.get("alert").asText().equals(alert)) {
                return rule;
            }
        }
        throw new AssertionError(alert);
    }

    private static long number(String text, String pattern) {
        return Long.parseLong(Pattern.compile(pattern).matcher(text).results().findFirst().orElseThrow().group(1));
    }

    private static long half(String policy, String limit) {
        return number(policy, "\"" + limit + "\": (\\d+)") / 2;
    }

    /** Retry-After and COMMENTS_RETRY_MAX_DELAY may let 10 minutes pass from one attempt to the next. */
    @Test
    void anAlertSeesRetriesThatAreTenMinutesApartButNotASingleOne() {
        JsonNode rule = rule("CommentsRetried");
        long window = number(rule.get("expr").asText(), "\\[(\\d+)m]");
        assertThat(window).as("minutes, with those of the attempt itself").isGreaterThan(12);
        assertThat(number(rule.get("for").asText(), "(\\d+)m")).isGreaterThan(window);
    }

    @Test
    void anAlertPagesWhenAQueueOfNotificationsIsHalfFull() throws Exception {
        String policies = Files.readString(Path.of("docker/policies"));
        JsonNode rule = rule("NotificationsQueueHalfFull");
        for (String queue : List.of("notifications", "notifications-refused")) {
            String policy = policies.substring(policies.indexOf("'^" + queue + "$'"));
            assertThat(rule.get("expr").asText())
                    .contains("_ready{queue=~\"notifications|notifications-refused\"}) > " + half(policy, "max-length") + "\n")
                    .contains("_bytes{queue=~\"notifications|notifications-refused\"}) > " + half(policy, "max-length-bytes"));
        }
        assertThat(rule.at("/labels/severity").asText()).isEqualTo("page");
        assertThat(DeploymentFiles.yaml(Path.of("docker/prometheus/prometheus.yml")).get(0).content()
                .at("/scrape_configs/2/params/family")).as("of messages, and of their bytes").extracting(JsonNode::asText)
                .containsExactly("queue_coarse_metrics", "queue_metrics");
    }

    @Test
    void anAlertSaysWhenARefusedPushIsGivenUp() throws Exception {
        long ttl = number(Files.readString(Path.of("docker/policies")), "\"message-ttl\": (\\d+)");
        String days = Duration.ofMillis(ttl).toDays() + " days";
        assertThat(rule("CommentsPushesNotReplayed").at("/annotations/description").asText()).contains("After " + days);
        assertThat(Files.readString(Path.of("docs/operations.md")))
                .contains("keeps a refused notification for " + days + " (`message-ttl`)");
    }

    /** Prometheus finds a container by its name, and no target where none runs. */
    @Test
    void eachServiceThatIsGoneIsTold() throws Exception {
        var scrape = DeploymentFiles.yaml(Path.of("docker/prometheus/prometheus.yml")).get(0).content().at("/scrape_configs/0");
        List<String> services = new ArrayList<>();
        scrape.at("/dns_sd_configs/0/names").forEach(name -> services.add(name.asText()));
        assertThat(scrape.at("/relabel_configs/0/target_label").asText()).isEqualTo("service");
        String all = String.join("\n", expressions().values());
        assertThat(services).hasSize(5).allSatisfy(service ->
                assertThat(all).contains("absent(up{job=\"comments\", service=\"" + service + "\"})"));
    }

    @Test
    void theProbesAreAnswered() throws Exception {
        Set<String> paths = new TreeSet<>();
        for (Manifest manifest : DeploymentFiles.manifests()) {
            for (String probe : List.of("startupProbe", "livenessProbe", "readinessProbe")) {
                manifest.content().findValues(probe).forEach(value ->
                        paths.add(value.isTextual() ? value.asText() : value.at("/httpGet/path").asText()));
            }
        }
        paths.remove("");
        assertThat(paths).containsExactly("/observe/health/live", "/observe/health/ready");
        for (String path : paths) {
            assertThat(pipeline.observe(path.substring("/observe/".length()))).as(path).contains("\"UP\"");
        }
        assertThat(DeploymentFiles.yaml(Path.of("docker/prometheus/prometheus.yml")).get(0).content()
                .at("/scrape_configs/0/metrics_path").asText()).isEqualTo("/observe/metrics");
    }
}
