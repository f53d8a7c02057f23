package comments;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import comments.support.Pom;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** The files that deploy the pipeline, and the truths of the pom that they repeat. */
public final class DeploymentFiles {

    static final Path COMPOSE = Path.of("docker", "compose.yaml");
    static final Path DOCKERFILE = Path.of("docker", "Dockerfile");

    private static final ObjectMapper JSON = new ObjectMapper();

    /** What the Dockerfile says of the image itself, its last stage. */
    public static String imageStage() throws IOException {
        String stages = Files.readString(DOCKERFILE);
        return stages.substring(stages.lastIndexOf("\nFROM "));
    }

    static Stream<MatchResult> matches(String text, String pattern) {
        return Pattern.compile(pattern).matcher(text).results();
    }

    /** One document of a YAML file. */
    public record Manifest(Path file, JsonNode content) {

        String kind() {
            return content.path("kind").asText();
        }

        String name() {
            return content.at("/metadata/name").asText();
        }

        @Override
        public String toString() {
            return file + " " + kind() + " " + name();
        }
    }

    private DeploymentFiles() {
    }

    /** The documents of a YAML file, with its anchors and merges resolved. */
    public static List<Manifest> yaml(Path file) {
        try {
            List<Manifest> documents = new ArrayList<>();
            for (Object document : new Yaml(new SafeConstructor(new LoaderOptions())).loadAll(Files.readString(file))) {
                documents.add(new Manifest(file, JSON.valueToTree(document)));
            }
            return documents;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** All documents in camel-k/. */
    public static List<Manifest> manifests() {
        try (Stream<Path> files = Files.walk(Path.of("camel-k"))) {
            return files.filter(file -> file.toString().endsWith(".yaml")).sorted()
                    .flatMap(file -> yaml(file).stream()).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static List<Manifest> manifests(String kind) {
        return manifests().stream().filter(manifest -> manifest.kind().equals(kind)).toList();
    }

    static JsonNode compose() {
        return yaml(COMPOSE).get(0).content();
    }

    /** The services of the compose file that run our image, by name: the four, and what makes the schema. */
    public static Map<String, JsonNode> builtServices() {
        Map<String, JsonNode> built = new TreeMap<>();
        compose().get("services").properties().forEach(service -> {
            if (service.getValue().has("build")) {
                built.put(service.getKey(), service.getValue());
            }
        });
        return built;
    }

    /** The services in the compose file, by name. */
    static Map<String, JsonNode> ourServices() {
        Map<String, JsonNode> ours = builtServices();
        ours.values().removeIf(service -> !service.at("/environment").has("COMMENTS_ROLES"));
        return ours;
    }

    /** The containers of our Deployments. */
    static List<Manifest> deployedContainers() {
        return manifests("Deployment").stream()
                .map(deployment -> new Manifest(deployment.file(),
                        deployment.content().at("/spec/template/spec/containers/0"))).toList();
    }

    /** The containers that our Deployments and Integrations begin with. */
    static List<Manifest> initContainers() {
        return manifests().stream().flatMap(manifest -> StreamSupport.stream(manifest.content()
                .at("/spec/template/spec/initContainers").spliterator(), false).map(container -> new Manifest(manifest.file(), container)))
                .toList();
    }

    /** The image's name and tag: the pom's artifact and version. */
    static String image() throws Exception {
        return Pom.text("/project/artifactId") + ":" + Pom.text("/project/version");
    }
}
