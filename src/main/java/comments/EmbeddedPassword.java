package comments;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Optional;

/**
 * The random password of the embedded servers, which keeps other accounts of the machine out. A run that keeps its data keeps the
 * password beside them, in a folder that only its owner may enter.
 */
final class EmbeddedPassword {

    private static final String FILE = "password";
    private static final int BYTES = 24;

    private EmbeddedPassword() {
    }

    /** Makes a password that can stand in a URL as it is. */
    static String random() {
        byte[] bytes = new byte[BYTES];
        new SecureRandom().nextBytes(bytes);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** Makes a folder that only its owner may enter, or makes an existing folder so. */
    static Path makePrivate(Path folder) throws IOException {
        Files.createDirectories(folder);
        if (Files.getFileStore(folder).supportsFileAttributeView(PosixFileAttributeView.class)) {
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
        }
        return folder;
    }

    /** Writes a file, or replaces it by one, that only its owner may read. */
    static void write(Path file, String text) throws IOException {
        // the JDK makes temporary files private
        Path written = Files.createTempFile(file.toAbsolutePath().getParent(), file.getFileName().toString(), null);
        Files.writeString(written, text);
        Files.move(written, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    /** Returns the password that a former run kept in a folder, if any. */
    static Optional<String> keptIn(Path folder) throws IOException {
        Path file = folder.resolve(FILE);
        return Files.exists(file) ? Optional.of(Files.readString(file).strip()) : Optional.empty();
    }

    /** Keeps the password in a folder for later runs. */
    static void keepIn(Path folder, String password) throws IOException {
        write(folder.resolve(FILE), password + "\n");
    }
}
