package comments.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.never;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Route;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.model.rest.RestBindingDefinition;
import org.apache.camel.reifier.rest.RestBindingReifier;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class EventLoopMessageTest {

    private final DefaultCamelContext camel = new DefaultCamelContext();
    private final HttpServerRequest request = mock();
    private final Exchange exchange = new DefaultExchange(camel);
    private final Message message = new EventLoopMessage(exchange, request, "/comments", true, null);

    @BeforeEach
    void receive() {
        camel.start();
        when(request.method()).thenReturn(HttpMethod.POST);
        when(request.headers()).thenReturn(MultiMap.caseInsensitiveMultiMap().add("Content-Type", "application/json").add("X-Other", "other"));
        when(request.getHeader("Content-Type")).thenReturn("application/json");
        exchange.setMessage(message);
    }

    @AfterEach
    void stop() {
        camel.stop();
    }

    @Test
    void whatTheRestDslReadsOfEachRequestCopiesNoHeaders() throws Exception {
        Route route = mock();
        when(route.getCamelContext()).thenReturn(camel);
        new RestBindingReifier(route, new RestBindingDefinition()).createRestBindingAdvice().before(exchange);
        verify(request, never()).headers();
        verify(request).getHeader("Content-Type");
    }

    @Test
    void theFirstOtherHeaderCopiesAll() {
        assertThat(message.getHeader("X-Other", String.class)).isEqualTo("other");
        assertThat(message.getHeaders()).containsEntry("X-Other", "other").containsEntry(Exchange.HTTP_PATH, "/comments");
        assertThat(message.getHeader("Accept", "any", String.class)).isEqualTo("any");
    }
}
