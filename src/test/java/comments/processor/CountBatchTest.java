package comments.processor;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import comments.observe.Traces;
import comments.support.TestMetrics;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;

class CountBatchTest {

    private final CountBatch countBatch = new CountBatch();
    private final CommentBatch batch = new CommentBatch(false);

    CountBatchTest() {
        countBatch.setTraces(new Traces());
    }

    private static String comment(Object acceptedAt) {
        return "{\"postId\":\"p\",\"acceptedAt\":\"" + acceptedAt + "\"}";
    }

    private void add(String... comments) {
        batch.add(List.of(), ("[" + String.join(",", comments) + "]").getBytes(UTF_8), comments.length);
    }

    /** How many times the batch adds to a timer. */
    private long counted() {
        long before = TestMetrics.times("comments.committed");
        Exchange exchange = new DefaultExchange(new DefaultCamelContext());
        exchange.setProperty(CommentBatch.PROPERTY, batch);
        countBatch.process(exchange);
        return TestMetrics.times("comments.committed") - before;
    }

    @Test
    void countsTheTimeOfEachMessageOnce() {
        Instant now = Instant.now();
        add(comment(now), comment(now), comment(now));
        add(comment(now));
        batch.whole();
        assertThat(counted()).isEqualTo(2);
    }

    @Test
    void countsNoTimeThatCanNotBe() {
        add(comment("0001-01-01T00:00:00.000Z"));
        add(comment("9999-12-31T23:59:59.999Z"));
        add(comment("today"));
        batch.whole();
        assertThat(counted()).isZero();
    }

    @Test
    void countsTheTimeOfEachMessageOnceAlsoWhenItsCommentsAreTakenApart() {
        Instant now = Instant.now();
        add();
        batch.add(List.of(), "[{".getBytes(UTF_8), 1);
        add(comment(now), comment(now), comment(now));
        add(comment(now));
        add("{}", comment(now));
        batch.whole().parts();
        assertThat(batch.acceptedAt()).containsExactly(now, now, now);
        // the second comment of the first good message, and the only one of the next
        batch.reject(2, new SQLException("bad", "22P02"));
        batch.reject(4, new SQLException("bad", "22P02"));
        assertThat(batch.comments()).isEqualTo(4);
        assertThat(counted()).isEqualTo(2);
    }
}
