package comments.observe;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;
import org.springframework.amqp.AmqpTimeoutException;

class RedeliveryMonitorTest {

    private final Logger logger = (Logger) LoggerFactory.getLogger(RedeliveryMonitor.class);
    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private final RedeliveryMonitor retrying = new RedeliveryMonitor();
    private final Exchange batch = new DefaultExchange(new DefaultCamelContext());

    @BeforeEach
    void listen() {
        batch.getExchangeExtension().setFromRouteId("comment-job-processor");
        log.start();
        logger.addAppender(log);
        logger.setLevel(Level.WARN);
        logger.setAdditive(false);
    }

    @AfterEach
    void stopListening() {
        logger.detachAppender(log);
        logger.setLevel(null);
        logger.setAdditive(true);
    }

    private List<String> warnings() {
        return log.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
    }

    private void fail(Exception failure) {
        batch.setProperty(Exchange.EXCEPTION_CAUGHT, failure);
        retrying.process(batch);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "08001 | Is PostgreSQL up at POSTGRES_URL?",
        "57P01 | Is PostgreSQL up at POSTGRES_URL?",
        "53100 | The disk of PostgreSQL is full: free space on it",
        "25006 | PostgreSQL is read-only: is POSTGRES_URL that of a standby?",
        "40P01 | See the log of PostgreSQL"})
    void aWarningSaysWhatToLookAtAndNothingOfTheData(String state, String advice) {
        fail(new IllegalStateException(new SQLException("Detail: (id)=(secret)", state)));
        assertThat(warnings()).containsExactly("Attempt 1 failed in comment-job-processor, another one follows: SQLSTATE %s. %s".formatted(state, advice));
    }

    @Test
    void whatHasNoStateIsNamedByItsKind() {
        fail(new SQLTransientConnectionException("comments - Connection is not available"));
        fail(new AmqpTimeoutException("no confirm"));
        assertThat(warnings()).containsExactly(
                "Attempt 1 failed in comment-job-processor, another one follows: SQLTransientConnectionException. Is PostgreSQL up at POSTGRES_URL?",
                "Attempt 2 failed in comment-job-processor, another one follows: AmqpTimeoutException. "
                        + "Is RabbitMQ up at RABBITMQ_URI, and does the queue accept messages?");
    }

    @Test
    void warningsGetRarer() {
        for (int i = 0; i < 100; i++) {
            fail(new SQLException("gone", "08006"));
        }
        assertThat(warnings()).hasSize(7).last().asString().startsWith("Attempt 64 failed");
    }
}
