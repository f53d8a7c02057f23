package comments;

import static comments.DeploymentFiles.COMPOSE;
import static comments.DeploymentFiles.compose;
import static comments.DeploymentFiles.matches;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import comments.DeploymentFiles.Manifest;
import comments.settings.Settings;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The files in docker/ and camel-k/ give no rights and no passwords that are known, and a process time to leave its balancers. */
class DeploymentSecurityTest {

    private static final Set<String> HTTP = Set.of("comment-service", "comment-reader");

    private static String printed(String script) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(script).redirectErrorStream(true).start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(printed).isZero();
        return printed;
    }

    /** What {@code camel-k/servers/secrets} prints. */
    static List<Manifest> secrets() throws IOException, InterruptedException {
        Path file = Files.createTempFile("secrets", ".yaml");
        try {
            return DeploymentFiles.yaml(Files.writeString(file, printed("camel-k/servers/secrets")));
        } finally {
            Files.delete(file);
        }
    }

    /** How long preStop and {@code HTTP_DRAIN_DELAY} last, before the drain. */
    static int pauseSeconds(Manifest manifest) {
        JsonNode container = manifest.content().at("/spec/template/spec/containers/0");
        int seconds = container.at("/lifecycle/preStop/exec/command/1").asInt();
        Stream<String> settings = manifest.kind().equals("Integration")
                ? manifest.content().at("/spec/traits/environment/vars").valueStream().map(JsonNode::asText)
                : container.get("env").valueStream().map(variable -> variable.get("name").asText() + "=" + variable.path("value").asText());
        return seconds + settings.filter(setting -> setting.startsWith("HTTP_DRAIN_DELAY="))
                .mapToInt(setting -> Integer.parseInt(setting.replaceAll("\\D", "")) / 1_000).sum();
    }

    @Test
    void composeAsksForEachPasswordAndTheScriptMakesThem() throws Exception {
        String file = Files.readString(COMPOSE);
        Set<String> asked = matches(file, "\\$\\{(\\w*PASSWORD):\\?}").map(match -> match.group(1)).collect(Collectors.toCollection(TreeSet::new));
        assertThat(matches(file, "\\$\\{\\w*PASSWORD(?!:\\?})")).as("passwords with a default").isEmpty();
        assertThat(matches(file, "(?m)PASS(WORD)?: (?!\\$)")).as("passwords in the file").isEmpty();
        TreeMap<String, String> made = new TreeMap<>();
        printed("docker/passwords").lines().map(line -> line.split("=")).forEach(pair -> made.put(pair[0], pair[1]));
        assertThat(made.keySet()).isEqualTo(asked);
        assertThat(new HashSet<>(made.values())).hasSameSizeAs(asked).allMatch(password -> password.matches("[0-9a-f]{48}"));
    }

    @Test
    void theSecretsOfTheClusterAreRandomAndAgree() throws Exception {
        TreeMap<String, JsonNode> secrets = new TreeMap<>();
        secrets().forEach(secret -> secrets.put(secret.name(), secret.content().get("stringData")));
        JsonNode servers = secrets.get("comments-servers");
        secrets.get("comments-rabbitmq").properties().forEach(uri -> assertThat(uri.getValue().asText()).isEqualTo(
                "amqp://%s:%s@rabbitmq:5672/%%2F".formatted(uri.getKey(),
                        servers.get(uri.getKey().toUpperCase().replace('-', '_') + "_PASSWORD").asText())));
        for (String role : List.of("owner", "writer", "reader")) {
            assertThat(secrets.get("comments-postgresql").get(role + "-password"))
                    .isEqualTo(servers.get("COMMENTS_%s_PASSWORD".formatted(role.toUpperCase())));
        }
        assertThat(secrets().get(2).content().get("stringData")).isNotEqualTo(servers);
        assertThat(DeploymentFiles.manifests().stream().filter(manifest -> manifest.content().has("secretGenerator"))).isEmpty();
    }

    @Test
    void noServiceIsASuperuser() throws IOException {
        DeploymentFiles.builtServices().forEach((name, service) -> {
            JsonNode environment = service.get("environment");
            assertThat(environment.path("POSTGRES_USER").asText()).as(name).isEqualTo(roleOf(name));
            if (environment.has("RABBITMQ_URI")) {
                assertThat(environment.get("RABBITMQ_URI").asText()).startsWith("amqp://" + name + ":");
            }
        });
        for (Manifest manifest : DeploymentFiles.manifests()) {
            for (JsonNode variable : manifest.content().at("/spec/template/spec/containers/0/env")) {
                if (manifest.kind().equals("Deployment") && variable.get("name").asText().equals("POSTGRES_USER")) {
                    assertThat(variable.get("value").asText()).as(manifest.toString()).isEqualTo(roleOf(manifest.name()));
                }
            }
        }
        DeploymentFiles.initContainers().forEach(container ->
                assertThat(container.content().at("/env/1/value").asText()).as(container.file().toString()).isEqualTo("comments_owner"));
        assertThat(DeploymentFiles.initContainers()).hasSize(2);
    }

    private static String roleOf(String service) {
        return switch (service) {
            case "schema" -> "comments_owner";
            case "comment-job-processor" -> "comments_writer";
            case "comment-reader" -> "comments_reader";
            default -> "";
        };
    }

    @Test
    void containersAreBounded() {
        compose().get("services").properties().forEach(service -> {
            assertThat(service.getValue().path("pids_limit").asInt()).as(service.getKey()).isPositive();
            assertThat(service.getValue().path("security_opt").toString()).as(service.getKey()).contains("no-new-privileges:true");
        });
    }

    @Test
    void theScriptsOfTheServersAreTheSameOnEachPlatform() {
        JsonNode map = DeploymentFiles.yaml(Path.of("docker/kustomization.yaml")).get(0).content().get("configMapGenerator").get(0);
        Set<String> ofCluster = map.get("files").valueStream().map(JsonNode::asText).collect(Collectors.toSet());
        assertThat(ofCluster).allSatisfy(file -> assertThat(Path.of("docker", file)).exists());
        Set<String> ofCompose = Stream.of("rabbitmq", "postgresql").flatMap(server -> compose().at("/services/" + server + "/volumes").valueStream())
                .map(JsonNode::asText).filter(volume -> volume.startsWith("./")).map(volume -> volume.substring(2, volume.indexOf(':')))
                .collect(Collectors.toSet());
        assertThat(ofCluster).isEqualTo(ofCompose);
        assertThat(DeploymentFiles.manifests("Kustomization")).filteredOn(file -> file.file().startsWith("camel-k/servers"))
                .allSatisfy(file -> assertThat(file.content().get("resources").toString()).contains("../../docker"));
    }

    @Test
    void aProcessWithHttpLetsBalancersTurnToOthersFirst() {
        List<Manifest> ours = Stream.of("Integration", "Deployment").flatMap(kind -> DeploymentFiles.manifests(kind).stream()).toList();
        assertThat(ours).hasSize(8).allSatisfy(manifest -> {
            String command = manifest.content().at("/spec/template/spec/containers/0/lifecycle/preStop/exec/command/0").asText();
            assertThat(command).isEqualTo(HTTP.contains(manifest.name()) ? "sleep" : "");
            assertThat(pauseSeconds(manifest)).isEqualTo(HTTP.contains(manifest.name()) ? 15 : 0);
        });
    }

    @Test
    void theNetworkPoliciesSelectAllServicesAndTheirServers() {
        for (String folder : List.of("camel-k/base", "camel-k/kubernetes/base")) {
            List<Manifest> policies = DeploymentFiles.manifests("NetworkPolicy").stream().filter(policy -> policy.file().startsWith(folder)).toList();
            assertThat(policies).extracting(Manifest::name).containsExactly("comments", "comments-http");
            JsonNode all = policies.get(0).content().at("/spec/podSelector");
            if (all.has("matchLabels")) {
                all.get("matchLabels").properties().forEach(label -> assertThat(DeploymentFiles.manifests("Deployment")).allSatisfy(deployment ->
                        assertThat(deployment.content().at("/spec/template/metadata/labels").get(label.getKey())).isEqualTo(label.getValue())));
            } else {
                assertThat(names(all)).containsExactlyInAnyOrderElementsOf(Settings.ROLES);
            }
            assertThat(names(policies.get(1).content().at("/spec/podSelector"))).isEqualTo(HTTP);
        }
        assertThat(DeploymentFiles.manifests("StatefulSet")).extracting(Manifest::name).containsExactlyInAnyOrderElementsOf(
                DeploymentFiles.manifests("NetworkPolicy").stream().filter(policy -> policy.file().startsWith("camel-k/servers"))
                        .map(Manifest::name).toList());
    }

    private static Set<String> names(JsonNode selector) {
        return selector.at("/matchExpressions/0/values").valueStream().map(JsonNode::asText).collect(Collectors.toSet());
    }

    @Test
    void eachActionIsNamedByItsCommit() throws IOException {
        for (Path workflow : List.of(Path.of(".github/workflows/ci.yml"), Path.of(".github/workflows/dependencies.yml"))) {
            List<String> actions = matches(Files.readString(workflow), "uses: (.*)").map(match -> match.group(1)).toList();
            assertThat(actions).as(workflow.toString()).isNotEmpty().allMatch(action -> action.matches("[\\w/-]+@[0-9a-f]{40} # v\\d+\\.\\d+\\.\\d+"));
        }
    }

    /** With a stand-in for Docker, whose digests are made up. */
    @Test
    void theImagesCanBePinnedToTheirDigests(@TempDir Path folder) throws Exception {
        String digest = "sha256:" + "0123456789abcdef".repeat(4);
        Path docker = Files.writeString(Files.createDirectory(folder.resolve("bin")).resolve("docker"), "#!/bin/sh\necho " + digest + "\n");
        assertThat(docker.toFile().setExecutable(true)).isTrue();
        assertThat(new ProcessBuilder("cp", "-r", "docker", "camel-k", ".github", folder.toString()).start().waitFor()).isZero();
        ProcessBuilder pin = new ProcessBuilder(folder.resolve("docker/pin-images").toString());
        pin.environment().merge("PATH", docker.getParent() + ":", (path, first) -> first + path);
        // the second time, it replaces the digests
        for (int i = 0; i < 2; i++) {
            assertThat(pin.start().waitFor()).isZero();
        }
        for (String file : List.of("docker/Dockerfile", "docker/compose.yaml", "camel-k/servers/rabbitmq.yaml", "camel-k/servers/postgresql.yaml",
                ".github/workflows/ci.yml")) {
            assertThat(matches(Files.readString(folder.resolve(file)), "(?m)^(?: *image: |FROM )(?!comment-service:)(\\S+)").map(match -> match.group(1)))
                    .as(file).isNotEmpty().allMatch(image -> image.matches("[a-z/-]+:[^@]+@" + digest));
        }
        assertThat(Files.readString(folder.resolve("docker/Dockerfile"))).contains("@" + digest + " AS build");
    }
}
