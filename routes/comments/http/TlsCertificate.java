package comments.http;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.SSLOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The certificate of the HTTP server, and its key. A renewed one is used for new connections within {@value #CHECK_MILLIS} ms, without
 * a restart. If it can't be used, the former one stays, and one line is logged.
 */
final class TlsCertificate {

    static final int CHECK_MILLIS = 10_000;

    private static final Logger LOG = LoggerFactory.getLogger(TlsCertificate.class);

    private final String certificate;
    private final String key;
    private List<FileTime> read;

    /** Names the files, both in PEM. */
    TlsCertificate(String certificate, String key) {
        this.certificate = certificate;
        this.key = key;
    }

    /** Sets the certificate that a server begins with. */
    void use(HttpServerOptions options) throws IOException {
        read = times();
        options.setSsl(true).setUseAlpn(true).setKeyCertOptions(pem());
    }

    private PemKeyCertOptions pem() {
        return new PemKeyCertOptions().setCertPath(certificate).setKeyPath(key);
    }

    // of the files that links lead to: Kubernetes renews a mounted secret by changing a link
    private List<FileTime> times() throws IOException {
        return List.of(Files.getLastModifiedTime(Path.of(certificate)), Files.getLastModifiedTime(Path.of(key)));
    }

    /** Looks for a renewed certificate from now on, on an event loop. */
    void watch(Vertx vertx, HttpServer server, HttpServerOptions options) {
        vertx.setPeriodic(CHECK_MILLIS, timer -> {
            try {
                List<FileTime> now = times();
                if (!now.equals(read)) {
                    read = now;
                    // by force, because the names of the files are the same
                    server.updateSSLOptions(new SSLOptions(options.getSslOptions()).setKeyCertOptions(pem()), true)
                            .onSuccess(updated -> LOG.info("HTTP_TLS_CERTIFICATE: new connections get the renewed certificate"))
                            .onFailure(this::keep);
                }
            } catch (IOException e) {
                // a file that is being replaced
                keep(e);
            }
        });
    }

    private void keep(Throwable reason) {
        LOG.warn("HTTP_TLS_CERTIFICATE: the former certificate stays, since the renewed one can't be used: {}", reason.toString());
    }
}
