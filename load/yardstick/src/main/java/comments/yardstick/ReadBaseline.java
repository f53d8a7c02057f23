package comments.yardstick;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.pgclient.PgBuilder;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.sqlclient.PoolOptions;
import io.vertx.sqlclient.PreparedQuery;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.SqlClient;
import io.vertx.sqlclient.Tuple;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import java.util.UUID;

/**
 * The hand-written baseline of the read path, for {@code load/compare}: HTTP on one event loop of Vert.x; prepared statements, pipelined on one
 * connection per core; JSON by hand, with the pipeline's fields, from the pipeline's table.
 *
 * <p>{@code GET /comments/{id}} answers with one comment, {@code GET /comments?postId=…&limit=…} with the newest of a post.
 * It leaves out the rest: validation, the next page, ETags, limits, retries, metrics.
 */
public final class ReadBaseline {

    private static final String COLUMNS = "SELECT id, post_id, user_id, user_name, content, parent_id, accepted_at,"
            + " created_at FROM comments";
    // by the index comments_by_time_and_post
    private static final String OF_POST = "SELECT found.* FROM comment_periods AS period CROSS JOIN LATERAL (" + COLUMNS
            + " WHERE date_bin('28 days', accepted_at, '2000-01-03Z') = period.start AND post_id COLLATE \"C\" = $1"
            + " ORDER BY accepted_at DESC, id DESC LIMIT $2) AS found LIMIT $2";
    private static final String DEFAULT_LIMIT = "50";
    private static final String PATH = "/comments";
    private static final int PIPELINED = 256;
    // the same plan as the pipeline's connections: it reads a page in the order of the index, and is made once
    private static final Map<String, String> PLAN = Map.of("plan_cache_mode", "force_generic_plan",
            "enable_seqscan", "off", "enable_bitmapscan", "off", "enable_sort", "off");
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'");

    private final PreparedQuery<RowSet<Row>> comment;
    private final PreparedQuery<RowSet<Row>> page;

    private ReadBaseline(SqlClient database) {
        comment = database.preparedQuery(COLUMNS + " WHERE id = $1");
        page = database.preparedQuery(OF_POST);
    }

    public static void main(String[] args) {
        HttpServerOptions http = Settings.http();
        String postgres = Settings.postgres("Read baseline");
        Vertx vertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true));
        PgConnectOptions options = PgConnectOptions.fromUri(Settings.POSTGRES_URL.replaceFirst("^jdbc:", ""))
                .setUser(Settings.POSTGRES_USER).setPassword(Settings.POSTGRES_PASSWORD)
                .setPipeliningLimit(PIPELINED).setCachePreparedStatements(true);
        PLAN.forEach(options::addProperty);
        PoolOptions pool = new PoolOptions().setMaxSize(Runtime.getRuntime().availableProcessors());
        Context eventLoop = vertx.getOrCreateContext();
        eventLoop.runOnContext(start -> {
            SqlClient database = PgBuilder.client().with(pool).connectingTo(options).using(vertx).build();
            database.query(COLUMNS + " LIMIT 0").execute()
                    .onFailure(e -> Settings.fail(postgres, e))
                    .compose(found -> vertx.createHttpServer(http)
                            .requestHandler(new ReadBaseline(database)::answer).listen())
                    .onFailure(e -> Settings.fail("Read baseline: HTTP_PORT=" + http.getPort(), e))
                    .onSuccess(server -> System.out.println("Read baseline: listens on port " + server.actualPort()));
        });
    }

    private void answer(HttpServerRequest request) {
        String post = request.getParam("postId");
        if (post == null) {
            UUID id = UUID.fromString(request.path().substring(PATH.length() + 1));
            comment.execute(Tuple.of(id)).onFailure(e -> fail(request, e)).onSuccess(rows -> {
                if (rows.size() == 0) {
                    request.response().setStatusCode(404).end();
                } else {
                    StringBuilder json = new StringBuilder(1 << 10);
                    append(rows.iterator().next(), json);
                    end(request, json);
                }
            });
        } else {
            int limit = Integer.parseInt(request.getParam("limit", DEFAULT_LIMIT));
            page.execute(Tuple.of(post, limit)).onFailure(e -> fail(request, e)).onSuccess(rows -> {
                StringBuilder json = new StringBuilder(1 << 14).append('[');
                for (Row row : rows) {
                    if (json.length() > 1) {
                        json.append(',');
                    }
                    append(row, json);
                }
                end(request, json.append(']'));
            });
        }
    }

    private static void end(HttpServerRequest request, StringBuilder json) {
        request.response().putHeader("Content-Type", "application/json").end(json.toString());
    }

    private static void fail(HttpServerRequest request, Throwable cause) {
        System.err.println("Read baseline: " + cause.getMessage());
        request.response().setStatusCode(503).end();
    }

    private static void append(Row row, StringBuilder json) {
        json.append("{\"id\":\"").append(row.getUUID(0)).append("\",\"postId\":\"");
        appendEscaped(row.getString(1), json);
        json.append("\",\"userId\":\"");
        appendEscaped(row.getString(2), json);
        json.append("\",\"userName\":\"");
        appendEscaped(row.getString(3), json);
        json.append("\",\"content\":\"");
        appendEscaped(row.getString(4), json);
        UUID parent = row.getUUID(5);
        if (parent != null) {
            json.append("\",\"parentId\":\"").append(parent);
        }
        json.append("\",\"acceptedAt\":\"").append(format(row.getOffsetDateTime(6)));
        json.append("\",\"createdAt\":\"").append(format(row.getOffsetDateTime(7))).append("\"}");
    }

    private static String format(OffsetDateTime time) {
        return TIME.format(time.withOffsetSameInstant(ZoneOffset.UTC));
    }

    private static void appendEscaped(String value, StringBuilder json) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c < ' ') {
                json.append(String.format("\\u%04x", (int) c));
            } else {
                json.append(c);
            }
        }
    }
}
