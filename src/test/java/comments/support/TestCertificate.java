package comments.support;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.Base64;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A certificate for localhost, made for one test by the JDK's keytool, with its key, as PEM files. */
public final class TestCertificate {

    private static final String PASSWORD = "only-for-this-test";

    private final Path folder;
    private final KeyStore store;

    private TestCertificate(Path folder, KeyStore store) {
        this.folder = folder;
        this.store = store;
    }

    public static TestCertificate create(Path folder) throws IOException, InterruptedException, GeneralSecurityException {
        return create(folder, "EC");
    }

    /** With a key of an algorithm: EC or RSA. */
    public static TestCertificate create(Path folder, String algorithm)
            throws IOException, InterruptedException, GeneralSecurityException {
        Path file = folder.resolve("certificate.p12");
        Process keytool = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair", "-alias", "test", "-keyalg", algorithm, "-dname", "CN=localhost", "-ext", "san=dns:localhost,ip:127.0.0.1",
                "-ext", "bc=ca:true", "-storetype", "PKCS12", "-keystore", file.toString(), "-storepass", PASSWORD)
                .redirectErrorStream(true).start();
        String output = new String(keytool.getInputStream().readAllBytes());
        if (keytool.waitFor() != 0) {
            throw new IOException(output);
        }
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            store.load(in, PASSWORD.toCharArray());
        }
        TestCertificate certificate = new TestCertificate(folder, store);
        Key key = store.getKey("test", PASSWORD.toCharArray());
        certificate.writePem("certificate.pem", "CERTIFICATE", store.getCertificate("test").getEncoded());
        certificate.writePem("key.pem", "PRIVATE KEY", key.getEncoded());
        return certificate;
    }

    private void writePem(String name, String type, byte[] content) throws IOException {
        String encoded = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
        Files.writeString(folder.resolve(name), "-----BEGIN %s-----\n%s\n-----END %1$s-----\n".formatted(type, encoded));
    }

    public Path certificateFile() {
        return folder.resolve("certificate.pem");
    }

    public Path keyFile() {
        return folder.resolve("key.pem");
    }

    /** A trust store with nothing but this certificate, in PKCS12, and its password. */
    public Path trustStore() throws IOException, GeneralSecurityException {
        KeyStore trusted = trusted();
        Path file = folder.resolve("trusted.p12");
        try (var out = Files.newOutputStream(file)) {
            trusted.store(out, PASSWORD.toCharArray());
        }
        return file;
    }

    public String password() {
        return PASSWORD;
    }

    private KeyStore trusted() throws IOException, GeneralSecurityException {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        Certificate certificate = store.getCertificate("test");
        trusted.setCertificateEntry("test", certificate);
        return trusted;
    }

    /** What a server needs to show it. */
    public SSLContext serverContext() throws GeneralSecurityException {
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, PASSWORD.toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        return context;
    }

    /** What a client needs to trust it. */
    public SSLContext clientContext() throws IOException, GeneralSecurityException {
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }
}
