package comments;

import static org.assertj.core.api.Assertions.assertThat;

import comments.settings.SettingsTest;
import comments.support.Pom;
import java.lang.reflect.Constructor;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.xml.xpath.XPath;
import javax.xml.xpath.XPathFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** What routes/ says to {@code camel run}, without running it: see {@code CamelRunIT}. */
class CamelRunTest {

    /** The direct dependencies of pom.xml that are in the jar, with their versions; those of BOMs by the BOM's version. */
    private static Map<String, String> dependenciesOfPom() throws Exception {
        XPath xpath = XPathFactory.newInstance().newXPath();
        Map<String, String> versionOfGroup =
                Map.of("org.apache.camel", "camel.version", "org.springframework", "spring.version");
        Map<String, String> dependencies = new TreeMap<>();
        NodeList all = Pom.nodes("/project/dependencies/dependency[not(scope)]");
        for (int i = 0; i < all.getLength(); i++) {
            Element dependency = (Element) all.item(i);
            String group = xpath.evaluate("groupId", dependency);
            String version = xpath.evaluate("version", dependency);
            String property = version.isEmpty() ? versionOfGroup.get(group) : version.replaceAll("[${}]", "");
            dependencies.put(group + ":" + xpath.evaluate("artifactId", dependency), Pom.property(property));
        }
        return dependencies;
    }

    private static List<String> dependenciesOfRoutes() throws Exception {
        return List.of(SettingsTest.defaults().getProperty("camel.jbang.dependencies").split("\\s*,\\s*"));
    }

    @Test
    void theDependenciesHaveTheVersionsOfThePom() throws Exception {
        Map<String, String> pom = dependenciesOfPom();
        for (String dependency : dependenciesOfRoutes()) {
            if (dependency.startsWith("camel:")) {
                // the CLI gives it its own version
                assertThat(pom).as("pom.xml").containsKey(dependency.replace("camel:", "org.apache.camel:camel-"));
            } else {
                String name = dependency.substring(0, dependency.lastIndexOf(':'));
                String version = dependency.substring(dependency.lastIndexOf(':') + 1);
                assertThat(version).as("version of %s in routes/application.properties, compared to pom.xml", name)
                        .isEqualTo(pom.get(name));
            }
        }
    }

    /** The CLI has Jackson and a logger, and fetches the components that the routes name. */
    @Test
    void nothingThatTheHelpersUseIsMissing() throws Exception {
        List<String> own = dependenciesOfPom().entrySet().stream()
                .filter(entry -> !entry.getKey().matches("(org.apache.camel|com.fasterxml.jackson.core|ch.qos.logback):.*"))
                .map(entry -> entry.getKey() + ":" + entry.getValue()).toList();
        assertThat(dependenciesOfRoutes()).as("camel.jbang.dependencies in routes/application.properties").containsAll(own);
    }

    @Test
    void docsNameTheCliOfTheTests() throws Exception {
        String minor = Pom.property("camel-cli.version").replaceAll("\\.\\d+$", "");
        assertThat(Files.readString(Path.of("docs/extending.md"))).contains("camel-jbang.html) " + minor + " ");
    }

    /** The CLI makes an instance of each class that it compiles, if it finds a constructor without parameters. */
    @Test
    void everyClassCanBeMadeByTheCli() throws Exception {
        List<String> hidden = new ArrayList<>();
        try (Stream<Path> files = Files.walk(Path.of("routes"))) {
            for (Path file : files.filter(path -> path.toString().endsWith(".java") && !path.endsWith("package-info.java")).toList()) {
                Class<?> type = Class.forName(
                        Path.of("routes").relativize(file).toString().replace(".java", "").replace('/', '.'));
                for (Constructor<?> constructor : type.getDeclaredConstructors()) {
                    int modifiers = type.isInterface() ? 0 : constructor.getModifiers();
                    if (constructor.getParameterCount() == 0 && !Modifier.isPrivate(modifiers)
                            && !(Modifier.isPublic(modifiers) && Modifier.isPublic(type.getModifiers()))) {
                        hidden.add(type.getName());
                    }
                }
            }
        }
        assertThat(hidden).as("classes whose constructor is neither public nor private").isEmpty();
    }
}
