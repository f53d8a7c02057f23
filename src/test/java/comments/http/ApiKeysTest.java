package comments.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import comments.http.ApiKeys.Scope;
import comments.support.ApiKeyHash;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What each API key allows. */
class ApiKeysTest {

    private static Message request(String method, String key) {
        Message message = new DefaultExchange(new DefaultCamelContext()).getMessage();
        message.setHeader(Exchange.HTTP_METHOD, method);
        if (key != null) {
            message.setHeader("Authorization", "Bearer " + key);
        }
        return message;
    }

    private static ApiKeys keys() throws Exception {
        ApiKeys keys = new ApiKeys();
        keys.setKeys("ann:%s, bob:%s:read,eve:%s:post+import,max:%s:change+read".formatted(ApiKeyHash.of("ann's"), ApiKeyHash.of("bob's"), ApiKeyHash.of("eve's"),
                ApiKeyHash.of("max's")));
        return keys;
    }

    private static String answer(ApiKeys keys, String method, String key) {
        try {
            return keys.require(request(method, key));
        } catch (InvalidRequestException e) {
            return e.status() + " " + e.getMessage();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "POST, ann's, ann", "GET, ann's, ann", "HEAD, ann's, ann",
        "PATCH, ann's, 403 This API key lacks the scope change.", "DELETE, ann's, 403 This API key lacks the scope change.",
        "GET, bob's, bob", "HEAD, bob's, bob", "POST, bob's, 403 This API key lacks the scope post.",
        "POST, eve's, eve", "GET, eve's, 403 This API key lacks the scope read.", "DELETE, eve's, 403 This API key lacks the scope change.",
        "PATCH, max's, max", "DELETE, max's, max", "GET, max's, max", "POST, max's, 403 This API key lacks the scope post.",
        "POST, guess, 401 An API key is required: Authorization: Bearer <key>.",
        "DELETE, guess, 401 An API key is required: Authorization: Bearer <key>.",
        "GET, , 401 An API key is required: Authorization: Bearer <key>."})
    void theMethodDecidesWhichScopeARequestNeeds(String method, String key, String answer) throws Exception {
        assertThat(answer(keys(), method, key)).isEqualTo(answer);
    }

    @ParameterizedTest
    @CsvSource({"POST, ''", "GET, ''", "HEAD, ''",
        "PATCH, 403 This needs an API key with the scope change%", "DELETE, 403 This needs an API key with the scope change%"})
    void withoutKeysEveryClientMayPostAndReadAndNoneMayChange(String method, String answer) {
        assertThat(answer(new ApiKeys(), method, null)).isEqualTo(answer.replace("%", ", and the server has no API keys:"
                + " COMMENTS_API_KEYS=name:hash:post+read+change configures one."));
    }

    @Test
    void aKeyIsHashedOnceForARequestOnTheEventLoop() throws Exception {
        List<String> read = new ArrayList<>();
        HttpServerRequest request = (HttpServerRequest) Proxy.newProxyInstance(getClass().getClassLoader(),
                new Class<?>[] {HttpServerRequest.class}, (proxy, method, arguments) -> {
                    read.add(method.getName());
                    return switch (method.getName()) {
                        case "headers" -> MultiMap.caseInsensitiveMultiMap().add("Authorization", "Bearer eve's");
                        case "method" -> HttpMethod.POST;
                        default -> null;
                    };
                });
        byte[] hash = keys().hash(request);
        assertThat(keys().require(request, hash)).isEqualTo("eve");
        Message message = new EventLoopMessage(new DefaultExchange(new DefaultCamelContext()), request, "/comments", true, hash);
        read.clear();
        assertThat(keys().require(message)).isEqualTo("eve");
        assertThat(keys().require(message, Scope.IMPORT)).isEqualTo("eve");
        assertThat(read).as("the header is not read again").doesNotContain("headers");
    }

    @Test
    void anImportNeedsAScopeOfItsOwn() throws Exception {
        assertThat(keys().require(request("POST", "eve's"), Scope.IMPORT)).isEqualTo("eve");
        for (String key : new String[] {"ann's", "bob's", "max's"}) {
            assertThat(catchThrowableOfType(InvalidRequestException.class, () -> keys().require(request("POST", key), Scope.IMPORT)))
                    .hasMessage("This API key lacks the scope import.").extracting(InvalidRequestException::status).isEqualTo(403);
        }
        assertThat(catchThrowableOfType(InvalidRequestException.class, () -> new ApiKeys().require(request("POST", null), Scope.IMPORT)))
                .hasMessageContaining("COMMENTS_API_KEYS=name:hash:post+read+import").extracting(InvalidRequestException::status).isEqualTo(403);
    }
}
