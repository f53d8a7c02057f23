package comments.postgresql;

import comments.http.HttpEngine;
import io.vertx.core.Context;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.Tuple;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.AbstractMap;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.camel.AsyncCallback;
import org.apache.camel.Consumer;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.Producer;
import org.apache.camel.component.jdbc.JdbcConstants;
import org.apache.camel.support.DefaultAsyncProducer;
import org.apache.camel.support.DefaultComponent;
import org.apache.camel.support.DefaultEndpoint;
import org.apache.camel.support.ResourceHelper;
import org.apache.camel.support.SynchronousDelegateProducer;

/**
 * Reads from PostgreSQL without a thread that waits: {@code reactive-sql:classpath:sql/select-comment.sql} executes the statement of a
 * file. As with camel-jdbc, {@code :?name} in the statement is a parameter, the header {@code CamelJdbcParameters} has the values, and the
 * body becomes a list of rows, each a map by the names of the columns.
 *
 * <p>A request on an event loop of the HTTP server stays on it, and has its connections: see {@link ReadConnections}. Any thread may call
 * the producer. The route continues on an event loop, or with {@code synchronous=true} on a thread that waited.
 */
public class ReactiveSqlComponent extends DefaultComponent {

    private static final Pattern PARAMETER = Pattern.compile(":\\?(\\w+)");

    // by event loop
    private final Map<Thread, ReadConnections> connections = new ConcurrentHashMap<>();
    private HttpEngine engine;
    private String jdbcUrl;
    private String username;
    private String password;
    private SchemaMigration schema;
    private int maxConnections = 8;
    private int retentionDays;
    private ReadConnections.Shared shared;
    // of callers that are on none
    private volatile Context loop;

    /** The HTTP server, whose event loops are used. */
    public void setEngine(HttpEngine engine) {
        this.engine = engine;
    }

    /** Where the database is: see {@link PostgresUrl}. */
    public void setJdbcUrl(String jdbcUrl) {
        this.jdbcUrl = jdbcUrl;
    }

    /** The role that reads. */
    public void setUsername(String username) {
        this.username = username;
    }

    /** Its password. */
    public void setPassword(String password) {
        this.password = password;
    }

    /** What must be there before a connection is of use. By default nothing. */
    public void setMigration(SchemaMigration schema) {
        this.schema = schema;
    }

    /** The largest number of connections; an event loop that reads has one at least. 8 by default. */
    public void setMaxConnections(int maxConnections) {
        this.maxConnections = maxConnections;
    }

    /** How long rows are kept, in days, which the sessions have as {@code comments.retention_days}. 0, the default: for ever. */
    public void setRetentionDays(int retentionDays) {
        this.retentionDays = retentionDays;
    }

    @Override
    protected Endpoint createEndpoint(String uri, String resource, Map<String, Object> parameters) {
        return new StatementEndpoint(uri, resource, getAndRemoveParameter(parameters, "synchronous", boolean.class, false));
    }

    @Override
    protected void doStart() throws Exception {
        super.doStart();
        // that of the HTTP server, which the same thread starts
        loop = engine.vertx().getOrCreateContext();
        shared = new ReadConnections.Shared(new PostgresUrl(UnpooledDataSource.strip(jdbcUrl)), UnpooledDataSource.strip(username),
                UnpooledDataSource.strip(password), schema, Math.max(1, maxConnections / engine.eventLoops()), retentionDays);
        loop.runOnContext(task -> connections().connectIfAllowed());
    }

    /**
     * Why the database can't be read now, or null. Waits for an answer, so an event loop must not call it.
     *
     * @param millis how long to wait
     */
    public String problem(long millis) {
        CompletableFuture<String> problem = new CompletableFuture<>();
        onLoop(() -> connections().execute("SELECT 1", Tuple.tuple(),
                (rows, failure) -> problem.complete(failure == null ? null : "The database is not reachable.")));
        try {
            return problem.completeOnTimeout("The database does not answer.", millis, TimeUnit.MILLISECONDS).get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "The database was not asked.";
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Whether the server that is read from is a replica. Any thread may call it. */
    public boolean isReplica() {
        return shared != null && shared.isReplica();
    }

    /** How many statements are not answered. */
    public int unanswered() {
        return connections.values().stream().mapToInt(ReadConnections::unanswered).sum();
    }

    private void onLoop(Runnable action) {
        if (HttpEngine.isEventLoop()) {
            action.run();
        } else {
            loop.runOnContext(task -> action.run());
        }
    }

    // called on an event loop
    private ReadConnections connections() {
        return connections.computeIfAbsent(Thread.currentThread(), thread -> new ReadConnections(engine.vertx(), shared));
    }

    private final class StatementEndpoint extends DefaultEndpoint {

        private final String resource;
        private final boolean synchronous;

        StatementEndpoint(String uri, String resource, boolean synchronous) {
            super(uri, ReactiveSqlComponent.this);
            this.resource = resource;
            this.synchronous = synchronous;
        }

        @Override
        public Producer createProducer() throws IOException {
            try (InputStream file = ResourceHelper.resolveMandatoryResourceAsInputStream(getCamelContext(), resource)) {
                Producer producer = new StatementProducer(this, new String(file.readAllBytes(), StandardCharsets.UTF_8));
                return synchronous ? new SynchronousDelegateProducer(producer) : producer;
            }
        }

        @Override
        public Consumer createConsumer(Processor processor) {
            throw new UnsupportedOperationException("reactive-sql only executes statements");
        }
    }

    private final class StatementProducer extends DefaultAsyncProducer {

        private final List<String> names;
        private final String sql;

        StatementProducer(Endpoint endpoint, String statement) {
            super(endpoint);
            names = PARAMETER.matcher(statement).results().map(name -> name.group(1)).distinct().toList();
            sql = PARAMETER.matcher(statement)
                    .replaceAll(name -> Matcher.quoteReplacement("$" + (names.indexOf(name.group(1)) + 1)));
        }

        @Override
        public boolean process(Exchange exchange, AsyncCallback callback) {
            Map<?, ?> values = exchange.getMessage().getHeader(JdbcConstants.JDBC_PARAMETERS, Map.class);
            Object[] parameters = new Object[names.size()];
            for (int i = 0; i < parameters.length; i++) {
                parameters[i] = values.get(names.get(i));
            }
            onLoop(() -> connections().execute(sql, Tuple.wrap(parameters), (rows, failure) -> {
                if (failure == null) {
                    exchange.getMessage().setBody(list(rows));
                } else {
                    exchange.setException(failure);
                }
                callback.done(false);
            }));
            return false;
        }
    }

    private static List<Map<String, Object>> list(RowSet<Row> rows) {
        // a row looks up names one by one
        Map<String, Integer> columns = new HashMap<>();
        for (String name : rows.columnsNames()) {
            columns.put(name, columns.size());
        }
        List<Map<String, Object>> list = new ArrayList<>(rows.size());
        for (Row row : rows) {
            list.add(new RowMap(columns, row));
        }
        return list;
    }

    /** A row, by the names of its columns. */
    private static final class RowMap extends AbstractMap<String, Object> {

        private final Map<String, Integer> columns;
        private final Row row;

        RowMap(Map<String, Integer> columns, Row row) {
            this.columns = columns;
            this.row = row;
        }

        @Override
        public Object get(Object name) {
            Integer column = columns.get(name);
            return column == null ? null : row.getValue(column);
        }

        @Override
        public Set<Entry<String, Object>> entrySet() {
            return columns.entrySet().stream().map(column -> new SimpleImmutableEntry<>(column.getKey(), row.getValue(column.getValue())))
                    .collect(Collectors.toSet());
        }
    }
}
