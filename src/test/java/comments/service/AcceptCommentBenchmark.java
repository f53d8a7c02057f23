package comments.service;

import comments.http.InvalidRequestException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What validation and canonical JSON cost each comment. Run it with
 * {@code mvn test-compile exec:exec -Dexec.executable=java -Dexec.args="-cp %classpath org.openjdk.jmh.Main AcceptComment"}.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 5, time = 2)
@Measurement(iterations = 5, time = 2)
public class AcceptCommentBenchmark {

    /** The content of the comment: 200 characters as most are, with characters beyond ASCII, and the longest there may be. */
    @Param({"ascii", "unicode", "longest"})
    private String content;

    private final DefaultCamelContext context = new DefaultCamelContext();
    private final AcceptComment acceptComment = new AcceptComment();
    private byte[] body;

    @Setup
    public void prepare() {
        String text = switch (content) {
            case "ascii" -> "Articulus contra cursus subito constans paens arbitro venio dapifer. ".repeat(3).substring(0, 200);
            case "unicode" -> "Grüße aus Tōkyō \\\"東京\\\" 🎉\\n".repeat(7);
            default -> "x".repeat(10_000);
        };
        body = ("{\"postId\":\"p-1234567\",\"userId\":\"8f14e45fceea167a\",\"userName\":\"Ann Example\",\"content\":\""
                + text + "\"}").getBytes(StandardCharsets.UTF_8);
    }

    /** Reading the body and judging every field of it. */
    @Benchmark
    public Object validate() throws InvalidRequestException {
        return CommentParser.read(body);
    }

    /** The whole step of the route: validation, the id, the JSON that is published, the headers removed. */
    @Benchmark
    public Object accept() throws Exception {
        Exchange exchange = new DefaultExchange(context);
        exchange.getMessage().setHeader(Exchange.HTTP_METHOD, "POST");
        exchange.getMessage().setHeader("Content-Type", "application/json");
        exchange.getMessage().setBody(body);
        acceptComment.process(exchange);
        return exchange.getMessage().getBody();
    }
}
