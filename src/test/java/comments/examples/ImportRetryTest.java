package comments.examples;

import static org.assertj.core.api.Assertions.assertThat;

import comments.examples.ImportRun.Service;
import comments.examples.ImportRun.Service.Answer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A service that is busy, away or refuses, and an import that ends before the end of its file. */
class ImportRetryTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Answer BUSY = new Answer(429, "2", "{\"detail\":\"The client exceeds its rate of comments. Retry later.\"}");
    private static final Answer AWAY = new Answer(503, null, "");
    // of a proxy that gets no answer
    private static final Answer TIMED_OUT = new Answer(522, null, "");

    @TempDir
    private Path folder;

    private void file(int comments) throws Exception {
        Files.writeString(folder.resolve("lines.ndjson"), IntStream.range(0, comments)
                .mapToObj(i -> "{\"postId\":\"p\",\"userId\":\"u\",\"userName\":\"Ann\",\"content\":\"c" + i + "\",\"id\":\"" + i + "\"}\n")
                .collect(Collectors.joining()));
    }

    private ImportRun run(Service service, String... settings) {
        Map<String, String> all = new java.util.HashMap<>(Map.of("IMPORT_LIST", "10", "IMPORT_RETRY", "1"));
        for (int i = 0; i < settings.length; i += 2) {
            all.put(settings[i], settings[i + 1]);
        }
        return ImportRun.start(folder, service.url(), all);
    }

    private void await(String path) {
        Awaitility.await().atMost(PATIENCE).until(() -> Files.exists(folder.resolve(path)));
    }

    /** The contents in a body, which has a comment on each line. */
    private static List<String> contents(String body) {
        return body.lines().map(line -> line.replaceAll(".*\"content\":\"(.*?)\".*", "$1")).toList();
    }

    @Test
    void aListIsPostedUntilItIsAcceptedNoSoonerThanTheAnswerAsks() throws Exception {
        file(25);
        long[] times = new long[10];
        try (Service service = Service.start((number, body) -> {
            times[number] = System.nanoTime();
            return number == 2 ? BUSY : number == 3 ? AWAY : number == 4 ? TIMED_OUT : Answer.ACCEPTED;
        }); ImportRun run = run(service)) {
            await("done/lines.ndjson");
            List<String> bodies = service.bodies();
            assertThat(bodies).hasSize(6);
            assertThat(bodies.subList(1, 5)).as("the same comments each time").containsOnly(bodies.get(1));
            assertThat(bodies.stream().distinct().flatMap(body -> contents(body).stream()))
                    .containsExactlyElementsOf(IntStream.range(0, 25).mapToObj(i -> "c" + i).toList());
            assertThat(Duration.ofNanos(times[3] - times[2])).isGreaterThan(Duration.ofMillis(1_900));
            assertThat(Duration.ofNanos(times[4] - times[3])).isBetween(Duration.ofMillis(900), Duration.ofSeconds(30));
        }
    }

    @Test
    void aServiceThatIsNotThereIsWaitedFor() throws Exception {
        file(5);
        Service away = Service.start((number, body) -> Answer.ACCEPTED);
        away.close();
        try (ImportRun run = run(away)) {
            await("left-out/lines.ndjson.tsv");
            Thread.sleep(2_500);
            try (Service back = Service.start(away.port(), (number, body) -> Answer.ACCEPTED)) {
                await("done/lines.ndjson");
                assertThat(contents(back.bodies().get(0))).hasSize(5);
            }
        }
    }

    @Test
    void onlyTheCommentsThatAnAnswerNamesAreLeftOut() throws Exception {
        file(8);
        try (Service service = Service.start((number, body) -> number > 1 ? Answer.ACCEPTED : new Answer(422, null, """
                {"errors":[{"pointer":"#/5/content","detail":"is wrong"},{"pointer":"#/6/content","detail":"is wrong"},
                {"pointer":"#/2","detail":"is bad"},{"pointer":"#/5/id","detail":"is too"}]}""")); ImportRun run = run(service)) {
            await("done/lines.ndjson");
            assertThat(contents(service.bodies().get(1))).containsExactly("c0", "c1", "c3", "c4", "c7");
            assertThat(Files.readAllLines(folder.resolve("left-out/lines.ndjson.tsv"))).containsExactlyInAnyOrder("line 3 2\tis bad",
                    "line 6 5\tcontent is wrong; id is too", "line 7 6\tcontent is wrong");
        }
    }

    @Test
    void aFileThatCanNotBeAcceptedContinuesWhereItEndedWhenItIsMovedBack() throws Exception {
        file(45);
        try (Service service = Service.start((number, body) -> number == 3 ? new Answer(403, null, "{\"detail\":\"lacks the scope\"}")
                : Answer.ACCEPTED)) {
            try (ImportRun run = run(service)) {
                await("failed/lines.ndjson");
            }
            assertThat(Files.readString(folder.resolve(".import/lines.ndjson.position"))).startsWith("20 ");
            Files.move(folder.resolve("failed/lines.ndjson"), folder.resolve("lines.ndjson"));
            try (ImportRun run = run(service, "IMPORT_LIST", "100")) {
                await("done/lines.ndjson");
            }
            assertThat(service.bodies()).hasSize(4);
            assertThat(contents(service.bodies().get(3))).containsExactlyElementsOf(IntStream.range(20, 45).mapToObj(i -> "c" + i).toList());
            assertThat(folder.resolve(".import/lines.ndjson.position")).doesNotExist();
        }
    }

    @Test
    void aLineWithoutAnIdThatIsThereAgainIsReported() throws Exception {
        List<String> lines = IntStream.range(0, 3_000)
                .mapToObj(i -> "{\"postId\":\"p\",\"userId\":\"u\",\"userName\":\"Ann\",\"content\":\"c" + i + "\"}").toList();
        Files.writeString(folder.resolve("lines.ndjson"), String.join("\n", lines) + '\n' + String.join("\n", lines));
        Answer refused = new Answer(403, null, "");
        try (Service service = Service.start((number, body) -> number == 4 ? refused : Answer.ACCEPTED)) {
            for (String end : List.of("failed", "done")) {
                try (ImportRun run = run(service, "IMPORT_LIST", "700")) {
                    await(end + "/lines.ndjson");
                }
                if (end.equals("failed")) {
                    Files.move(folder.resolve("failed/lines.ndjson"), folder.resolve("lines.ndjson"));
                }
            }
            assertThat(service.bodies().stream().distinct().flatMap(body -> contents(body).stream()))
                    .containsExactlyElementsOf(IntStream.range(0, 3_000).mapToObj(i -> "c" + i).toList());
        }
        assertThat(Files.readAllLines(folder.resolve("left-out/lines.ndjson.tsv")))
                .containsExactlyElementsOf(IntStream.rangeClosed(3_001, 6_000)
                        .mapToObj(i -> "line " + i + "\tthe same line again").toList());
    }

    @Test
    void anotherFileOfTheSameNameBeginsAtItsStart() throws Exception {
        file(5);
        Files.createDirectories(folder.resolve(".import"));
        Files.writeString(folder.resolve(".import/lines.ndjson.position"), "4 17");
        try (Service service = Service.start((number, body) -> Answer.ACCEPTED); ImportRun run = run(service)) {
            await("done/lines.ndjson");
            assertThat(contents(service.bodies().get(0))).hasSize(5);
        }
    }
}
