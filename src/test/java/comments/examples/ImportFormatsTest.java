package comments.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import comments.EmbeddedBroker;
import comments.support.ApiKeyHash;
import comments.support.TestPipeline;
import comments.support.TestServers;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.time.Duration;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Exports of each format, with what is odd in them, through the example into a real pipeline. */
class ImportFormatsTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static EmbeddedBroker broker;
    private static String database;
    private static TestPipeline pipeline;

    @TempDir
    private Path folder;

    @BeforeAll
    static void start() throws Exception {
        broker = EmbeddedBroker.startInMemory();
        database = TestServers.newDatabase();
        String hash = ApiKeyHash.of("key");
        pipeline = TestPipeline.start(Map.of("RABBITMQ_URI", broker.uri(), "POSTGRES_URL", database, "POSTGRES_USER", "postgres",
                "COMMENTS_API_KEYS", "importer:" + hash + ":post+import+read"));
    }

    @AfterAll
    static void stop() {
        pipeline.close();
        broker.close();
    }

    /** Imports a file, and returns what is reported as left out. */
    private List<String> run(String name, String content, String... settings) throws Exception {
        Path copied = Files.writeString(folder.resolve(name + ".part"), content);
        Files.move(copied, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE);
        Map<String, String> all = new java.util.HashMap<>(Map.of("IMPORT_API_KEY", "key"));
        for (int i = 0; i < settings.length; i += 2) {
            all.put(settings[i], settings[i + 1]);
        }
        try (ImportRun run = ImportRun.start(folder, pipeline.uri("/comments").toString(), all)) {
            await().atMost(PATIENCE).until(() -> Files.exists(folder.resolve("done").resolve(name)));
        }
        assertThat(folder.resolve(".import").resolve(name + ".position")).doesNotExist();
        return Files.readAllLines(folder.resolve("left-out").resolve(name + ".tsv"));
    }

    private static JsonNode page(String post, int comments) {
        String path = "/comments?postId=" + URLEncoder.encode(post, StandardCharsets.UTF_8);
        return await().atMost(PATIENCE).until(() -> JSON.readTree(
                pipeline.send(HttpRequest.newBuilder(pipeline.uri(path)).header("Authorization", "Bearer key")).body()),
                page -> page.isArray() && page.size() == comments);
    }

    private static String table() throws Exception {
        try (Connection connection = DriverManager.getConnection(database); ResultSet rows = connection.createStatement()
                .executeQuery("SELECT string_agg(c::text, E'\\n' ORDER BY id) FROM comments c")) {
            rows.next();
            return String.valueOf(rows.getString(1));
        }
    }

    private static final String DISQUS = """
            <?xml version="1.0" encoding="utf-8"?>
            <disqus xmlns="http://disqus.com" xmlns:dsq="http://disqus.com/disqus-internals"
                xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://disqus.com/api/schemas/1.0/disqus.xsd">
            <category dsq:id="1"><forum>ann</forum><title>General</title><isDefault>true</isDefault></category>
            <thread dsq:id="10"><id>about</id><forum>ann</forum><category dsq:id="1"/><link>https://ann.example/about?a=1&amp;b=2</link>
              <title>About &amp; more</title><message/><createdAt>2009-01-01T00:00:00Z</createdAt>
              <author><name>Ann</name><isAnonymous>false</isAnonymous><username>ann</username></author><isClosed>false</isClosed>
              <isDeleted>false</isDeleted></thread>
            <thread dsq:id="11"><id>about</id><forum>bob</forum><link>https://bob.example/about</link><isDeleted>false</isDeleted></thread>
            <thread dsq:id="12"><id>gone</id><forum>ann</forum><link>https://ann.example/gone</link><isDeleted>true</isDeleted></thread>
            <post dsq:id="100"><id>wp_id=1</id><message><![CDATA[<p>First &amp; <b>best</b>!</p><p>Second<br />line \ud83c\udf89</p>
            <script>alert(1)</script>]]></message><createdAt>2009-02-01T10:20:30Z</createdAt><isDeleted>false</isDeleted><isSpam>false</isSpam>
              <author><name>Ann \u00c4</name><isAnonymous>false</isAnonymous><username>ann</username></author><thread dsq:id="10"/></post>
            <post dsq:id="103"><message>&lt;p&gt;Reply to a later one &amp;#8217; &#128512; &nbsp; \u0008&lt;/p&gt;</message>
              <createdAt>2009-02-02T10:20:30Z</createdAt>
              <isDeleted>false</isDeleted><isSpam>false</isSpam><author><name></name><isAnonymous>true</isAnonymous></author>
              <thread dsq:id="10"/><parent dsq:id="104"/></post>
            <post dsq:id="104"><message>Later, a reply</message><createdAt>2009-02-03T10:20:30+00:00</createdAt><isDeleted>false</isDeleted>
              <isSpam>false</isSpam><author><name>Bob</name><isAnonymous>true</isAnonymous><email>Bob@example.com</email></author>
              <thread dsq:id="10"/><parent dsq:id="100"/></post>
            <post dsq:id="105"><message>Buy</message><createdAt>2009-02-04T10:20:30Z</createdAt><isDeleted>false</isDeleted><isSpam>true</isSpam>
              <author><name>S</name><isAnonymous>true</isAnonymous></author><thread dsq:id="10"/></post>
            <post dsq:id="106"><message>Gone</message><createdAt>2009-02-04T10:20:30Z</createdAt><isDeleted>true</isDeleted><isSpam>false</isSpam>
              <author><name>S</name><isAnonymous>true</isAnonymous></author><thread dsq:id="10"/></post>
            <post dsq:id="107"><message>A reply to what is deleted</message><createdAt>2009-02-05T10:20:30Z</createdAt>
              <isDeleted>false</isDeleted><isSpam>false</isSpam><author><name>bob</name><isAnonymous>true</isAnonymous><email>bob@example.com </email></author>
              <thread dsq:id="10"/><parent dsq:id="106"/></post>
            <post dsq:id="108"><message>On the other site</message><createdAt>2009-02-06T10:20:30Z</createdAt><isDeleted>false</isDeleted>
              <isSpam>false</isSpam><author><name>Cleo</name><isAnonymous>false</isAnonymous><username>cleo</username></author><thread dsq:id="11"/></post>
            <post dsq:id="109"><message>Nowhere</message><createdAt>2009-02-06T10:20:30Z</createdAt><isDeleted>false</isDeleted>
              <isSpam>false</isSpam><author><name>C</name></author><thread dsq:id="99"/></post>
            <post dsq:id="110"><message>On a page that is gone</message><createdAt>2009-02-06T10:20:30Z</createdAt><isDeleted>false</isDeleted>
              <isSpam>false</isSpam><author><name>C</name></author><thread dsq:id="12"/></post>
            <post dsq:id="111"><message><![CDATA[<p>&nbsp;</p>]]></message><createdAt>2009-02-06T10:20:30Z</createdAt><isDeleted>false</isDeleted>
              <isSpam>false</isSpam><author><name>C</name></author><thread dsq:id="11"/></post>
            <post dsq:id="112"><message>In the year 0</message><createdAt>0000-00-00T00:00:00Z</createdAt><isDeleted>false</isDeleted>
              <isSpam>false</isSpam><author><name>C</name></author><thread dsq:id="11"/></post>
            </disqus>
            """;

    @Test
    void disqus() throws Exception {
        List<String> leftOut = run("disqus.xml", DISQUS);
        JsonNode page = page("https://ann.example/about?a=1&b=2", 4);
        assertThat(page.findValuesAsText("content")).containsExactly("A reply to what is deleted", "Later, a reply",
                "Reply to a later one \u2019 \ud83d\ude00", "First & best!\n\nSecond\nline \ud83c\udf89");
        assertThat(page.findValuesAsText("acceptedAt")).containsExactly("2009-02-05T10:20:30.000Z", "2009-02-03T10:20:30.000Z",
                "2009-02-02T10:20:30.000Z", "2009-02-01T10:20:30.000Z");
        assertThat(page.findValuesAsText("userName")).containsExactly("bob", "Bob", "Anonymous", "Ann \u00c4");
        assertThat(page.get(3).get("userId").asText()).isEqualTo("ann");
        assertThat(page.get(0).get("userId")).as("one address, one person").isEqualTo(page.get(1).get("userId"));
        assertThat(page.get(2).get("userId").asText()).hasSize(36).isNotEqualTo(page.get(1).get("userId").asText());
        assertThat(page.get(1).get("parentId")).isEqualTo(page.get(3).get("id"));
        assertThat(page.get(2).get("parentId")).isEqualTo(page.get(1).get("id"));
        assertThat(page.get(0).has("parentId")).isFalse();
        assertThat(page("https://bob.example/about", 1).findValuesAsText("content")).containsExactly("On the other site");
        assertThat(leftOut).containsExactlyInAnyOrder("ann 105\tspam", "ann 106\tdeleted",
                "ann 107\tonly its parent, which is missing or left out", " 109\tits thread is missing", "ann 110\tits thread is deleted",
                "bob 111\tcontent must be 1 to 10000 characters long, and is 0",
                "bob 112\tacceptedAt must be a time with its offset, such as 2026-11-22T21:38:07.681Z (RFC 3339)");

        String before = table();
        run("again.xml", DISQUS, "IMPORT_LIST", "2");
        run("part.xml", DISQUS.replaceAll("(?s)<post dsq:id=\"10[4-9].*</post>", ""));
        run("marker.ndjson", "{\"postId\":\"marker\",\"userId\":\"u\",\"userName\":\"Ann\",\"content\":\"last\"}\n");
        page("marker", 1);
        assertThat(table().lines().filter(row -> !row.contains("marker"))).as("importing again changes nothing")
                .containsExactlyElementsOf(before.lines().toList());
    }

    @Test
    void disqusOfOneSiteByTheIdsOfItsPages() throws Exception {
        List<String> leftOut = run("bob.xml", DISQUS.replace("about", "about-bob").replace("bob</forum>", "bobby</forum>"), "IMPORT_SITE", "bobby", "IMPORT_POST", "id");
        assertThat(page("about-bob", 1).findValuesAsText("content")).containsExactly("On the other site");
        assertThat(leftOut).contains("ann 100\tof another site", "ann 105\tspam").doesNotContain("bobby 108\tof another site");
    }

    private static String comment(int id, String more) {
        return "<wp:comment><wp:comment_id>" + id + "</wp:comment_id>" + more + "<wp:commentmeta><wp:meta_key>comment_id</wp:meta_key>"
                + "<wp:meta_value><![CDATA[7]]></wp:meta_value></wp:commentmeta></wp:comment>\n";
    }

    private static String comment(int id, String name, String mail, String utc, String content, String approved, String type, int parent, int user) {
        return comment(id, """
                <wp:comment_author><![CDATA[%s]]></wp:comment_author><wp:comment_author_email><![CDATA[%s]]></wp:comment_author_email>
                <wp:comment_author_url>https://example.com</wp:comment_author_url><wp:comment_author_IP><![CDATA[192.0.2.1]]></wp:comment_author_IP>
                <wp:comment_date><![CDATA[2010-05-01 02:00:00]]></wp:comment_date><wp:comment_date_gmt><![CDATA[%s]]></wp:comment_date_gmt>
                <wp:comment_content><![CDATA[%s]]></wp:comment_content><wp:comment_approved><![CDATA[%s]]></wp:comment_approved>
                <wp:comment_type><![CDATA[%s]]></wp:comment_type><wp:comment_parent>%d</wp:comment_parent>
                <wp:comment_user_id>%d</wp:comment_user_id>""".formatted(name, mail, utc, content, approved, type, parent, user));
    }

    private static String wordPress(String version) {
        return """
                <?xml version="1.0" encoding="UTF-8" ?>
                <!-- This is a WordPress eXtended RSS file generated by WordPress as an export of your site. -->
                <rss version="2.0" xmlns:excerpt="http://wordpress.org/export/%1$s/excerpt/" xmlns:content="http://purl.org/rss/1.0/modules/content/"
                  xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/%1$s/">
                <channel><title>Ann&#039;s &amp; Bob's</title><link>https://ann.example</link><wp:wxr_version>%1$s</wp:wxr_version>
                <wp:base_site_url>https://ann.example</wp:base_site_url><wp:base_blog_url>https://ann.example/blog</wp:base_blog_url>
                <image><url>https://ann.example/icon.png</url><link>https://ann.example/icon</link></image>
                <item><title>Hello</title><link>https://ann.example/blog/hello-%1$s/</link><dc:creator><![CDATA[ann]]></dc:creator>
                <content:encoded><![CDATA[<p>A post with <a href="x">a link</a> & no comment</p>]]></content:encoded>
                <wp:post_id>5</wp:post_id><wp:post_type><![CDATA[post]]></wp:post_type>
                """.formatted(version)
                + comment(1, "Zo\u00eb &amp; Bob&#039;s AT&amp;amp;T", "zoe@example.com", "2010-05-01 00:00:00", "A < B & C\n\nSecond <em>part</em> \ud83d\ude00", "1", "", 0, 0)
                + comment(2, "admin", "ann@example.com", "2010-05-02 00:00:00", "Thanks! ]]]]><![CDATA[> &copy; <a href=\"https://x.example\">here</a>", "1", "comment", 1, 1)
                + comment(3, "Link", "", "2010-05-03 00:00:00", "[...] linked", "1", "pingback", 0, 0)
                + comment(4, "S", "", "2010-05-03 00:00:00", "Buy", "spam", "comment", 0, 0)
                + comment(5, "T", "", "2010-05-03 00:00:00", "Thrown away", "trash", "comment", 0, 0)
                + comment(6, "P", "", "2010-05-03 00:00:00", "Waits", "0", "comment", 0, 0)
                + comment(12, "U", "", "2010-05-03 00:00:00", "Of no state", "", "comment", 0, 0)
                + comment(13, "<wp:comment_author>U</wp:comment_author><wp:comment_content>Of no state</wp:comment_content>")
                + comment(7, "", "", "0000-00-00 00:00:00", "Re: thrown away", "1", "comment", 5, 0)
                + """
                </item>
                <item><title>Other</title><link>https://ann.example/blog/other-%1$s/</link><wp:post_id>6</wp:post_id>
                """.formatted(version)
                + comment(8, "x".repeat(201), "", "2010-05-04 00:00:00", "Its name is too long", "1", "comment", 0, 0)
                + comment(9, "Long", "", "2010-05-04 00:00:00", "y".repeat(10_001), "1", "comment", 0, 0)
                + comment(10, "Longer", "", "2010-05-04 00:00:00", "z".repeat(3_000_000), "1", "comment", 0, 0)
                + comment(11, "Fits", "", "2010-05-05 00:00:00", "\ud83d\ude00".repeat(10_000), "1", "comment", 0, 0)
                + "</item></channel></rss>\n";
    }

    @Test
    void wordPress() throws Exception {
        List<String> leftOut = run("wordpress.xml", wordPress("1.2"));
        JsonNode page = page("https://ann.example/blog/hello-1.2/", 3);
        assertThat(page.findValuesAsText("content")).containsExactly("Thanks! ]]> \u00a9 here", "Re: thrown away",
                "A < B & C\n\nSecond part \ud83d\ude00");
        assertThat(page.findValuesAsText("acceptedAt"))
                .containsExactly("2010-05-02T00:00:00.000Z", "2010-05-01T02:00:00.000Z", "2010-05-01T00:00:00.000Z");
        assertThat(page.findValuesAsText("userName")).containsExactly("admin", "Anonymous", "Zo\u00eb & Bob's AT&amp;T");
        assertThat(page.get(0).get("userId").asText()).isEqualTo("1@ann.example/blog");
        assertThat(page.get(0).get("parentId")).isEqualTo(page.get(2).get("id"));
        assertThat(page.get(1).has("parentId")).isFalse();
        assertThat(page("https://ann.example/blog/other-1.2/", 1).get(0).get("content").asText()).isEqualTo("\ud83d\ude00".repeat(10_000));
        String site = "https://ann.example/blog ";
        assertThat(leftOut).containsExactlyInAnyOrder(site + "3\tof the type pingback", site + "4\tspam", site + "5\tdeleted",
                site + "6\tnot approved", site + "12\tcomment_approved is missing", site + "13\tcomment_approved is missing",
                site + "7\tonly its parent, which is missing or left out",
                site + "8\tuserName must be 1 to 200 characters long, and is 201",
                site + "9\tcontent must be 1 to 10000 characters long, and is 10001", site + "10\ta text of more than 1 MiB");
        assertThat(page.toString()).doesNotContain("192.0.2.1", "zoe@example.com");
    }

    @Test
    void whatTheApiWouldRefuseIsNoParent() throws Exception {
        String start = wordPress("1.3");
        StringBuilder comments = new StringBuilder();
        String[][] refused = {{"2010-05-01 00:00:00", "Ann", "y".repeat(10_001)}, {"2010-05-01 00:00:00", "Ann", "<img src=\"a.png\">"},
            {"2010-05-01 00:00:00", "x".repeat(201), "Named"}, {"2010-05-01 00:00:00", "\u2060", "Nameless"},
            {"9999-01-01 00:00:00", "Ann", "Future"}, {"2010-02-30 00:00:00", "Ann", "Never"},
            {"2010-05-01 00:00:00", "Ann", "z".repeat(3_000_000)}, {"2010-05-01 00:00:00", "Ann", "<b></b>".repeat(200_000) + "Cut"}};
        for (int i = 0; i < refused.length; i++) {
            comments.append(comment(200 + i, "Bob", "", "2010-06-01 00:00:00", "Before " + i, "1", "comment", 100 + i, 0))
                    .append(comment(100 + i, refused[i][1], "", refused[i][0], refused[i][2], "1", "comment", 0, 0))
                    .append(comment(300 + i, "Bob", "", "2010-06-02 00:00:00", "Behind " + i, "1", "comment", 100 + i, 0))
                    .append(comment(400 + i, "Bob", "", "2010-06-03 00:00:00", "A reply to a reply", "1", "comment", 300 + i, 0));
        }
        String export = start.replaceAll("(?s)<wp:comment>.*", "") + comments + "</item></channel></rss>\n";
        List<String> leftOut = run("replies.xml", export, "IMPORT_LIST", "3");
        JsonNode page = page("https://ann.example/blog/hello-1.3/", 3 * refused.length);
        assertThat(page).allSatisfy(comment -> assertThat(comment.has("parentId")).as(comment.toString())
                .isEqualTo(comment.get("content").asText().startsWith("A reply")));
        assertThat(leftOut.stream().filter(line -> line.endsWith("\tonly its parent, which is missing or left out")))
                .hasSize(2 * refused.length);
        assertThat(leftOut).hasSize(3 * refused.length);
    }

    @Test
    void whatIsOlderThanTheRetentionIsNoParent() throws Exception {
        String kept = DISQUS.replace("ann</forum>", "kept</forum>").replace("https://ann.example/about", "https://kept.example/about")
                .replaceAll("2009-02-0[23]T", LocalDate.now().minusDays(2) + "T");
        List<String> leftOut = run("kept.xml", kept, "IMPORT_RETENTION", "3000");
        JsonNode page = page("https://kept.example/about?a=1&b=2", 2);
        assertThat(page.findValuesAsText("parentId")).as("of the two, one replies to the other").hasSize(1);
        assertThat(leftOut).contains("kept 100\tacceptedAt must not be more than 3000 days ago: comments are kept for so long",
                "kept 104\tonly its parent, which is missing or left out");
    }

    @Test
    void wordPressOfAnotherVersionByTheNumbersOfItsPosts() throws Exception {
        run("old.xml", "\ufeff" + wordPress("1.0").replace("https://ann.example/blog</wp:base", "https://old.example</wp:base"), "IMPORT_POST", "id");
        assertThat(page("5", 3).findValuesAsText("userId")).contains("1@old.example");
        page("6", 1);
    }

    @Test
    void lines() throws Exception {
        String id = "01a203e0-e52b-70a1-b154-faa7274d2213";
        List<String> leftOut = run("lines.ndjson", """
                \ufeff{"postId":"n","userId":"u","userName":"Ann","content":"One \ud83c\udf89","id":"a","acceptedAt":"2011-01-01T00:00:00Z"}
                {"postId":"n","userId":"u","userName":"Ann","content":"Two","id":"%s","parentId":"a","acceptedAt":"2011-01-02T00:00:00Z"}\r

                {"postId":"n","userId":"u","userName":"Ann","content":"Three","id":17,"parentId":"%1$s","acceptedAt":"2011-01-03T00:00:00Z","createdAt":"2011-01-03T00:00:01Z"}
                {"postId":"n",
                [1]
                null
                {"postId":"n","userId":"u","userName":"\\u0000","content":"Bad","rating":5}
                {"postId":"n","userId":"u","userName":"Ann","content":"A","id":"b"}
                {"postId":"n","userId":"u","userName":"Ann","content":"B","id":"b"}
                {"postId":"n","userId":"u","userName":"Ann","content":"No id"}
                {"postId":"n","userId":"u","userName":"Ann","content":"%s"}
                {"postId":"n","userId":"u","userName":"Ann","content":"C"}{"postId":"n","userId":"u","userName":"Ann","content":"D"}
                {"postId":"n","userId":"u","userName":"Ann","content":"No id"}
                """.formatted(id, "x".repeat(1 << 20)));
        JsonNode page = page("n", 5);
        assertThat(page.findValuesAsText("content")).endsWith("Three", "Two", "One \ud83c\udf89").contains("A", "No id");
        assertThat(page.get(3).get("id").asText()).isEqualTo(id);
        assertThat(page.get(3).get("parentId")).isEqualTo(page.get(4).get("id"));
        assertThat(page.get(2).get("parentId").asText()).isEqualTo(id);
        assertThat(leftOut).containsExactlyInAnyOrder("line 5\tnot one JSON object", "line 6\tnot one JSON object", "line 7\tnot one JSON object",
                "line 8\trating is not a field of a comment; userName must not contain the character U+0000 or half of a surrogate pair; userName must have a visible character",
                "line 10 b\tid is also the id of #/3, a different comment", "line 12\ta line of more than 1 MiB",
                "line 13\tnot one JSON object", "line 14\tthe same line again");
    }

    @Test
    void linesOfSeveralSitesWithTheSameIds() throws Exception {
        String line = "{\"postId\":\"%s\",\"userId\":\"u\",\"userName\":\"Ann\",\"content\":\"%1$s\",\"id\":1}\n";
        for (String site : List.of("ann", "bob")) {
            run(site + ".ndjson", line.formatted(site), "IMPORT_SITE", site);
            assertThat(page(site, 1).findValuesAsText("content")).containsExactly(site);
        }
    }

    @Test
    void whatIsNoExportIsSetAside() throws Exception {
        Files.writeString(folder.resolve("none.xml"), "<html></html>");
        Files.writeString(folder.resolve("broken.xml"), DISQUS.substring(0, DISQUS.length() - 20));
        Files.writeString(folder.resolve("notes.txt"), "not taken");
        try (ImportRun run = ImportRun.start(folder, pipeline.uri("/comments").toString(), Map.of("IMPORT_API_KEY", "key"))) {
            await().atMost(PATIENCE).until(() -> Files.exists(folder.resolve("failed/none.xml")) && Files.exists(folder.resolve("failed/broken.xml")));
        }
        assertThat(folder.resolve("notes.txt")).exists();
    }
}
