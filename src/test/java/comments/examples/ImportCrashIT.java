package comments.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import comments.examples.ImportRun.Service;
import comments.examples.ImportRun.Service.Answer;
import comments.support.CamelCli;
import comments.support.Pom;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.BitSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code camel run} imports a file of 100 MB with a heap of 96 MB, and is killed in the middle. */
class ImportCrashIT {

    private static final long SIZE = 100 << 20;
    private static final String TEXT = "<p>Lorem ipsum &amp; d&#246;lor <b>sit</b> amet \ud83c\udf89</p>".repeat(8);
    private static final Pattern CONTENT = Pattern.compile("\"content\":\"no (\\d+)");
    private static final Pattern PARENT = Pattern.compile("\"parentId\":");

    @TempDir
    private Path folder;

    private CamelCli camel;
    private Process run;

    @AfterEach
    void end() throws IOException {
        if (run != null) {
            run.destroyForcibly();
        }
        if (camel != null) {
            camel.close();
        }
    }

    /** Writes an export of Disqus; every third comment is spam, the others reply to the one before. Returns how many there are. */
    private static int write(Path file) throws IOException {
        try (BufferedWriter out = Files.newBufferedWriter(file)) {
            out.write("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<disqus xmlns=\"http://disqus.com\" xmlns:dsq=\"http://disqus.com/disqus-internals\">\n"
                    + "<thread dsq:id=\"1\"><id>a</id><forum>site</forum><link>https://example.com/a</link><isDeleted>false</isDeleted></thread>\n");
            int comments = 0;
            for (long size = 0; size < SIZE; comments++) {
                String post = "<post dsq:id=\"" + comments + "\"><message><![CDATA[no " + comments + " " + TEXT + "]]></message>"
                        + "<createdAt>2009-01-01T00:00:00Z</createdAt><isDeleted>false</isDeleted><isSpam>" + (comments % 3 == 2) + "</isSpam>"
                        + "<author><name>&#65;nn &amp; Bob</name><isAnonymous>true</isAnonymous></author><thread dsq:id=\"1\"/>"
                        + (comments == 0 ? "" : "<parent dsq:id=\"" + (comments - 1) + "\"/>") + "</post>\n";
                out.write(post);
                size += post.getBytes(UTF_8).length;
            }
            out.write("</disqus>\n");
            return comments;
        }
    }

    private Process start(String url) throws IOException {
        ProcessBuilder command = camel.command(".", "camel run --source-dir " + ImportRun.EXAMPLE.toAbsolutePath());
        command.environment().put("JAVA_TOOL_OPTIONS", "-Xmx96m");
        command.environment().put("IMPORT_FOLDER", folder.toString());
        command.environment().put("IMPORT_URL", url);
        return command.redirectErrorStream(true).redirectOutput(folder.resolve("log").toFile()).start();
    }

    // else the file is imported before it is killed
    private static void pause() {
        try {
            Thread.sleep(50);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void itContinuesWhereItWas() throws Exception {
        camel = CamelCli.install(Pom.property("camel-cli.version"));
        int comments = write(folder.resolve("disqus.xml.part"));
        Files.move(folder.resolve("disqus.xml.part"), folder.resolve("disqus.xml"));
        BitSet posted = new BitSet(comments);
        AtomicInteger twice = new AtomicInteger();
        AtomicInteger replies = new AtomicInteger();
        try (Service service = Service.start((number, body) -> {
            body.lines().forEach(line -> {
                Matcher content = CONTENT.matcher(line);
                assertThat(content.find()).isTrue();
                int index = Integer.parseInt(content.group(1));
                twice.addAndGet(posted.get(index) ? 1 : 0);
                replies.addAndGet(!posted.get(index) && PARENT.matcher(line).find() ? 1 : 0);
                posted.set(index);
            });
            if (Files.notExists(folder.resolve("killed"))) {
                pause();
            }
            return Answer.ACCEPTED;
        })) {
            run = start(service.url());
            await().atMost(Duration.ofMinutes(4)).until(() -> service.bodies().size() > 20);
            run.destroyForcibly().waitFor();
            Files.createFile(folder.resolve("killed"));
            assertThat(posted.cardinality()).as("it was killed in the middle").isLessThan(comments / 2);

            run = start(service.url());
            await().atMost(Duration.ofMinutes(4)).until(() -> Files.exists(folder.resolve("done/disqus.xml")));
        }
        assertThat(posted.cardinality()).isEqualTo(comments - comments / 3);
        assertThat(posted.stream().noneMatch(index -> index % 3 == 2)).isTrue();
        assertThat(twice.get()).as("the list that was under way").isLessThanOrEqualTo(500);
        assertThat(replies.get()).as("those whose parent is not spam").isEqualTo((comments + 1) / 3);
        assertThat(Files.readAllLines(folder.resolve("left-out/disqus.xml.tsv")).stream().distinct().filter(line -> line.endsWith("\tspam")))
                .hasSize(comments / 3);
        assertThat(Files.readString(folder.resolve("log"))).contains(" behind the first ").doesNotContain("OutOfMemory");
    }
}
