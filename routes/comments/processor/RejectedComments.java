package comments.processor;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import comments.postgresql.DataError;
import java.io.IOException;
import java.io.StringWriter;
import java.sql.SQLException;
import java.util.Map;

/** The comments of a batch that the database refused, each with the reason. */
public final class RejectedComments {

    private static final JsonFactory JSON = new JsonFactory();
    // what PostgreSQL says of a text that is no JSON
    private static final String INVALID_TEXT_REPRESENTATION = "22P02";

    private final CommentBatch batch;

    RejectedComments(CommentBatch batch) {
        this.batch = batch;
    }

    /** How many there are. */
    public int getSize() {
        return batch.rejected().size();
    }

    /**
     * The parameters of the statement in quarantine-comments.sql. The bodies are in Base64, since they may be anything but
     * JSON in UTF-8.
     */
    public Map<String, Object> parameters() throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(text)) {
            json.writeStartArray();
            for (var rejected : batch.rejected().entrySet()) {
                json.writeStartObject();
                json.writeFieldName("body");
                json.writeBinary(batch.bodies().get(rejected.getKey()));
                json.writeStringField("sqlstate", sqlState(rejected.getValue()));
                json.writeStringField("reason", reason(rejected.getValue()));
                json.writeEndObject();
            }
            json.writeEndArray();
        }
        return Map.of("rejected", text.toString());
    }

    private static String sqlState(Throwable e) {
        return e instanceof JsonProcessingException ? INVALID_TEXT_REPRESENTATION : DataError.sqlState(e);
    }

    // PostgreSQL has no text with U+0000 in it, not even in a complaint about one.
    private static String reason(Throwable e) {
        if (e instanceof SQLException) {
            return String.valueOf(e.getMessage()).replace("\u0000", "");
        }
        return e instanceof JsonProcessingException ? "not JSON" : "not UTF-8";
    }
}
