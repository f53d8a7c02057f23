package comments;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The packages of routes/comments import each other in one direction. */
class PackagesTest {

    private static final List<String> SHARED = List.of("groupcommit", "rabbitmq", "postgresql", "http", "observe", "settings", "errors");
    private static final List<String> ROLES = List.of("service", "processor", "notification", "reader", "stream", "page");
    private static final String MODEL = "model";
    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS).importPackages("comments");

    static List<String> roles() {
        return ROLES;
    }

    private static String[] packages(List<String> packages) {
        return packages.stream().map(one -> "comments." + one + "..").toArray(String[]::new);
    }

    private static List<String> without(List<String> packages, String one) {
        return packages.stream().filter(other -> !other.equals(one)).toList();
    }

    @Test
    void packagesThatExtendLibrariesImportNothingThatKnowsComments() {
        noClasses().that().resideInAnyPackage(packages(SHARED)).should().dependOnClassesThat()
                .resideInAnyPackage(packages(Stream.concat(ROLES.stream(), Stream.of(MODEL)).toList())).check(CLASSES);
    }

    @ParameterizedTest
    @MethodSource("roles")
    void aRoleImportsNothingOfAnother(String role) {
        noClasses().that().resideInAPackage("comments." + role + "..").should().dependOnClassesThat()
                .resideInAnyPackage(packages(without(ROLES, role))).check(CLASSES);
    }

    @Test
    void onlyHttpImportsVertxOrNetty() {
        noClasses().that().resideOutsideOfPackages("comments.http..", "comments.postgresql..").should().dependOnClassesThat()
                .resideInAnyPackage("io.vertx..", "io.netty..").check(CLASSES);
    }

    /** Reads run on the event loop of their request, by Vert.x's client of PostgreSQL. */
    @Test
    void postgresqlImportsTheClientOfVertxAndNoServer() {
        noClasses().that().resideInAPackage("comments.postgresql..").should().dependOnClassesThat()
                .resideInAnyPackage("io.vertx.core.http..", "io.vertx.ext..").check(CLASSES);
        noClasses().that().resideInAPackage("comments.postgresql..").and().doNotHaveSimpleName("PgClientInternals").should()
                .dependOnClassesThat().resideInAPackage("io.netty..").check(CLASSES);
        noClasses().that().resideOutsideOfPackage("comments.postgresql..").should().dependOnClassesThat()
                .resideInAnyPackage("io.vertx.pgclient..", "io.vertx.sqlclient..").check(CLASSES);
    }

    @Test
    void onlyOneClassOfAPackageReachesBelowThePublicApiOfVertx() {
        noClasses().that().haveNameNotMatching("comments\\.http\\.VertxInternals.*|comments\\.postgresql\\.PgClientInternals").should().dependOnClassesThat()
                .resideInAnyPackage("io.vertx..impl..", "io.netty.channel..", "io.netty.util.concurrent..").check(CLASSES);
    }

    @Test
    void thereAreNoCycles() {
        slices().matching("comments.(*)..").should().beFreeOfCycles().check(CLASSES);
    }

    @ParameterizedTest
    @ValueSource(strings = {"observe", "errors"})
    void somePackagesImportNoOther(String name) {
        noClasses().that().resideInAPackage("comments." + name + "..").should().dependOnClassesThat()
                .resideInAnyPackage(packages(without(SHARED, name))).check(CLASSES);
    }

    @Test
    void everyPackageIsKnownHereAndSaysWhatItIsFor() throws IOException {
        try (Stream<Path> packages = Files.list(Path.of("routes/comments"))) {
            List<String> names = packages.map(one -> one.getFileName().toString()).toList();
            assertThat(names).containsExactlyInAnyOrderElementsOf(
                    Stream.of(SHARED.stream(), ROLES.stream(), Stream.of(MODEL)).flatMap(one -> one).toList());
            assertThat(names).allSatisfy(one -> assertThat(Path.of("routes/comments", one, "package-info.java")).exists());
        }
    }

    @Test
    void theTopOfRoutesHasOnlyRouteFilesAndTheSettings() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("routes"))) {
            assertThat(files.filter(Files::isRegularFile).map(file -> file.getFileName().toString()))
                    .allMatch(name -> name.endsWith(".camel.yaml") || name.equals("application.properties"));
        }
    }

    /**
     * The Camel CLI loads the route files in any order, and Camel makes the beans of a file twice, in their order: a bean that refers
     * to a later one gets one that nothing else uses. A bean that several files have is the same in each.
     */
    @Test
    void aBeanRefersToEarlierOnesOfItsFile() throws IOException {
        Map<String, String> byName = new TreeMap<>();
        try (Stream<Path> files = Files.list(Path.of("routes"))) {
            for (Path file : files.filter(path -> path.toString().endsWith(".camel.yaml")).toList()) {
                Set<String> names = new HashSet<>();
                for (JsonNode bean : YAML.readTree(file.toFile()).findPath("beans")) {
                    String name = bean.get("name").asText();
                    assertThat(bean.toString()).as("%s in %s, compared to the one of another file", name, file)
                            .isEqualTo(byName.computeIfAbsent(name, key -> bean.toString()));
                    bean.path("properties").forEach(value -> {
                        if (value.asText().matches("#(?!class:).*")) {
                            assertThat(names).as("%s in %s", name, file).contains(value.asText().substring(1));
                        }
                    });
                    names.add(name);
                }
            }
        }
    }
}
