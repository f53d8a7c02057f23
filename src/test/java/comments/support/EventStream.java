package comments.support;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A client of server-sent events, which reads as the HTML standard says, and keeps everything. */
public final class EventStream implements AutoCloseable {

    private static final ObjectMapper JSON = new ObjectMapper();

    /** An event; the id is the last one that the stream had. */
    public record Event(String kind, String id, String data) {

        public JsonNode json() {
            try {
                return JSON.readTree(data);
            } catch (IOException e) {
                throw new IllegalStateException(data, e);
            }
        }
    }

    private final HttpResponse<InputStream> response;
    private final List<Event> events = new CopyOnWriteArrayList<>();
    private final Thread reader = new Thread(this::read, "event-stream");
    private volatile String lastId;
    private volatile int heartbeats;
    private volatile boolean ended;

    private EventStream(HttpResponse<InputStream> response) {
        this.response = response;
    }

    /** Opens a stream; an answer that isn't one is not read. */
    public static EventStream open(URI uri, String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri);
        if (headers.length > 0) {
            request.headers(headers);
        }
        EventStream stream = new EventStream(HttpClient.newHttpClient().send(request.build(), BodyHandlers.ofInputStream()));
        if (stream.response.statusCode() == 200) {
            stream.reader.setDaemon(true);
            stream.reader.start();
        }
        return stream;
    }

    private void read() {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(response.body(), UTF_8))) {
            String kind = "message";
            List<String> data = new ArrayList<>();
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.isEmpty()) {
                    if (!data.isEmpty()) {
                        events.add(new Event(kind, lastId, String.join("\n", data)));
                    }
                    kind = "message";
                    data.clear();
                } else if (line.startsWith(":")) {
                    heartbeats++;
                } else {
                    String[] field = line.split(": ?", 2);
                    switch (field[0]) {
                        case "event" -> kind = field[1];
                        case "id" -> lastId = field[1];
                        case "data" -> data.add(field[1]);
                        default -> {
                            // as the standard says
                        }
                    }
                }
            }
        } catch (IOException e) {
            // it was closed
        }
        ended = true;
    }

    public HttpResponse<InputStream> response() {
        return response;
    }

    /** What came until now. */
    public List<Event> events() {
        return events;
    }

    public List<Event> events(String kind) {
        return events.stream().filter(event -> event.kind().equals(kind)).toList();
    }

    /** The ids of the comments that it was told of. */
    public List<String> comments() {
        return events("comment").stream().map(event -> event.json().get("id").asText()).toList();
    }

    /** What a browser would come back with; null if there was none. */
    public String lastId() {
        return lastId;
    }

    public int heartbeats() {
        return heartbeats;
    }

    /** Whether the server ended it. */
    public boolean ended() {
        return ended;
    }

    @Override
    public void close() throws IOException {
        response.body().close();
    }
}
