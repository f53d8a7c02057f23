package comments.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyBoolean;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mockito.ArgumentCaptor;

/** What is told to one who listens, with an answer that is stood in for. {@code CommentStreamTest} has it on a server. */
class SseClientTest {

    private final SseClients listeners = new SseClients();
    private final HttpServerRequest request = mock(HttpServerRequest.class);
    private final HttpServerResponse response = mock(HttpServerResponse.class);
    private final List<String> written = new ArrayList<>();
    private Future<Void> taken = Future.succeededFuture();
    private SseClient listener;

    @BeforeEach
    void listen() {
        when(request.response()).thenReturn(response);
        when(response.closeHandler(any())).thenReturn(response);
        when(response.setChunked(anyBoolean())).thenReturn(response);
        when(response.streamId()).thenReturn(1);
        when(response.write(any(Buffer.class))).thenAnswer(call -> {
            written.add(call.getArgument(0).toString());
            return taken;
        });
        when(response.end(any(Buffer.class))).thenAnswer(call -> {
            written.add(call.getArgument(0).toString());
            return taken;
        });
        listener = new SseClient(listeners, listeners.new Loop(), request, "p", "", 0);
    }

    @Test
    void whatWasMissedIsToldBeforeWhatCameWhileItWasReadWhicheverWasFirst() throws Exception {
        for (int round = 0; round < 500; round++) {
            written.clear();
            listener = new SseClient(listeners, listeners.new Loop(), request, "p", "", 0);
            CountDownLatch start = new CountDownLatch(1);
            Thread database = new Thread(() -> {
                start.countDown();
                listener.catchUp("missed\n\n", 7);
            });
            database.start();
            start.await();
            listener.send(Buffer.buffer("one"));
            listener.send(Buffer.buffer("two"));
            database.join();
            listener.open(response);
            listener.send(Buffer.buffer("three"));
            assertThat(written).element(0).asString().matches("retry: [1-3][0-9]{3}\n\nmissed\n\nid: 7\n\n");
            assertThat(written.subList(1, written.size())).containsExactly("one", "two", "three");
        }
        assertThat(listeners.waiting()).isZero();
    }

    @Test
    void theFirstIdIsTheHighestThatWasSentOrTheOneThatTheClientResumedWith() {
        assertThat(firstId(null)).isEqualTo("0");
        listeners.advance(9);
        listeners.advance(8);
        assertThat(firstId(null)).isEqualTo("9");
        assertThat(firstId(5L)).isEqualTo("9");
        assertThat(firstId(10L)).isEqualTo("10");
    }

    private String firstId(Long since) {
        written.clear();
        listener = new SseClient(listeners, listeners.new Loop(), request, "p", "", 0);
        if (since != null) {
            listener.catchUp("", since);
        }
        listener.open(response);
        return written.get(0).replaceAll("(?s)retry: [0-9]+\n\nid: ([0-9]+)\n\n", "$1");
    }

    @Test
    void bytesAreCountedUntilTheyAreTaken() {
        Promise<Void> promise = Promise.promise();
        taken = promise.future();
        listener.send(Buffer.buffer("early"));
        assertThat(listeners.waiting()).isEqualTo(5);
        listener.open(response);
        assertThat(listeners.waiting()).isEqualTo(written.stream().mapToInt(String::length).sum());
        promise.fail("closed");
        assertThat(listeners.waiting()).isZero();
    }

    @Test
    void whoDoesNotTakeWhatCameEarlyIsCutOffAndGetsNoMoreOfIt() {
        for (int i = 0; i < 3; i++) {
            listener.send(Buffer.buffer("x".repeat(2_000)));
        }
        taken = Promise.<Void>promise().future();
        listeners.setMaxBytes(3_000);
        listener.open(response);
        verify(response).reset();
        assertThat(written).hasSize(3);
        assertThat(listeners.waiting()).isZero();
    }

    @Test
    void whoIsRefusedAfterAllLeavesNothingBehind() {
        listener.send(Buffer.buffer("early"));
        listener.giveUp();
        assertThat(listeners.waiting()).isZero();
        listener.send(Buffer.buffer("more"));
        assertThat(listeners.waiting()).isZero();
        assertThat(written).isEmpty();
    }

    @Test
    void whoHasTooMuchWaitingForHimBeforeHisAnswerIsOpenGetsALastEventAlone() {
        Buffer events = Buffer.buffer("x".repeat(400_000));
        for (int i = 0; i < 10; i++) {
            listener.send(events);
        }
        assertThat(listeners.waiting()).as("it is forgotten").isZero();
        listener.open(response);
        assertThat(written).containsExactly("event: end\ndata: {\"reason\":\"slow\"}\n\n");
    }

    @Test
    void nobodyIsAddedOnceTheProcessIsAboutToEnd() {
        listeners.shut();
        assertThatThrownBy(() -> listeners.add(request, "p")).isInstanceOf(RejectedExecutionException.class);
        assertThat(listeners.count()).isZero();
    }

    @Test
    void aStreamOfHttp2IsResetAndItsConnectionStays() {
        taken = Promise.<Void>promise().future();
        listeners.setMaxBytes(1_000);
        listener.open(response);
        listener.send(Buffer.buffer("x".repeat(2_000)));
        verify(response).reset();
        assertThat(listeners.waiting()).isZero();
        listener.send(Buffer.buffer("more"));
        assertThat(written).hasSize(2);
    }

    @Test
    void aLastEventThatIsNotTakenIsDroppedLater() {
        SseClients.Loop loop = mock(SseClients.Loop.class);
        listener = new SseClient(listeners, loop, request, "p", "", 0);
        listener.open(response);
        taken = Promise.<Void>promise().future();
        listener.end("stopping");
        assertThat(listeners.waiting()).isPositive();
        ArgumentCaptor<Runnable> later = ArgumentCaptor.forClass(Runnable.class);
        verify(loop).later(later.capture());
        later.getValue().run();
        verify(response).reset();
        assertThat(listeners.waiting()).isZero();
    }
}
