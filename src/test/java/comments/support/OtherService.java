package comments.support;

import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;

/** A service that load/compare starts, and can't compare: it answers 404, or 401 with API keys, and 400 with TLS. */
public final class OtherService {

    private OtherService() {
    }

    public static void main(String[] args) throws Exception {
        int status = System.getenv("COMMENTS_API_KEYS") != null ? 401 : System.getenv("HTTP_TLS_CERTIFICATE") != null ? 400 : 404;
        HttpServer server = HttpServer.create(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(System.getenv("HTTP_PORT"))), 0);
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
        });
        server.start();
    }

    /** Makes a jar that runs it. */
    public static Path jar(Path file) throws Exception {
        Manifest manifest = new Manifest();
        Attributes attributes = manifest.getMainAttributes();
        attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        attributes.put(Attributes.Name.MAIN_CLASS, OtherService.class.getName());
        attributes.put(Attributes.Name.CLASS_PATH, OtherService.class.getProtectionDomain().getCodeSource().getLocation().toString());
        new JarOutputStream(Files.newOutputStream(file), manifest).close();
        return file;
    }
}
