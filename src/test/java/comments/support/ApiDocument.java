package comments.support;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** openapi.json, for tests that hold the application to it. */
public final class ApiDocument {

    private static final SchemaRegistry SCHEMAS = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);

    /** A method of a path. */
    public record Operation(String method, String path, JsonNode content) {

        public String id() {
            return content.get("operationId").asText();
        }

        @Override
        public String toString() {
            return method + " " + path;
        }
    }

    private final JsonNode root;

    private ApiDocument(JsonNode root) {
        this.root = root;
    }

    public static ApiDocument read() throws IOException {
        return new ApiDocument(new ObjectMapper().readTree(ApiDocument.class.getResourceAsStream("/web/openapi.json")));
    }

    public JsonNode root() {
        return root;
    }

    public List<Operation> operations() {
        List<Operation> operations = new ArrayList<>();
        root.get("paths").properties().forEach(path -> path.getValue().properties().forEach(operation ->
                operations.add(new Operation(operation.getKey().toUpperCase(), path.getKey(), operation.getValue()))));
        return operations;
    }

    /** What a node is, or what it refers to. */
    public JsonNode resolve(JsonNode node) {
        return node.has("$ref") ? resolve(root.at(node.get("$ref").asText().substring(1))) : node;
    }

    /** The schema of this name among the components. */
    public Schema schema(String name) {
        return schema(root.at("/components/schemas/" + name));
    }

    /** A schema that stands in the document, and may refer to others. */
    public Schema schema(JsonNode schema) {
        ObjectNode whole = schema.deepCopy();
        whole.set("components", root.get("components"));
        return SCHEMAS.getSchema(whole);
    }

    /** The fields of an object, with their names. */
    public static List<Map.Entry<String, JsonNode>> fields(JsonNode node) {
        return List.copyOf(node.properties());
    }
}
