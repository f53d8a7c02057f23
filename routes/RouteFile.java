package comments;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.spi.Resource;
import org.apache.camel.spi.ResourceLoader;
import org.apache.camel.support.PluginHelper;

/**
 * A text file that lies beside the routes.
 *
 * <p>The launchers differ in where that is: the packaged application has it at the root of the class path, and
 * {@code camel run} names it by the path that it was given, such as {@code routes/insert-comments.sql}. So it is looked
 * for on the class path first, and then beside application.properties.
 */
final class RouteFile {

    private RouteFile() {
    }

    /**
     * Reads a file.
     *
     * @throws UncheckedIOException if it is nowhere, or can't be read
     */
    static String read(CamelContext context, String name) {
        ResourceLoader loader = PluginHelper.getResourceLoader(context);
        Stream<String> besideProperties = context.getPropertiesComponent().getLocations().stream()
                .map(location -> location.substring(0, location.lastIndexOf('/') + 1)).filter(folder -> !folder.isEmpty());
        Resource file = Stream.concat(Stream.of("classpath:"), besideProperties)
                .map(folder -> loader.resolveResource(folder + name)).filter(Resource::exists).findFirst().orElse(null);
        if (file == null) {
            throw new UncheckedIOException(new FileNotFoundException(
                    name + " is neither on the class path nor beside application.properties"));
        }
        try (InputStream bytes = file.getInputStream()) {
            return new String(bytes.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
