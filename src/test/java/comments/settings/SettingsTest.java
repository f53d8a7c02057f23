package comments.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

public class SettingsTest {

    /** Any text will do for these. */
    private static final Set<String> FREE =
            Set.of("POSTGRES_USER", "POSTGRES_PASSWORD", "NOTIFICATIONS_PUSH_ENDPOINT");

    public static Properties defaults() throws IOException {
        Properties defaults = new Properties();
        try (InputStream file = SettingsTest.class.getResourceAsStream("/application.properties")) {
            defaults.load(file);
        }
        return defaults;
    }

    private static void check(String name, String value) throws IOException {
        Properties knobs = defaults();
        knobs.setProperty(name, value);
        Settings.check(knobs::getProperty);
    }

    @Test
    void moreConsumersThanTheHeapHasRoomForAreNamed() throws IOException {
        Properties knobs = defaults();
        knobs.setProperty("COMMENTS_CONSUMERS", "1000");
        knobs.setProperty("COMMENTS_GROUP_BYTES", "4194304");
        assertThatThrownBy(() -> Settings.check(knobs::getProperty)).hasMessageContaining("COMMENTS_CONSUMERS=1000 is too much for the heap: 1000 consumers");
    }

    @Test
    void theDefaultsAreRight() throws IOException {
        Properties defaults = defaults();
        Settings.check(defaults::getProperty);
    }

    @Test
    void everyKnobIsInTheFileAndHasARule() throws IOException {
        Set<String> inFile = new TreeSet<>(defaults().stringPropertyNames());
        inFile.removeIf(name -> !name.equals(name.toUpperCase()));
        Set<String> known = new TreeSet<>(Settings.names());
        known.addAll(FREE);
        assertThat(known).isEqualTo(inFile);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "COMMENTS_BATCH_SIZE | abc | must be a whole number from 1 to 100000",
        "COMMENTS_BATCH_SIZE | -1 | must be a whole number from 1 to 100000",
        "COMMENTS_BATCH_SIZE | 0 | must be a whole number from 1 to 100000",
        "COMMENTS_BATCH_SIZE | 5000.0 | must be a whole number from 1 to 100000",
        "COMMENTS_BATCH_SIZE | '' | must be a whole number from 1 to 100000",
        "COMMENTS_RETENTION | 1 year | must be a whole number from 0 to 36500",
        "COMMENTS_RETENTION | -1 | must be a whole number from 0 to 36500",
        "COMMENTS_RETENTION | 00 | must be a whole number from 0 to 36500",
        "COMMENTS_PREFETCH | 65535 | is too much for the heap",
        "HTTP_HOST | '' | must be the name or the address of an interface",
        "MANAGEMENT_HOST | '' | must be the name or the address of an interface",
        "COMMENTS_QUEUES | 0 | must be a whole number from 1 to 16",
        "COMMENTS_QUEUES | 17 | must be a whole number from 1 to 16",
        "COMMENTS_GROUP_BYTES | 8388608 | must be a whole number from 1024 to 4194304",
        "HTTP_EVENT_LOOPS | all | must be a whole number from 0 to 256",
        "HTTP_CLIENT_SHARE | 0 | must be a whole number from 1 to 100",
        "HTTP_CLIENT_TIMEOUT | 10 | must be a whole number from 1000 to 3600000",
        "HTTP_MAX_CONNECTIONS | many | must be a whole number from 0 to 1000000",
        "COMMENTS_TRUSTED_PROXIES | 10.0.0.0/8, proxy | must be addresses or networks such as 10.0.0.0/8, separated by commas",
        "COMMENTS_BASE_PATH | /c/ | must be empty, or a path such as /c, without a slash at its end",
        "COMMENTS_BASE_PATH | c | must be empty, or a path such as /c, without a slash at its end",
        "HTTP_MAX_BODY | 67108864 | must be a whole number from 1024 to 4000000",
        "NOTIFICATIONS_PERIOD | 3600000 | must be a whole number from 1 to 600000",
        "COMMENTS_API_KEYS | ann:secret | must be name:hash,name:hash:scope+scope with the SHA-256 of each key as 64 hexadecimal digits",
        "COMMENTS_API_KEYS | ann:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef:post+secret | scopes of post, read, change, import",
        "COMMENTS_API_KEYS | ann:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef: | scopes of post, read, change, import",
        "NOTIFICATIONS_PUSH_SECRET | secret | must be whsec_ and 24 to 64 bytes in Base64",
        "NOTIFICATIONS_PUSH_SECRET | whsec_secret | must be whsec_ and 24 to 64 bytes in Base64",
        "NOTIFICATIONS_PUSH_SECRET | whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw secret | several are separated by spaces",
        "NOTIFICATIONS_PUSH_ENDPOINT | https://ann:secret@receiver.example/ | must be https://host:port/path without a user",
        "NOTIFICATIONS_PUSH_ENDPOINT | https:///secret | must be https://host:port/path without a user",
        "NOTIFICATIONS_PUSH_ENDPOINT | '' | must be https://host:port/path",
        "NOTIFICATIONS_PUSH_PRIVATE | yes | must be true or false",
        "COMMENTS_API_KEYS | ann:secret | must be name:hash,name:hash:scope+scope with the SHA-256 of each key as 64 hexadecimal digits",
        "COMMENTS_API_KEYS | ann:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef:post+secret | scopes of post, read, change, import",
        "COMMENTS_API_KEYS | ann:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef: | scopes of post, read, change, import",
        "HTTP_PORT | 65536 | must be a whole number from 1 to 65535",
        "MANAGEMENT_PORT | 8080 | must differ from HTTP_PORT",
        "OBSERVE_EXCHANGES | yes | must be true or false",
        "POSTGRES_MIGRATE | once | must be true, false or only",
        "LOG_FORMAT | xml | must be text or json",
        "COMMENTS_ROLES | comment-server | must be any of comment-changes, comment-job-processor, comment-reader, comment-service, notification-service",
        "COMMENTS_ROLES | '' | must be any of",
        "COMMENTS_ROLES | 'comment-service,' | must be any of",
        "RABBITMQ_URI | localhost:5672 | must be amqp://user:password@host:port/virtual-host",
        "RABBITMQ_URI | amqp://guest:guest@one:5672,two:abc | must be amqp://user:password@host:port/virtual-host",
        "RABBITMQ_URI | amqp://one,two:99999 | a port is larger than 65535",
        "RABBITMQ_URI | amqp://guest:guest@one:5672, | with host:port,host:port for a cluster",
        "RABBITMQ_URI | amqp://guest:guest@under_score | a host name has an underscore, which host names can't have",
        "RABBITMQ_URI | http://secret@localhost | must be amqp://",
        "POSTGRES_URL | jdbc:postgresql://ann:secret@localhost/test | with the user in POSTGRES_USER",
        "POSTGRES_URL | postgresql://localhost/secret | must be jdbc:postgresql://host:port/database"})
    void aWrongValueIsNamedWithWhatWouldBeRight(String name, String value, String complaint) {
        assertThatThrownBy(() -> check(name, value)).isInstanceOf(ConfigurationException.class)
                .message().startsWith(name + "=").contains(complaint).doesNotContain("secret", "\n");
    }

    @Test
    void apiKeysMayHaveScopes() throws IOException {
        String key = "ann:" + "0123456789abcdefABCDEF0123456789".repeat(2);
        for (String scopes : new String[] {"", ":import", ":post+read+change+import", ":change+post,bob" + key.substring(3)}) {
            check("COMMENTS_API_KEYS", key + scopes);
        }
    }

    @Test
    void anyRolesInAnyOrderAreRight() throws IOException {
        check("COMMENTS_ROLES", "notification-service,comment-service");
        check("COMMENTS_ROLES", "comment-job-processor");
    }

    @Test
    void severalServersAreRight() throws IOException {
        check("RABBITMQ_URI", "amqps://ann:secret@one:5671,two:5671/orders");
        check("POSTGRES_URL", "jdbc:postgresql://one:5432,two:5432/comments?targetServerType=primary");
    }

    @Test
    void aSecretMayBeReplacedByAnother() throws IOException {
        check("NOTIFICATIONS_PUSH_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw whsec_" + "A".repeat(32));
        check("NOTIFICATIONS_PUSH_ENDPOINT", "https://receiver.example/hook?token=a");
    }
}
