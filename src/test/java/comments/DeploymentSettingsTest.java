package comments;

import static comments.DeploymentFiles.COMPOSE;
import static comments.DeploymentFiles.DOCKERFILE;
import static comments.DeploymentFiles.builtServices;
import static comments.DeploymentFiles.deployedContainers;
import static comments.DeploymentFiles.initContainers;
import static comments.DeploymentFiles.matches;
import static comments.DeploymentFiles.yaml;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import com.fasterxml.jackson.databind.JsonNode;
import comments.DeploymentFiles.Manifest;
import comments.settings.Settings;
import comments.settings.SettingsTest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** What the files in docker/ and camel-k/ set is a setting of the application, and the secrets they name are made. */
class DeploymentSettingsTest {

    private static final String KNOBS = "routes/application.properties";

    /** Everything that is set in a file: where, and what to. */
    private record Setting(String place, String name, String value) {
    }

    private static List<Setting> settings() throws IOException {
        List<Setting> settings = new ArrayList<>();
        builtServices().forEach((name, service) -> service.get("environment").properties().forEach(variable ->
                settings.add(new Setting(COMPOSE + " " + name, variable.getKey(), variable.getValue().asText()))));
        for (Manifest integration : DeploymentFiles.manifests("Integration")) {
            for (JsonNode variable : integration.content().at("/spec/traits/environment/vars")) {
                String[] parts = variable.asText().split("=", 2);
                settings.add(new Setting(integration.toString(), parts[0], parts[1]));
            }
        }
        for (Manifest container : deployedContainers()) {
            addAll(settings, container.file().toString(), container);
        }
        for (Manifest container : initContainers()) {
            addAll(settings, container.file() + " initContainers", container);
        }
        for (Manifest kustomization : DeploymentFiles.manifests("Kustomization")) {
            for (JsonNode map : kustomization.content().path("configMapGenerator")) {
                for (JsonNode literal : map.get("literals")) {
                    String[] parts = literal.asText().split("=", 2);
                    settings.add(new Setting(kustomization.file().toString(), parts[0], parts[1]));
                }
            }
        }
        matches(DeploymentFiles.imageStage(), "(?m)^ENV ([A-Z_]+)=(\\S+)$").forEach(variable ->
                settings.add(new Setting(DOCKERFILE.toString(), variable.group(1), variable.group(2))));
        return settings;
    }

    private static void addAll(List<Setting> settings, String place, Manifest container) {
        for (JsonNode variable : container.content().get("env")) {
            settings.add(new Setting(place, variable.get("name").asText(), variable.path("value").asText()));
        }
    }

    @Test
    void everythingThatIsSetIsAKnob() throws IOException {
        List<Setting> settings = settings();
        assertThat(settings).extracting(Setting::place).anyMatch(place -> place.startsWith("docker/compose.yaml"))
                .anyMatch(place -> place.startsWith("docker/Dockerfile")).anyMatch(place -> place.startsWith("camel-k/base"))
                .anyMatch(place -> place.startsWith("camel-k/kubernetes"));
        Properties knobs = SettingsTest.defaults();
        for (Setting setting : settings) {
            assertThat(knobs).as("%s sets %s, which is not in %s", setting.place(), setting.name(), KNOBS)
                    .containsKey(setting.name());
        }
    }

    @Test
    void plainValuesAreRight() throws IOException {
        for (Setting setting : settings()) {
            if (!setting.value().isEmpty() && !setting.value().matches("(secret:.*|.*\\$\\{.*)")) {
                Properties knobs = SettingsTest.defaults();
                knobs.setProperty(setting.name(), setting.value().replaceAll("\\$\\{\\w+:-(\\w+)}", "$1"));
                assertThatCode(() -> Settings.check(knobs::getProperty)).as(setting.place()).doesNotThrowAnyException();
            }
        }
    }

    @Test
    void eachServiceIsStartedOnceOnEachPlatform() throws IOException {
        for (String platform : List.of("docker/compose", "camel-k/base", "camel-k/kubernetes")) {
            assertThat(settings()).filteredOn(setting -> setting.place().startsWith(platform))
                    .filteredOn(setting -> setting.name().equals("COMMENTS_ROLES")).extracting(Setting::value)
                    .as("COMMENTS_ROLES in " + platform).containsExactlyInAnyOrderElementsOf(Settings.ROLES);
        }
    }

    /** A process that writes or reads comments needs the database, and no other does. */
    @Test
    void onlyTheProcessorAndTheReaderAreGivenTheDatabase() throws IOException {
        Map<String, Set<String>> byPlace = new TreeMap<>();
        settings().forEach(setting -> byPlace.computeIfAbsent(setting.place(), key -> new TreeSet<>()).add(setting.name()));
        byPlace.forEach((place, names) -> {
            if (names.contains("COMMENTS_ROLES")) {
                assertThat(names).as(place).contains("RABBITMQ_URI");
                assertThat(names.containsAll(Set.of("POSTGRES_URL", "POSTGRES_USER", "POSTGRES_PASSWORD"))).as(place)
                        .isEqualTo(place.contains("comment-job-processor") || place.contains("comment-reader"));
            }
        });
    }

    /** Names of keys of secrets, as name/key. */
    private static Set<String> secretKeysUsed() throws IOException {
        Set<String> used = new TreeSet<>();
        settings().stream().map(Setting::value).filter(value -> value.startsWith("secret:"))
                .forEach(value -> used.add(value.substring("secret:".length())));
        for (Manifest manifest : DeploymentFiles.manifests()) {
            manifest.content().findValues("secretKeyRef")
                    .forEach(key -> used.add(key.get("name").asText() + "/" + key.get("key").asText()));
            manifest.content().findValues("secretTargetRef").forEach(keys -> keys
                    .forEach(key -> used.add(key.get("name").asText() + "/" + key.get("key").asText())));
            manifest.content().findValues("secrets").forEach(secrets -> secrets.forEach(secret -> secret.get("mapping")
                    .fieldNames().forEachRemaining(key -> used.add(secret.get("name").asText() + "/" + key))));
        }
        return used;
    }

    @Test
    void theSecretsThatAreNamedAreThoseOfTheServers() throws Exception {
        Set<String> made = new TreeSet<>();
        DeploymentSecurityTest.secrets().forEach(secret -> secret.content().get("stringData").fieldNames()
                .forEachRemaining(key -> made.add(secret.name() + "/" + key)));
        assertThat(secretKeysUsed()).as("secrets named in camel-k/, compared to those that camel-k/servers/secrets prints").isEqualTo(made);
    }

    @Test
    void theConfigMapThatIsNamedIsMade() {
        Set<String> made = new HashSet<>();
        DeploymentFiles.manifests("Kustomization").forEach(kustomization -> kustomization.content()
                .path("configMapGenerator").forEach(map -> made.add(map.get("name").asText())));
        made.add(yaml(Path.of("docker/kustomization.yaml")).get(0).content().at("/configMapGenerator/0/name").asText());
        DeploymentFiles.manifests("StatefulSet").forEach(manifest -> assertThat(made).as(manifest.toString())
                .contains(manifest.content().at("/spec/template/spec/volumes/0/configMap/name").asText()));
        DeploymentFiles.manifests().forEach(manifest -> manifest.content().findValues("configMapRef")
                .forEach(map -> assertThat(made).as(manifest.toString()).contains(map.get("name").asText())));
    }
}
