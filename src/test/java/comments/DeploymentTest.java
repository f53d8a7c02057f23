package comments;

import static comments.DeploymentFiles.COMPOSE;
import static comments.DeploymentFiles.DOCKERFILE;
import static comments.DeploymentFiles.builtServices;
import static comments.DeploymentFiles.compose;
import static comments.DeploymentFiles.deployedContainers;
import static comments.DeploymentFiles.image;
import static comments.DeploymentFiles.initContainers;
import static comments.DeploymentFiles.matches;
import static comments.DeploymentFiles.ourServices;
import static comments.DeploymentFiles.yaml;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import comments.DeploymentFiles.Manifest;
import comments.settings.Settings;
import comments.settings.SettingsTest;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the files in docker/ and camel-k/ name exists in the application, and what they repeat is as it is there. */
class DeploymentTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String KNOBS = "routes/application.properties";

    private static Schema schema(JsonNode schema) {
        return SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12).getSchema(schema);
    }

    private static Schema schema(String name) throws IOException {
        return schema(JSON.readTree(DeploymentTest.class.getResourceAsStream("/" + name)));
    }

    private static void assertValid(Schema schema, Manifest manifest) {
        assertThat(schema.validate(manifest.content())).as(manifest.toString()).isEmpty();
    }

    // ---- schemas ----

    @Test
    void theComposeFileIsOfTheSpecification() throws IOException {
        assertValid(schema("compose.schema.json"), yaml(COMPOSE).get(0));
    }

    static List<Manifest> manifests() {
        return DeploymentFiles.manifests();
    }

    @ParameterizedTest
    @MethodSource
    void manifests(Manifest manifest) throws IOException {
        boolean integration = manifest.kind().equals("Integration");
        assertValid(schema(integration ? "integration.schema.json" : "kubernetes.schema.json"), manifest);
    }

    /** Those of Camel K itself, if the property {@code camel-k.crds} names the folder that they are in. */
    @Test
    void theIntegrationsAreOfTheSchemaOfTheirOperator() throws IOException {
        List<Manifest> integrations = DeploymentFiles.manifests("Integration");
        assertThat(integrations).extracting(Manifest::name).containsExactlyInAnyOrderElementsOf(Settings.ROLES);
        String crds = System.getProperty("camel-k.crds");
        if (crds != null) {
            JsonNode crd = yaml(Path.of(crds, "integrations.crd.yaml")).get(0).content();
            Schema schema = schema(strict(crd.at("/spec/versions/0/schema/openAPIV3Schema").deepCopy()));
            for (Manifest integration : integrations) {
                assertValid(schema, integration);
            }
        }
    }

    /** The cluster drops unknown fields without a word: here they are errors. */
    private static JsonNode strict(JsonNode schema) {
        if (schema instanceof ObjectNode object && object.has("properties") && !object.has("additionalProperties")
                && !object.has("x-kubernetes-preserve-unknown-fields")) {
            object.put("additionalProperties", false);
        }
        schema.forEach(DeploymentTest::strict);
        return schema;
    }

    // ---- the image, ports, queues, times ----

    @Test
    void theImageIsThatOfThePom() throws Exception {
        Map<String, String> images = new TreeMap<>();
        builtServices().forEach((name, service) ->
                images.put(COMPOSE + " " + name, service.get("image").asText()));
        initContainers().forEach(container ->
                images.put(container.file() + " initContainers", container.content().get("image").asText()));
        DeploymentFiles.manifests("Integration").forEach(integration ->
                images.put(integration.toString(), integration.content().at("/spec/traits/container/image").asText()));
        deployedContainers().forEach(container ->
                images.put(container.file().toString(), container.content().get("image").asText()));
        for (Path file : List.of(DOCKERFILE, Path.of("camel-k/README.md"), Path.of("docs/operations.md"))) {
            matches(Files.readString(file), "docker build .*-t (\\S+)")
                    .forEach(command -> images.put(file.toString(), command.group(1)));
        }
        assertThat(images).hasSizeGreaterThanOrEqualTo(14);
        String ofPom = image();
        images.forEach((place, named) ->
                assertThat(named).as("the image in %s, compared to pom.xml", place).isEqualTo(ofPom));
    }

    private static String knob(String name) throws IOException {
        return SettingsTest.defaults().getProperty(name);
    }

    @Test
    void thePortsAreThoseOfTheApplication() throws IOException {
        Map<String, String> http = new TreeMap<>();
        Map<String, String> management = new TreeMap<>();
        ourServices().forEach((name, service) -> service.path("ports").forEach(port ->
                http.put(COMPOSE + " " + name, port.asText().replaceAll(".*:", ""))));
        for (Manifest integration : DeploymentFiles.manifests("Integration")) {
            JsonNode traits = integration.content().at("/spec/traits");
            management.put(integration + " container", traits.at("/container/ports/0").asText().replaceAll(".*;", ""));
            for (String probe : List.of("startup", "liveness", "readiness")) {
                management.put(integration + " " + probe, traits.at("/health/" + probe + "Port").asText());
            }
            if (traits.at("/container/expose").asBoolean()) {
                http.put(integration.toString(), traits.at("/container/port").asText());
            }
        }
        for (Manifest container : deployedContainers()) {
            for (JsonNode port : container.content().get("ports")) {
                (port.get("name").asText().equals("management") ? management : http)
                        .put(container.file().toString(), port.get("containerPort").asText());
            }
            for (JsonNode probe : container.content().findValues("httpGet")) {
                assertThat(container.content().at("/ports").findValuesAsText("name")).as(container.file().toString())
                        .contains(probe.get("port").asText());
            }
        }
        String[] exposed = matches(Files.readString(DOCKERFILE), "(?m)^EXPOSE (\\d+) (\\d+)$").findFirst()
                .map(match -> new String[] {match.group(1), match.group(2)}).orElseThrow();
        http.put(DOCKERFILE.toString(), exposed[0]);
        management.put(DOCKERFILE.toString(), exposed[1]);
        Path health = Path.of("docker/health");
        matches(Files.readString(health), "MANAGEMENT_PORT:-(\\d+)")
                .forEach(port -> management.put(health.toString(), port.group(1)));
        Path prometheus = Path.of("docker/prometheus/prometheus.yml");
        management.put(prometheus.toString(), yaml(prometheus).get(0).content()
                .at("/scrape_configs/0/dns_sd_configs/0/port").asText());
        assertThat(http).hasSize(2 + 2 + 2 + 1);
        assertThat(management).hasSize(5 * 4 + 5 + 3);
        String httpPort = knob("HTTP_PORT");
        String managementPort = knob("MANAGEMENT_PORT");
        http.forEach((place, port) ->
                assertThat(port).as("%s, compared to HTTP_PORT in %s", place, KNOBS).isEqualTo(httpPort));
        management.forEach((place, port) ->
                assertThat(port).as("%s, compared to MANAGEMENT_PORT in %s", place, KNOBS).isEqualTo(managementPort));
    }

    @Test
    void prometheusScrapesTheServicesOfTheComposeFile() {
        JsonNode prometheus = yaml(Path.of("docker/prometheus/prometheus.yml")).get(0).content();
        Set<String> names = new TreeSet<>();
        prometheus.at("/scrape_configs/0/dns_sd_configs/0/names").forEach(name -> names.add(name.asText()));
        assertThat(names).as("docker/prometheus/prometheus.yml, compared to docker/compose.yaml")
                .isEqualTo(ourServices().keySet());
    }

    @Test
    void theQueuesAreThoseOfTheApplication() throws IOException {
        Set<String> queues = new TreeSet<>();
        for (String file : CommentPipeline.ROUTES) {
            matches(Files.readString(Path.of("routes", file)), "(?m)^ +queue: (\\S+)$").forEach(queue -> queues.add(queue.group(1)));
        }
        assertThat(queues).containsExactly("comment-changes", "comments", "notifications", "notifications-refused");
        Map<String, String> named = new TreeMap<>();
        for (Manifest manifest : DeploymentFiles.manifests()) {
            manifest.content().findValuesAsText("queueName").forEach(queue -> named.put(manifest.toString(), queue));
        }
        assertThat(named).as("triggers of KEDA").hasSize(2);
        Path policies = Path.of("docker/policies");
        matches(Files.readString(policies), "'\\^(\\S+)\\$'")
                .forEach(queue -> named.put(policies + " " + queue.group(1), queue.group(1)));
        for (Path file : List.of(Path.of("docker/prometheus/alerts.yml"), Path.of("docker/grafana/dashboards/comments.json"))) {
            matches(Files.readString(file), "queue=~?\\\\?\"([^\"\\\\]+)").flatMap(names -> Stream.of(names.group(1).split("\\|")))
                    .forEach(queue -> named.put(file + " " + queue, queue));
        }
        // of comments, there can be several
        named.replaceAll((place, queue) -> queue.replace("(-[0-9]+)?", ""));
        Path declared = Path.of("docker/queues.json");
        matches(Files.readString(declared), "\"name\": \"(\\S+)\", .*x-queue-type")
                .forEach(queue -> named.put(declared + " " + queue.group(1), queue.group(1)));
        assertThat(named).hasSize(2 + 4 + 7 + 4 + 4);
        // not the application's: what the policy of dead letters keeps
        matches(Files.readString(Path.of("docker/dead-letters.json")), "\"name\": \"(\\S+)\", \"vhost\": \"/\", \"durable\"")
                .forEach(queue -> queues.add(queue.group(1)));
        named.forEach((place, queue) ->
                assertThat(queues).as("%s, compared to the route files", place).contains(queue));
    }

    @Test
    void aProcessIsGivenLongerToEndThanItTakes() throws IOException {
        int takes = Drain.SECONDS + Integer.parseInt(knob("camel.main.shutdown-timeout"));
        assertThat(takes).as("seconds that a process may take to end").isLessThan(45);
        int longestDelay = Settings.MAX_DRAIN_DELAY / 1_000;
        assertThat(Integer.parseInt(knob("camel.main.extra-shutdown-timeout"))).as("seconds after which the JVM ends, beside the stop of Camel")
                .isGreaterThan(longestDelay + Drain.SECONDS);
        Map<String, Integer> graces = new TreeMap<>();
        ourServices().forEach((name, service) -> graces.put(COMPOSE + " " + name,
                Integer.parseInt(service.get("stop_grace_period").asText().replace("s", ""))));
        Stream.concat(DeploymentFiles.manifests("Integration").stream(), DeploymentFiles.manifests("Deployment").stream())
                .forEach(manifest -> graces.put(manifest.toString(),
                        manifest.content().at("/spec/template/spec/terminationGracePeriodSeconds").asInt()
                                - DeploymentSecurityTest.pauseSeconds(manifest)));
        assertThat(graces).hasSize(3 * 5);
        graces.forEach((place, grace) -> assertThat(grace)
                .as("seconds in %s, compared to Drain and camel.main.shutdown-timeout in %s", place, KNOBS).isGreaterThan(takes + 10));
    }

    @Test
    void aContainerHasRoomForTheHeap() throws IOException {
        int heap = matches(Files.readString(Path.of("docker/jvm.options")), "-Xmx(\\d+)m").findFirst()
                .map(option -> Integer.parseInt(option.group(1))).orElseThrow();
        Map<String, String> limits = new TreeMap<>();
        ourServices().forEach((name, service) ->
                limits.put(COMPOSE + " " + name, service.get("mem_limit").asText()));
        DeploymentFiles.manifests("Integration").forEach(integration ->
                limits.put(integration.toString(), integration.content().at("/spec/traits/container/limitMemory").asText()));
        deployedContainers().forEach(container ->
                limits.put(container.file().toString(), container.content().at("/resources/limits/memory").asText()));
        limits.forEach((place, limit) -> assertThat(Integer.parseInt(limit.replaceAll("\\D.*", "")) * 1_024)
                .as("%s: %s, compared to -Xmx in docker/jvm.options", place, limit).isGreaterThanOrEqualTo(2 * heap));
    }

    @Test
    void theVersionsOfTheServersAgree() {
        List<String> images = compose().get("services").findValuesAsText("image");
        for (Manifest server : DeploymentFiles.manifests("StatefulSet")) {
            String image = server.content().at("/spec/template/spec/containers/0/image").asText();
            assertThat(images).as("docker/compose.yaml, compared to %s", server).contains(image);
        }
    }

    @Test
    void theLoadIsThatOfTheFolderLoad() throws IOException {
        JsonNode load = compose().at("/services/load");
        String build = matches(Files.readString(DOCKERFILE), "(?m)^FROM (\\S+) AS build$").findFirst().orElseThrow().group(1);
        assertThat(load.get("image").asText()).as("docker/compose.yaml, compared to docker/Dockerfile").isEqualTo(build);
        Path program = Path.of(load.at("/command/0").asText().substring(1));
        assertThat(program).isExecutable();
        Path sources = Path.of("load/src/main/java/comments/load");
        String options = Files.readString(sources.resolve("LoadTest.java")) + Files.readString(sources.resolve("Servers.java"));
        List<String> named = new ArrayList<>();
        load.get("command").forEach(word -> named.add(word.asText()));
        named.removeIf(word -> !word.startsWith("--"));
        assertThat(named).isNotEmpty()
                .allSatisfy(option -> assertThat(options).as("docker/compose.yaml").contains("names = \"" + option + "\""));
        List<String> ports = List.of(knob("HTTP_PORT"), knob("MANAGEMENT_PORT"));
        assertThat(matches(load.get("command").toString(), "http://([^:]+):(\\d+)")).hasSize(4).allSatisfy(address -> {
            assertThat(ourServices()).as("docker/compose.yaml").containsKey(address.group(1));
            assertThat(ports).as("docker/compose.yaml").contains(address.group(2));
        });
    }

    @Test
    void everyFileThatIsNamedExists() throws IOException {
        for (Manifest kustomization : DeploymentFiles.manifests("Kustomization")) {
            for (JsonNode resource : kustomization.content().get("resources")) {
                assertThat(kustomization.file().resolveSibling(resource.asText())).as(kustomization.file().toString()).exists();
            }
        }
        for (JsonNode service : compose().get("services")) {
            for (JsonNode volume : service.path("volumes")) {
                String source = volume.asText().replaceAll(":.*", "");
                if (source.startsWith(".")) {
                    assertThat(COMPOSE.resolveSibling(source)).as("docker/compose.yaml").exists();
                } else {
                    assertThat(compose().get("volumes").has(source)).as("docker/compose.yaml: " + source).isTrue();
                }
            }
        }
        List<String> ignore = Files.readAllLines(Path.of(".dockerignore"));
        matches(Files.readString(DOCKERFILE), "(?m)^COPY (?!--from)(\\S+) ").forEach(copy -> {
            assertThat(Path.of(copy.group(1))).as("docker/Dockerfile").exists();
            assertThat(ignore).as(".dockerignore, compared to docker/Dockerfile").contains("!" + copy.group(1));
        });
    }

    @Test
    void aSourceBuildHasTheDependenciesOfCamelRun() throws IOException {
        Stream<String> named = matches(Files.readString(Path.of("camel-k/README.md")), "(?m)^  -d (?:mvn:)?(\\S+)")
                .map(line -> line.group(1));
        assertThat(named).as("camel-k/README.md, compared to camel.jbang.dependencies in " + KNOBS)
                .containsExactly(knob("camel.jbang.dependencies").split("\\s*,\\s*"));
    }

    /** What is neither a route nor a class nor a knob is read from the class path. */
    @Test
    void aSourceBuildFromRoutesAloneHasAllOtherFiles() throws IOException {
        List<PathMatcher> globs = matches(Files.readString(Path.of("camel-k/README.md")), "--from-file=%s \" (.*?)\\)\n")
                .flatMap(line -> Stream.of(line.group(1).split(" ")))
                .map(glob -> FileSystems.getDefault().getPathMatcher("glob:" + glob)).toList();
        try (Stream<Path> files = Files.walk(Path.of("routes"))) {
            assertThat(files.filter(file -> Files.isRegularFile(file) && !file.toString().matches(".*\\.(java|camel\\.yaml|properties)"))).isNotEmpty()
                    .allMatch(file -> globs.stream().anyMatch(glob -> glob.matches(file)));
        }
    }
}
