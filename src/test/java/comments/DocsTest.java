package comments;

import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toCollection;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import comments.settings.Settings;
import comments.support.Pom;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * What the README and the pages say of routes, settings, tests, faults and files is what they are. With
 * {@code -Ddocs.update=true}, the generated tables are written instead of compared.
 */
class DocsTest {

    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());
    private static final Path README = Path.of("README.md");
    private static final Path DOCS = Path.of("docs");
    private static final Path GUARANTEES = DOCS.resolve("guarantees.md");
    private static final Path TESTS = Path.of("src/test/java");
    private static final int MAX_README_LINES = 110;

    /** Tables, each of which may have a heading. */
    private static final String TABLES = "(?:(?:## .*\n\n)?(?:\\|.*\n)+(?:\n(?=## .*\n\n\\|))?)*";
    private static final Pattern FENCE = Pattern.compile("(?s)```\\w*\n(.*?)```");
    private static final Pattern LINK = Pattern.compile("\\[[^\\]]*\\]\\(([^)\\s]+)\\)");
    private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.*)$");
    private static final Pattern NAMED_TEST = Pattern.compile("`(\\w*[a-z]\\w*(?:Test|IT|Benchmark))\\b");
    private static final Pattern FAULT_TEST = Pattern.compile("void ([a-z]\\d+)[A-Z]\\w*\\(");
    private static final Pattern FAULT_ROW = Pattern.compile("(?m)^\\| `([a-z]\\d+)` \\| \\S");

    /** Every page that people read. */
    private static List<Path> pages() throws IOException {
        List<Path> pages = new ArrayList<>(Stream.of("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md",
                "load/README.md", "camel-k/README.md").map(Path::of).toList());
        pages.addAll(docs());
        return pages;
    }

    private static List<Path> docs() throws IOException {
        try (Stream<Path> files = Files.list(DOCS)) {
            return files.filter(file -> file.toString().endsWith(".md")).sorted().toList();
        }
    }

    /** The settings as tables, from application.properties: its comments say what they are. */
    private static String settings() throws IOException {
        StringBuilder tables = new StringBuilder();
        String head = "";
        StringBuilder comment = new StringBuilder();
        for (String line : Files.readAllLines(Path.of("routes/application.properties"))) {
            if (line.startsWith("# ---- ")) {
                head = (tables.isEmpty() ? "" : "\n") + "## %s\n\n| setting | default | |\n|---|---|---|\n"
                        .formatted(line.replaceAll("# ---- | ----", ""));
                comment.setLength(0);
            } else if (line.isBlank()) {
                comment.setLength(0);
            } else if (line.startsWith("# ")) {
                comment.append(comment.isEmpty() ? "" : " ").append(line.substring(2));
            } else if (line.matches("[A-Z_]+ =.*")) {
                String[] setting = line.split(" =", 2);
                String value = setting[1].strip();
                tables.append(head).append("| `%s` | %s| %s |\n".formatted(setting[0], value.isEmpty() ? "" : "`" + value + "` ", comment));
                head = "";
                comment.setLength(0);
            }
        }
        return tables.toString();
    }

    /** The routes and their named nodes as a table, from the YAML. */
    private static String ids() throws IOException {
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

    /** Compares the table below a marker, or writes it. */
    private static void assertTable(Path page, String marker, String expected) throws IOException {
        String text = Files.readString(page);
        MatchResult table = Pattern.compile("<!-- " + marker + " -->\n\n(" + TABLES + ")").matcher(text).results().findFirst()
                .orElseThrow(() -> new AssertionError(page + " has no table " + marker));
        if (Boolean.getBoolean("docs.update")) {
            Files.writeString(page, text.substring(0, table.start(1)) + expected + text.substring(table.end(1)));
        } else {
            assertThat(table.group(1)).as("%s, which -Ddocs.update=true writes", page).isEqualTo(expected);
        }
    }

    private static Set<String> all(Pattern pattern, String text) {
        return pattern.matcher(text).results().map(match -> match.group(1)).collect(toCollection(TreeSet::new));
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
    void theSettingsAreThoseOfTheApplication() throws Exception {
        assertTable(DOCS.resolve("settings.md"), "settings", settings());
    }

    @Test
    void everySettingWithARuleIsInTheTable() throws Exception {
        assertThat(settings().lines()).anyMatch(row -> row.startsWith("| `HTTP_TLS_KEY` | |"));
        assertThat(Settings.names()).allSatisfy(name -> assertThat(settings()).contains("\n| `" + name + "` |"));
    }

    @Test
    void theIdsAreThoseOfTheRoutes() throws Exception {
        assertTable(DOCS.resolve("extending.md"), "ids", ids());
    }

    @Test
    void everyNamedNodeSaysWhatItDoes() throws Exception {
        assertThat(ids()).doesNotContain("|  |");
    }

    @Test
    void theCommandsToRunAndToTestAreOneEach() throws Exception {
        for (String heading : List.of("Run", "Test")) {
            Set<String> sections = all(Pattern.compile("(?s)\n## " + heading + "\n(.*?)(?=\n## |$)"), Files.readString(README));
            assertThat(sections).as(heading).hasSize(1);
            assertThat(all(FENCE, sections.iterator().next())).as(heading).singleElement()
                    .satisfies(command -> assertThat(command.strip().lines().collect(joining())).startsWith("mvn "));
        }
    }

    @Test
    void theReadmeIsShortAndListsEveryPage() throws Exception {
        assertThat(Files.readAllLines(README)).hasSizeLessThanOrEqualTo(MAX_README_LINES);
        assertThat(all(LINK, Files.readString(README)))
                .containsAll(docs().stream().map(page -> page.toString().replace('\\', '/')).toList());
    }

    @Test
    void everyRelativeLinkLeadsToAFileAndAHeading() throws Exception {
        for (Path page : pages()) {
            for (String link : all(LINK, withoutCode(page))) {
                if (!link.matches("[a-z]+:.*")) {
                    String[] parts = link.split("#", 2);
                    Path target = parts[0].isEmpty() ? page : page.resolveSibling(parts[0]).normalize();
                    assertThat(target).as("%s links to it", page).exists();
                    if (parts.length == 2) {
                        assertThat(anchors(target)).as("%s links to %s", page, link).contains(parts[1]);
                    }
                }
            }
        }
    }

    private static String withoutCode(Path page) throws IOException {
        return FENCE.matcher(Files.readString(page)).replaceAll("");
    }

    /** The anchors that GitHub makes of a page's headings. */
    private static List<String> anchors(Path page) throws IOException {
        return HEADING.matcher(withoutCode(page)).results()
                .map(heading -> heading.group(1).toLowerCase(Locale.ROOT).replaceAll("[^\\w\\- ]", "").replace(' ', '-')).toList();
    }

    @Test
    void everyTestThatAPageNamesIsThere() throws Exception {
        try (Stream<Path> files = Files.walk(TESTS)) {
            Set<String> tests = files.map(file -> file.getFileName().toString().replace(".java", "")).collect(toCollection(TreeSet::new));
            for (Path page : pages()) {
                assertThat(tests).as("tests that %s names", page).containsAll(all(NAMED_TEST, Files.readString(page)));
            }
        }
    }

    @Test
    void noTestIsLongerThanContributingAllows() throws Exception {
        String limit = all(Pattern.compile("A test class has at most (\\d+) lines"), Files.readString(Path.of("CONTRIBUTING.md")))
                .iterator().next();
        try (Stream<Path> files = Files.walk(TESTS)) {
            assertThat(files.filter(file -> file.toString().endsWith(".java"))).isNotEmpty()
                    .allSatisfy(file -> assertThat(Files.readAllLines(file)).as(file.toString())
                            .hasSizeLessThanOrEqualTo(Integer.parseInt(limit)));
        }
    }

    @Test
    void everyFaultIsExplained() throws Exception {
        try (Stream<Path> files = Files.list(TESTS.resolve("comments/faults"))) {
            String tests = files.map(DocsTest::read).collect(joining());
            assertThat(all(FAULT_ROW, Files.readString(GUARANTEES))).as("the codes of faults in %s", GUARANTEES)
                    .isNotEmpty().isEqualTo(all(FAULT_TEST, tests));
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
