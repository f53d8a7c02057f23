package comments.postgresql;

import comments.postgresql.PostgresUrl.Candidate;
import io.vertx.core.AsyncResult;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.pgclient.PgConnection;
import io.vertx.pgclient.PgException;
import io.vertx.sqlclient.PreparedQuery;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.Tuple;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.SQLTransientConnectionException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.stream.Stream;

/**
 * The connections of one event loop that read from PostgreSQL. Statements are prepared once for each connection, and sent
 * without waiting for the answers to former ones. The sessions can't write, the database ends a statement that takes too long,
 * and its planner uses the indexes, in their order, as the statements are meant. A statement that a replica ends, because it hinders the
 * replay, is sent once more.
 *
 * <p>Behind a pooler such as PgBouncer, another session may run each transaction. There each statement has a transaction of its own,
 * which begins with the settings, and a connection has one at a time.
 *
 * <p>After five minutes, another connection takes the place of one, so that reads go back to a replica that was away. Statements go on
 * meanwhile.
 *
 * <p>A statement waits half a second at most for a connection. After a failure to connect, statements are refused at once for a
 * second. Only its event loop calls it.
 */
final class ReadConnections {

    /** What all event loops share. */
    static final class Shared {

        private final PostgresUrl url;
        private final String user;
        private final String password;
        private final SchemaMigration schema;
        // of each event loop
        private final int most;
        private final String session;
        private final String begin;
        // what the last connection was
        private volatile boolean pooled;
        private volatile boolean replica;
        private int standbys;
        // whether the first attempt to connect is over
        private volatile boolean attempted;

        Shared(PostgresUrl url, String user, String password, SchemaMigration schema, int most, int retentionDays) {
            this.url = url;
            this.user = user;
            this.password = password;
            this.schema = schema;
            this.most = most;
            String retention = "comments.retention_days = " + retentionDays;
            session = SESSION + "; SET " + retention;
            begin = BEGIN + "; SET LOCAL " + retention;
        }

        /** Whether any connection is to a server that replays what another commits; without connections, whether the last was. */
        boolean isReplica() {
            return replica;
        }

        private synchronized void joined(boolean standby) {
            standbys += standby ? 1 : 0;
            replica = standbys > 0;
        }

        // those that are left may be slow to answer: nothing is known before the next one joins
        private synchronized void left(boolean standby) {
            standbys -= standby ? 1 : 0;
        }
    }

    private static final int STATEMENT_MILLIS = 2_000;
    // Each query has one good plan, by its index and in its order. By default, the planner would plan each query again where posts
    // have many comments, and may sort all of these where its statistics are old.
    private static final List<String> SETTINGS = List.of("statement_timeout = " + STATEMENT_MILLIS,
            "plan_cache_mode = force_generic_plan", "enable_seqscan = off", "enable_bitmapscan = off", "enable_sort = off", "jit = off");
    private static final String SESSION = "SET default_transaction_read_only = on; SET " + String.join("; SET ", SETTINGS);
    private static final String BEGIN = "BEGIN READ ONLY; SET LOCAL " + String.join("; SET LOCAL ", SETTINGS);
    // also ends a transaction that failed
    private static final String END = "COMMIT";
    private static final String SERVER = "SELECT pg_backend_pid(), current_setting('server_encoding'), pg_is_in_recovery()";
    // serialization_failure: a conflict with recovery, since these transactions have one statement
    private static final String CONFLICT = "40001";
    private static final int CONNECT_MILLIS = 2_000;
    // with TLS and the password
    private static final int LOGIN_MILLIS = 5_000;
    private static final int SCHEMA_MILLIS = 5_000;
    private static final int IDLE_SECONDS = 60;
    private static final int SWEEP_MILLIS = 100;
    private static final long WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    private static final long FIRST_WAIT_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long RENEWAL_NANOS = TimeUnit.MINUTES.toNanos(5);
    // statements on their way on a connection, at which another one is used, or made
    private static final int BUSY = 32;
    private static final int PIPELINED = 256;

    private final Vertx vertx;
    private final Shared shared;
    private final long silentNanos;
    private final long renewalNanos;
    // in the order in which they were made
    private final List<Session> sessions = new ArrayList<>();
    // get no more statements, and are closed when the last one is answered
    private final List<Session> retired = new ArrayList<>();
    private final Deque<Read> waiting = new ArrayDeque<>();
    // gets the statements of this iteration of the event loop, or null if there was none yet
    private Session current;
    private boolean connecting;
    private long connectingSince;
    private long failedSince = System.nanoTime() - PAUSE_NANOS;
    private long awaySince = failedSince;
    private long answered = System.nanoTime();
    private long renewed = answered;
    // why there is no connection, if no statement was answered so
    private SQLException untold;

    /** A statement that is not answered. */
    private static final class Read {

        private final String sql;
        private final Tuple parameters;
        private final long began = System.nanoTime();
        private BiConsumer<RowSet<Row>, SQLException> answer;
        private boolean again;

        Read(String sql, Tuple parameters, BiConsumer<RowSet<Row>, SQLException> answer) {
            this.sql = sql;
            this.parameters = parameters;
            this.answer = answer;
        }

        void answer(RowSet<Row> rows, SQLException failure) {
            BiConsumer<RowSet<Row>, SQLException> first = answer;
            // later answers are of no use
            answer = null;
            if (first != null) {
                first.accept(rows, failure);
            }
        }
    }

    ReadConnections(Vertx vertx, Shared shared) {
        this(vertx, shared, RENEWAL_NANOS);
    }

    ReadConnections(Vertx vertx, Shared shared, long renewalNanos) {
        this.vertx = vertx;
        this.shared = shared;
        this.renewalNanos = renewalNanos;
        silentNanos = TimeUnit.MILLISECONDS.toNanos(shared.url.silentMillis(2 * STATEMENT_MILLIS));
        vertx.setPeriodic(SWEEP_MILLIS, sweep -> sweep());
    }

    /**
     * Executes a statement.
     *
     * @param answer gets the rows or the failure
     */
    void execute(String sql, Tuple parameters, BiConsumer<RowSet<Row>, SQLException> answer) {
        execute(new Read(sql, parameters, answer));
    }

    private void execute(Read read) {
        Session session = free();
        if (session != null) {
            session.send(read);
            if (session.unanswered.size() > BUSY) {
                connectIfAllowed();
            }
            return;
        }
        long now = System.nanoTime();
        if (now - awaySince < PAUSE_NANOS || sessions.isEmpty() && connecting && now - connectingSince > waitNanos()) {
            SQLException failure = untold == null ? new ReadsPausedException() : untold;
            untold = null;
            read.answer(null, failure);
            return;
        }
        waiting.add(read);
        connectIfAllowed();
    }

    // The statements of one iteration of the event loop go to one connection, up to a number: this is one write, and wakes one server
    // process. The next iteration takes the connection with the fewest statements.
    private Session free() {
        if (current != null && !current.slow && current.unanswered.size() < Math.min(BUSY, current.most)) {
            return current;
        }
        Session best = null;
        for (Session session : sessions) {
            if (!session.slow && session.unanswered.size() < session.most
                    && (best == null || session.unanswered.size() < best.unanswered.size())) {
                best = session;
            }
        }
        if (current == null && best != null) {
            vertx.runOnContext(next -> current = null);
        }
        current = best;
        return best;
    }

    private void sendWaiting() {
        for (Session session = waiting.isEmpty() ? null : free(); session != null; session = waiting.isEmpty() ? null : free()) {
            session.send(waiting.poll());
        }
    }

    /** Makes a connection, unless there are enough, or it failed just now. */
    void connectIfAllowed() {
        if (sessions.size() < shared.most) {
            connect();
        }
    }

    private void connect() {
        if (!connecting && System.nanoTime() - failedSince >= PAUSE_NANOS) {
            connecting = true;
            connectingSince = System.nanoTime();
            awaitSchema().compose(made -> open(shared.url.candidates(shared.user, shared.password).iterator(), false, null))
                    .onComplete(this::connected);
        }
    }

    // the first connection of a process takes longer
    private long waitNanos() {
        return shared.attempted ? WAIT_NANOS : FIRST_WAIT_NANOS;
    }

    private Future<Void> awaitSchema() {
        if (shared.schema == null || shared.schema.isMade()) {
            return Future.succeededFuture();
        }
        return vertx.executeBlocking(() -> {
            shared.schema.await(SCHEMA_MILLIS);
            return null;
        });
    }

    private void connected(AsyncResult<Session> result) {
        connecting = false;
        shared.attempted = true;
        if (result.succeeded()) {
            join(result.result());
            sendWaiting();
            return;
        }
        failedSince = System.nanoTime();
        if (sessions.isEmpty()) {
            awaySince = failedSince;
            SQLException failure = failure(result.cause());
            untold = waiting.isEmpty() ? failure : null;
            for (Read read = waiting.poll(); read != null; read = waiting.poll()) {
                read.answer(null, failure);
            }
        }
    }

    // All are to servers of the preferred kind, or all to others: what the stream reads must be what a replica was asked for before.
    private void join(Session session) {
        if (session.isFallback && sessions.stream().anyMatch(other -> !other.isFallback && !other.slow)) {
            failedSince = System.nanoTime();
            session.connection.close();
            return;
        }
        sessions.add(session);
        shared.joined(session.standby);
        boolean old = sessions.get(0).isOld(System.nanoTime());
        List<Session> replaced = sessions.stream().filter(other -> other.isFallback != session.isFallback).toList();
        replaced.forEach(Session::retire);
        if (old && replaced.isEmpty()) {
            sessions.get(0).retire();
        }
    }

    private Future<Session> open(Iterator<Candidate> candidates, boolean isFallback, Throwable last) {
        if (!candidates.hasNext()) {
            return Future.failedFuture(last);
        }
        Candidate candidate = candidates.next();
        return open(candidate, isFallback && candidate.standby() == null, shared.pooled)
                .recover(failure -> open(candidates, isFallback || candidate.standby() != null, failure));
    }

    private Future<Session> open(Candidate candidate, boolean isFallback, boolean pooled) {
        boolean prepares = !pooled || shared.url.preparesBehindPoolers();
        PgConnectOptions options = new PgConnectOptions(candidate.server())
                .setCachePreparedStatements(prepares)
                .setPipeliningLimit(pooled ? 1 : PIPELINED)
                .setUseLayer7Proxy(!prepares);
        options.getProperties().remove("extra_float_digits");
        // also ends connections that were given up before they were made
        options.setIdleTimeout(IDLE_SECONDS).setTcpKeepAlive(true).setConnectTimeout(shared.url.connectMillis(CONNECT_MILLIS));
        Promise<Session> opened = Promise.promise();
        long limit = vertx.setTimer(LOGIN_MILLIS, late -> opened.tryFail(new SQLTransientConnectionException(
                "%s:%d does not answer".formatted(options.getHost(), options.getPort()))));
        PgConnection.connect(vertx, options).onFailure(opened::tryFail).onSuccess(connection -> {
            // else it is printed
            connection.exceptionHandler(failure -> { });
            PgClientInternals.consolidateWrites(connection);
            check(connection, candidate, pooled).onComplete(checked -> {
                if (checked.failed()) {
                    connection.close();
                    opened.tryFail(checked.cause());
                } else if (checked.result().pooled != pooled) {
                    connection.close();
                    shared.pooled = checked.result().pooled;
                    open(candidate, isFallback, checked.result().pooled).onComplete(other -> {
                        if (other.failed()) {
                            opened.tryFail(other.cause());
                        } else if (!opened.tryComplete(other.result())) {
                            other.result().close();
                        }
                    });
                } else {
                    Session session = new Session(connection, pooled, checked.result().standby, isFallback);
                    if (!opened.tryComplete(session)) {
                        session.close();
                    }
                }
            });
        });
        return opened.future().onComplete(done -> vertx.cancelTimer(limit));
    }

    /**
     * What a connection leads to.
     *
     * @param pooled whether it goes through a pooler: that answers the connect itself, with the id of no server process
     */
    private record Server(boolean pooled, boolean standby) {
    }

    private Future<Server> check(PgConnection connection, Candidate candidate, boolean pooled) {
        return connection.query(SERVER).execute().compose(rows -> {
            Row server = rows.iterator().next();
            boolean found = server.getInteger(0) != connection.processId();
            try {
                UnpooledDataSource.requireEncoding(server.getString(1));
            } catch (SQLException e) {
                return Future.failedFuture(e);
            }
            if (candidate.standby() != null && candidate.standby() != server.getBoolean(2)) {
                return Future.failedFuture(new SQLTransientConnectionException("%s:%d is no %s".formatted(candidate.server().getHost(),
                        candidate.server().getPort(), candidate.standby() ? "standby" : "primary")));
            }
            Server checked = new Server(found, server.getBoolean(2));
            return found || pooled ? Future.succeededFuture(checked) : connection.query(shared.session).execute().map(checked);
        });
    }

    private static SQLException failure(Throwable cause) {
        if (cause instanceof SQLException sql) {
            return sql;
        }
        if (cause instanceof PgException answer) {
            return new SQLException(answer.getErrorMessage(), answer.getSqlState(), cause);
        }
        // without the cause: Vert.x throws plain Exceptions, and Camel prefers an onException that has exactly the class of a cause
        return new SQLTransientConnectionException("The connection to the database failed: " + cause.getMessage());
    }

    private void sweep() {
        long now = System.nanoTime();
        List.copyOf(sessions).forEach(session -> session.sweep(now));
        List.copyOf(retired).forEach(session -> session.sweep(now));
        // one after the other, and not again and again if there is none to be had
        if (!sessions.isEmpty() && sessions.get(0).isOld(now) && now - renewed > renewalNanos / 5) {
            renewed = now;
            connect();
        }
        while (!waiting.isEmpty() && now - waiting.peek().began > waitNanos()) {
            if (now - answered > WAIT_NANOS) {
                awaySince = now;
            }
            waiting.poll().answer(null, new SQLTransientConnectionException("No connection to the database is free"));
        }
        sendWaiting();
    }

    /** How many statements are not answered. */
    int unanswered() {
        return waiting.size() + Stream.concat(sessions.stream(), retired.stream()).mapToInt(session -> session.unanswered.size()).sum();
    }

    /** An open connection. */
    private final class Session {

        private final PgConnection connection;
        private final boolean pooled;
        private final boolean standby;
        // a server of another kind than the URL prefers
        private final boolean isFallback;
        private final int most;
        private final Map<String, PreparedQuery<RowSet<Row>>> queries = new HashMap<>();
        // in the order in which the server answers
        private final Deque<Read> unanswered = new ArrayDeque<>();
        private final long made = System.nanoTime();
        // since when the first of them is the first
        private long since;
        private boolean slow;

        Session(PgConnection connection, boolean pooled, boolean standby, boolean isFallback) {
            this.connection = connection;
            this.pooled = pooled;
            this.standby = standby;
            this.isFallback = isFallback;
            most = pooled ? 1 : PIPELINED;
            connection.closeHandler(end -> {
                leave();
                // Vert.x holds each connection that was not closed here, also if the server did it
                connection.close();
            });
        }

        void send(Read read) {
            if (unanswered.isEmpty()) {
                since = System.nanoTime();
            }
            unanswered.add(read);
            PreparedQuery<RowSet<Row>> query = queries.computeIfAbsent(read.sql, connection::preparedQuery);
            Future<RowSet<Row>> rows = !pooled ? query.execute(read.parameters)
                    : connection.query(shared.begin).execute().compose(begun -> query.execute(read.parameters))
                            .eventually(() -> connection.query(END).execute());
            rows.onComplete(result -> answered(read, result));
        }

        private void answered(Read read, AsyncResult<RowSet<Row>> result) {
            unanswered.remove(read);
            slow = false;
            closeIfRetired();
            if (result.succeeded()) {
                answered = System.nanoTime();
                since = answered;
                read.answer(result.result(), null);
                sendWaiting();
                return;
            }
            since = System.nanoTime();
            boolean closed = !(result.cause() instanceof PgException);
            if (closed) {
                leave();
                connection.close();
            }
            // the server may have closed it before the statement came, or a replica may have replayed what the statement hindered
            if ((closed || CONFLICT.equals(((PgException) result.cause()).getSqlState())) && !read.again && read.answer != null) {
                read.again = true;
                execute(read);
                return;
            }
            read.answer(null, failure(result.cause()));
            sendWaiting();
        }

        void sweep(long now) {
            if (unanswered.isEmpty()) {
                return;
            }
            slow = now - since > WAIT_NANOS;
            if (now - since > silentNanos) {
                close();
                return;
            }
            for (Read read : unanswered) {
                if (now - read.began <= silentNanos) {
                    break;
                }
                read.answer(null, new SQLTimeoutException("The database did not answer in time"));
            }
        }

        boolean isOld(long now) {
            return now - made > renewalNanos;
        }

        void retire() {
            leave();
            retired.add(this);
            closeIfRetired();
        }

        private void closeIfRetired() {
            if (unanswered.isEmpty() && retired.remove(this)) {
                connection.close();
            }
        }

        private void leave() {
            if (current == this) {
                current = null;
            }
            if (sessions.remove(this)) {
                shared.left(standby);
            }
            retired.remove(this);
        }

        // what is unanswered fails
        void close() {
            leave();
            connection.close();
            for (Read read = unanswered.poll(); read != null; read = unanswered.poll()) {
                read.answer(null, new SQLTimeoutException("The database did not answer in time"));
            }
        }
    }
}
