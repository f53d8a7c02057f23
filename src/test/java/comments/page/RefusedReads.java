package comments.page;

import static org.assertj.core.api.Assertions.assertThat;

import comments.http.BusyClients;
import comments.http.HttpEngine;
import comments.http.SseClients;
import comments.page.ChangeAnswers.Sender;
import comments.support.EventStream;
import comments.support.TestPipeline;
import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;

/** Provokes the answers to a GET that is refused before its route, for {@link CommentApiTest}. */
final class RefusedReads {

    private static final String API = "/openapi.json";
    private static final String STREAM = "/comments/stream";
    // what these tests send from
    private static final String THIS = "127.0.0.1";
    // each may hold half; a third one takes what the halves leave over
    private static final String[] OTHERS = {"127.0.0.2", "127.0.0.3", "127.0.0.4"};

    private final Sender sender;
    private final TestPipeline process;
    private final List<String> ofTable;

    /**
     * Prepares requests.
     *
     * @param process takes bodies of up to 20,000 bytes
     * @param id of a comment
     */
    RefusedReads(Sender sender, TestPipeline process, String id) {
        this.sender = sender;
        this.process = process;
        ofTable = List.of("/comments?postId=p1", "/comments/" + id, "/comments/" + id + "/replies", "/comments/count?postId=p1");
    }

    private List<String> with(String... paths) {
        return Stream.concat(ofTable.stream(), Stream.of(paths)).toList();
    }

    /** Provokes the answers of a process that runs. */
    void provoke() throws Exception {
        String large = "x".repeat(20_001);
        assertAnswered(413, large, with(STREAM));
        // its body is ignored
        assertAnswered(200, large, List.of(API));
        try (BusyClients client = BusyClients.sending(process, THIS)) {
            assertAnswered(429, null, with(STREAM));
        }
        try (BusyClients clients = BusyClients.sending(process, OTHERS)) {
            assertAnswered(503, null, with(STREAM));
        }
        try (BusyClients client = BusyClients.reading(process, THIS)) {
            assertAnswered(429, null, with(API));
        }
        try (BusyClients clients = BusyClients.reading(process, OTHERS)) {
            assertAnswered(503, null, with(API));
        }
        SseClients clients = process.bean("sseClients", SseClients.class);
        clients.setMaxClients(2);
        try (EventStream stream = EventStream.open(process.uri(STREAM))) {
            assertThat(stream.response().statusCode()).isEqualTo(200);
            assertAnswered(429, null, List.of(STREAM));
        } finally {
            clients.setMaxClients(100);
        }
    }

    /** Provokes the answers of a process that shuts down. */
    void provokeDrained() throws Exception {
        process.bean("platform-http-engine", HttpEngine.class).drain();
        assertAnswered(503, null, with(STREAM, API));
    }

    private void assertAnswered(int status, String body, List<String> paths) throws IOException, InterruptedException {
        for (String path : paths) {
            assertThat(sender.send(process, "GET", path, body).statusCode()).as(path).isEqualTo(status);
        }
    }
}
