package comments.processor;

import static org.mockito.Mockito.mock;

import com.rabbitmq.client.Channel;
import comments.postgresql.PostgresDataSource;
import comments.support.TestServers;
import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.apache.camel.BeanInject;
import org.apache.camel.EndpointInject;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.builder.AdviceWithRouteBuilder;
import org.apache.camel.component.springrabbit.SpringRabbitMQConstants;
import org.apache.camel.main.MainConfigurationProperties;
import org.apache.camel.test.main.junit5.Configure;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;

/** The route file of comment-job-processor as it ships, with a database whose tables are empty before each test. */
abstract class ProcessorDatabaseTest {

    static class Queues extends AdviceWithRouteBuilder {
        @Override
        public void configure() {
            replaceFromWith("direct:comments");
            weaveById("to-notifications").replace().to("mock:notifications");
        }
    }

    @EndpointInject("direct:comments")
    ProducerTemplate comments;

    @BeanInject("comments")
    PostgresDataSource source;

    final Channel channel = mock(Channel.class);
    // of the last message
    long tag;
    private Connection database;

    @BeforeAll
    static void nameTheDatabase() throws IOException, SQLException {
        System.setProperty("POSTGRES_URL", TestServers.newDatabase());
    }

    @AfterAll
    static void forgetTheDatabase() {
        System.clearProperty("POSTGRES_URL");
    }

    @Configure
    void routes(MainConfigurationProperties configuration) {
        configuration.withRoutesIncludePattern(
                "classpath:connections.camel.yaml,classpath:errors.camel.yaml,classpath:comment-job-processor.camel.yaml");
    }

    @BeforeEach
    void emptyTheDatabase() throws SQLException {
        // this also makes the schema
        database = source.getConnection();
        execute("TRUNCATE comments, comment_quarantine");
    }

    @AfterEach
    void close() throws SQLException {
        database.close();
    }

    final void receive(byte[] body, int count) {
        tag++;
        comments.send(exchange -> {
            exchange.setProperty(SpringRabbitMQConstants.CHANNEL, channel);
            exchange.getMessage().setHeader(SpringRabbitMQConstants.DELIVERY_TAG, tag);
            exchange.getMessage().setHeader("commentCount", count);
            exchange.getMessage().setBody(body);
        });
    }

    final void execute(String sql) throws SQLException {
        try (Statement statement = database.createStatement()) {
            statement.execute(sql);
        }
    }

    final String text(String sql) throws SQLException {
        try (Statement statement = database.createStatement(); ResultSet result = statement.executeQuery(sql)) {
            result.next();
            return result.getString(1);
        }
    }

    final long number(String sql) throws SQLException {
        return Long.parseLong(text(sql));
    }
}
