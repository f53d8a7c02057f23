package comments;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What the README says of the routes and the knobs is what they are, and SECURITY.md of versions. */
class ReadmeTest {

    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());

    private static String readme() throws Exception {
        return Files.readString(Path.of("README.md"));
    }

    /** The knobs as a table, from application.properties: its comments say what they are. */
    private static String knobs() throws Exception {
        StringBuilder table = new StringBuilder("| knob | default | |\n|---|---|---|\n");
        StringBuilder comment = new StringBuilder();
        for (String line : Files.readAllLines(Path.of("routes/application.properties"))) {
            if (line.startsWith("# ----") || line.isBlank()) {
                comment.setLength(0);
            } else if (line.startsWith("# ")) {
                comment.append(comment.isEmpty() ? "" : " ").append(line.substring(2));
            } else if (line.matches("[A-Z_]+ =.*")) {
                String[] knob = line.split(" =", 2);
                String value = knob[1].strip();
                table.append("| `%s` | %s| %s |\n".formatted(knob[0], value.isEmpty() ? "" : "`" + value + "` ", comment));
                comment.setLength(0);
            }
        }
        return table.toString();
    }

    /** The routes and their named nodes as a table, from the YAML. */
    private static String ids() throws Exception {
        StringBuilder table = new StringBuilder("| route | node | |\n|---|---|---|\n");
        for (String file : CommentPipeline.ROUTES) {
            for (JsonNode element : YAML.readTree(Path.of("routes", file).toFile())) {
                for (String kind : List.of("route", "routeConfiguration", "onException")) {
                    if (element.has(kind)) {
                        boolean route = kind.equals("route");
                        addIds(element.get(kind), route ? "| `%s` | | %s |\n" : "| | `%s` | %s |\n", table);
                    }
                }
            }
        }
        return table.toString();
    }

    private static void addIds(JsonNode node, String row, StringBuilder table) {
        if (node.has("id")) {
            table.append(row.formatted(node.get("id").asText(), node.path("description").asText()));
        }
        node.forEach(child -> addIds(child, "| | `%s` | %s |\n", table));
    }

    private static String block(String name) throws Exception {
        Matcher block = Pattern.compile("(?s)<!-- " + name + " -->\n\n?(.*?)\n\n").matcher(readme() + "\n\n");
        assertThat(block.find()).as("the marker of the table: " + name).isTrue();
        return block.group(1) + "\n";
    }

    @Test
    void securityNamesTheVersionsWhoseAdvisoriesItLists() throws Exception {
        assertThat(Files.readString(Path.of("SECURITY.md")))
                .contains("The pipeline runs on Camel " + Pom.property("camel.version") + ".")
                .contains("camel-spring-rabbitmq is " + Pom.property("camel-spring-rabbitmq.version") + ",")
                .contains("Vert.x " + Pom.property("vertx.version") + " on Netty " + Pom.property("netty.version") + ",")
                .contains("CLI " + Pom.property("camel-cli.version") + " brings ");
    }

    @Test
    void theKnobsAreThoseOfTheApplication() throws Exception {
        assertThat(block("knobs")).isEqualTo(knobs());
    }

    @Test
    void everyKnobWithARuleIsInTheTable() throws Exception {
        assertThat(knobs().lines()).anyMatch(row -> row.startsWith("| `HTTP_TLS_KEY` | |"));
        assertThat(Knobs.names()).allSatisfy(name -> assertThat(knobs()).contains("\n| `" + name + "` |"));
    }

    @Test
    void theIdsAreThoseOfTheRoutes() throws Exception {
        assertThat(block("ids")).isEqualTo(ids());
    }

    @Test
    void theCommandsToRunAndToTestAreOneEach() throws Exception {
        for (String heading : List.of("Run", "Test")) {
            Matcher section = Pattern.compile("(?s)\n## " + heading + "\n(.*?)(?=\n## |$)").matcher(readme());
            assertThat(section.find()).isTrue();
            List<String> fenced = new ArrayList<>();
            Matcher fence = Pattern.compile("(?s)```\\w*\n(.*?)```").matcher(section.group(1));
            while (fence.find()) {
                fenced.add(fence.group(1));
            }
            assertThat(fenced).as(heading).singleElement()
                    .satisfies(command -> assertThat(command.strip().lines().collect(joining())).startsWith("mvn "));
        }
    }

    @Test
    void everyNamedNodeSaysWhatItDoes() throws Exception {
        assertThat(ids()).doesNotContain("|  |");
    }
}
