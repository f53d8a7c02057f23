package comments.http;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.SSLOptions;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.util.List;
import javax.net.ssl.X509KeyManager;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The certificate of the HTTP server, and its key. A renewed pair is used for new connections within {@value #CHECK_MILLIS} ms, without
 * a restart. If it can't be used, such as a new certificate beside the former key, the former pair stays, and one line is logged.
 */
public final class TlsCertificate {

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

    /**
     * Checks that a server can use a certificate with a key.
     *
     * @throws Exception whose message says why not
     */
    public static void check(String certificate, String key) throws Exception {
        new TlsCertificate(certificate, key).pem();
    }

    /** Sets the certificate that a server begins with. */
    void use(HttpServerOptions options) throws Exception {
        read = times();
        options.setSsl(true).setUseAlpn(true).setKeyCertOptions(pem());
    }

    // The files may change at any time, so the content that is checked is the content that is used.
    private PemKeyCertOptions pem() throws Exception {
        byte[] chain = Files.readAllBytes(Path.of(certificate));
        PemKeyCertOptions pem = new PemKeyCertOptions().setCertValue(Buffer.buffer(chain))
                .setKeyValue(Buffer.buffer(Files.readAllBytes(Path.of(key))));
        // it reads no file, so it needs no Vert.x
        X509KeyManager keys = (X509KeyManager) pem.getKeyManagerFactory(null).getKeyManagers()[0];
        PublicKey publicKey = CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(chain)).getPublicKey();
        String name = keys.getServerAliases(publicKey.getAlgorithm(), null)[0];
        if (!match(keys.getPrivateKey(name), publicKey)) {
            throw new InvalidKeyException("the key does not belong to the certificate");
        }
        return pem;
    }

    // of the same algorithm, which the JDK's key store checks; Vert.x reads RSA and EC
    private static boolean match(PrivateKey privateKey, PublicKey publicKey) throws GeneralSecurityException {
        Signature signature = Signature.getInstance(privateKey.getAlgorithm().equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA");
        signature.initSign(privateKey);
        byte[] signed = signature.sign();
        signature.initVerify(publicKey);
        return signature.verify(signed);
    }

    // of the files that links lead to: Kubernetes renews a mounted secret by changing a link
    private List<FileTime> times() throws IOException {
        return List.of(Files.getLastModifiedTime(Path.of(certificate)), Files.getLastModifiedTime(Path.of(key)));
    }

    /** Looks for a renewed certificate from now on, on a worker thread. */
    void watch(Vertx vertx, HttpServer server, HttpServerOptions options) {
        vertx.setPeriodic(CHECK_MILLIS, timer -> vertx.executeBlocking(this::renewed)
                .compose(renewed -> renewed == null ? Future.succeededFuture() : use(renewed, server, options))
                .onFailure(reason -> LOG.warn("HTTP_TLS_CERTIFICATE: the former certificate stays, since the renewed one can't be used: {}",
                        reason.toString())));
    }

    // null if neither file has changed; each change is tried once
    private PemKeyCertOptions renewed() throws Exception {
        List<FileTime> now = times();
        if (now.equals(read)) {
            return null;
        }
        read = now;
        return pem();
    }

    private static Future<?> use(PemKeyCertOptions renewed, HttpServer server, HttpServerOptions options) {
        return server.updateSSLOptions(new SSLOptions(options.getSslOptions()).setKeyCertOptions(renewed))
                .onSuccess(updated -> LOG.info("HTTP_TLS_CERTIFICATE: new connections get the renewed certificate"));
    }
}
