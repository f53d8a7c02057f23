package comments.page;

import static comments.support.ApiDocument.fields;
import static java.util.stream.Collectors.toCollection;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import comments.CommentPipeline;
import comments.support.ApiDocument;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** openapi.json is right in itself, and has the operations of the routes. */
class ApiDocumentTest {

    private final ApiDocument api = ApiDocument.read();

    ApiDocumentTest() throws IOException {
    }

    @Test
    void everyExampleIsOfItsSchema() {
        List<JsonNode> contents = new ArrayList<>(api.root().findValues("content"));
        int examples = 0;
        for (JsonNode content : contents) {
            for (JsonNode type : content) {
                for (JsonNode example : type.path("examples")) {
                    assertThat(api.schema(type.get("schema")).validate(example.get("value"))).as(example.toString()).isEmpty();
                    examples++;
                }
            }
        }
        for (JsonNode described : Stream.of("parameters", "headers").flatMap(kind ->
                fields(api.root().at("/components/" + kind)).stream()).map(Map.Entry::getValue).toList()) {
            JsonNode example = described.path("example");
            if (!example.isMissingNode()) {
                assertThat(api.schema(described.get("schema")).validate(example)).as(described.toString()).isEmpty();
                examples++;
            }
        }
        assertThat(examples).isGreaterThan(30);
    }

    @Test
    void everyReferenceLeadsSomewhere() {
        List<String> references = api.root().findValuesAsText("$ref");
        assertThat(references).isNotEmpty().allSatisfy(reference ->
                assertThat(api.root().at(reference.substring(1))).as(reference).isNotInstanceOf(MissingNode.class));
    }

    /** The verbs of the rest DSL, with their ids, are the operations of the document. */
    @Test
    void theOperationsAreThoseOfTheRoutes() throws Exception {
        Set<String> inRoutes = new TreeSet<>();
        ObjectMapper yaml = new ObjectMapper(new YAMLFactory());
        for (String file : CommentPipeline.ROUTES) {
            for (JsonNode element : yaml.readTree(Path.of("routes", file).toFile())) {
                for (String method : List.of("get", "post", "put", "patch", "delete", "head")) {
                    for (JsonNode verb : element.path("rest").path(method)) {
                        inRoutes.add(method.toUpperCase() + " " + element.get("rest").get("path").asText()
                                + verb.path("path").asText() + " " + verb.get("id").asText());
                    }
                }
            }
        }
        Set<String> documented = api.operations().stream().map(operation -> operation + " " + operation.id())
                .collect(toCollection(TreeSet::new));
        assertThat(documented).isEqualTo(inRoutes);
    }
}
