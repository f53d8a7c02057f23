package comments.postgresql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import comments.postgresql.PostgresUrl.Candidate;
import comments.support.TestCertificate;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.pgclient.SslMode;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class PostgresUrlTest {

    private static final String SERVERS = "jdbc:postgresql://one,two:5433/comments";

    private static List<Candidate> candidates(String url) {
        return new PostgresUrl(url).candidates("ann", "secret");
    }

    private static PgConnectOptions server(String parameters) {
        return candidates("jdbc:postgresql://one/comments" + parameters).get(0).server();
    }

    @Test
    void itNamesTheServerTheDatabaseAndTheUser() {
        PgConnectOptions server = candidates("jdbc:postgresql://[::1]:5433/my%20comments").get(0).server();
        assertThat(server.getHost()).isEqualTo("::1");
        assertThat(server.getPort()).isEqualTo(5433);
        assertThat(server.getDatabase()).isEqualTo("my comments");
        assertThat(server.getUser()).isEqualTo("ann");
        assertThat(server.getPassword()).isEqualTo("secret");
        assertThat(server("?user=bob&password=other").getUser()).isEqualTo("bob");
        assertThat(server("?user=bob&password=other").getPassword()).isEqualTo("other");
    }

    static Stream<Arguments> types() {
        return Stream.of(Arguments.of("any", "[one=null, two=null]"), Arguments.of("primary", "[one=false, two=false]"),
                Arguments.of("master", "[one=false, two=false]"), Arguments.of("secondary", "[one=true, two=true]"),
                Arguments.of("preferSecondary", "[one=true, two=true, one=null, two=null]"),
                Arguments.of("preferPrimary", "[one=false, two=false, one=null, two=null]"));
    }

    @ParameterizedTest
    @MethodSource("types")
    void serversAreTriedInTheirOrderAndMustBeOfTheirType(String type, String order) {
        assertThat(candidates(SERVERS + "?targetServerType=" + type).stream()
                .map(candidate -> candidate.server().getHost() + "=" + candidate.standby()).toList()).hasToString(order);
    }

    @Test
    void serversAreTriedInAnyOrderToShareTheLoad() {
        assertThat(Stream.generate(() -> candidates(SERVERS + "?loadBalanceHosts=true").get(0).server().getHost()).limit(100))
                .contains("one", "two");
    }

    @ParameterizedTest
    @CsvSource({"'', PREFER", "?ssl=false, PREFER", "?sslmode=disable, DISABLE", "?sslmode=allow, ALLOW", "?sslmode=require, REQUIRE"})
    void withoutVerificationEveryCertificateIsTrusted(String parameters, SslMode mode) {
        assertThat(server(parameters).getSslMode()).isEqualTo(mode);
        assertThat(server(parameters).isTrustAll()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"ssl=true, VERIFY_FULL, HTTPS", "sslmode=verify-full, VERIFY_FULL, HTTPS", "sslmode=verify-ca, VERIFY_CA, ''"})
    void theCertificateIsVerified(String parameters, SslMode mode, String host, @TempDir Path folder) throws Exception {
        TestCertificate certificate = TestCertificate.create(folder);
        PgConnectOptions server = server("?" + parameters + "&sslrootcert=" + certificate.certificateFile());
        assertThat(server.getSslMode()).isEqualTo(mode);
        assertThat(server.isTrustAll()).isFalse();
        assertThat(server.getTrustOptions()).isNotNull();
        assertThat(server.getHostnameVerificationAlgorithm()).isEqualTo(host);
        PgConnectOptions ofTheJvm = server("?" + parameters + "&sslfactory=org.postgresql.ssl.DefaultJavaSSLFactory");
        assertThat(ofTheJvm.isTrustAll()).isFalse();
        assertThat(ofTheJvm.getTrustOptions()).isNotNull();
    }

    @Test
    void theSessionBeginsWithItsSchemaAndOptions() {
        assertThat(server("?currentSchema=mine&options=-c%20jit=off").getProperties())
                .containsEntry("search_path", "mine").containsEntry("options", "-c jit=off").containsEntry("application_name", "comment-reader");
        assertThat(server("?ApplicationName=mine").getProperties()).containsEntry("application_name", "mine");
    }

    @Test
    void whatOnlyConcernsJdbcIsIgnored() {
        assertThat(server("?tcpKeepAlive=true&prepareThreshold=0&reWriteBatchedInserts=true&gssEncMode=disable&loginTimeout=3").toJson())
                .isEqualTo(server("").toJson());
        PostgresUrl timeouts = new PostgresUrl(SERVERS + "?connectTimeout=3&socketTimeout=7");
        assertThat(timeouts.connectMillis(1)).isEqualTo(3_000);
        assertThat(timeouts.silentMillis(1)).isEqualTo(7_000);
        assertThat(new PostgresUrl(SERVERS).connectMillis(1)).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"sslmode=always", "sslfactory=mine", "sslmode=verify-full&sslrootcert=/none", "sslNegotiation=direct",
        "gssEncMode=require", "channelBinding=require", "socketFactory=mine", "authenticationPluginClassName=mine",
        "requireAuth=scram-sha-256", "localSocketAddress=127.0.0.1", "sslcert=/none&sslkey=/none", "sslkey=/none&sslpassword=x"})
    void whatCanNotBeDoneIsRefusedByName(String parameters) {
        String name = parameters.substring(parameters.lastIndexOf('&') + 1).replaceFirst("=.*", "");
        assertThatIllegalArgumentException().isThrownBy(() -> new PostgresUrl(SERVERS + "?" + parameters)).withMessageContaining(name);
    }
}
