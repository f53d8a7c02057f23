package comments.http;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.LoadingCache;
import comments.http.InvalidRequestException.FieldError;
import io.github.bucket4j.Bucket;
import java.time.Duration;
import java.util.List;
import org.apache.camel.Message;
import org.apache.camel.component.platform.http.vertx.HttpMessage;

/**
 * Limits the rate at which a client may post, by the name of its API key, or else by its address. Off by default, at no cost.
 * An admitted request costs one comment at least, valid or not.
 *
 * <p>Any number of threads may call it. It keeps at most {@value #MAX_CLIENTS} clients, and drops a client after ten idle minutes.
 */
public class RateLimiter {

    private static final int MAX_CLIENTS = 100_000;
    private static final Duration IDLE_TIMEOUT = Duration.ofMinutes(10);

    private int perSecond;
    private LoadingCache<String, Bucket> buckets;
    private ClientAddress addresses = new ClientAddress("");

    /** The proxies whose X-Forwarded-For names the client: see {@link ClientAddress}. None by default. */
    public void setTrustedProxies(String proxies) {
        addresses = new ClientAddress(proxies);
    }

    /** The number of comments that one client may post per second, and the size of a burst; 0 for no limit. */
    public void setRate(int perSecond) {
        this.perSecond = perSecond;
        buckets = perSecond == 0 ? null : Caffeine.newBuilder().maximumSize(MAX_CLIENTS).expireAfterAccess(IDLE_TIMEOUT)
                .build(client -> Bucket.builder()
                        .addLimit(limit -> limit.capacity(perSecond).refillGreedy(perSecond, Duration.ofSeconds(1))).build());
    }

    /**
     * Charges a client for a request that is admitted, and whose body is not read.
     *
     * @param client the name of its API key, or else its address
     * @throws InvalidRequestException 429 if the rate is exceeded
     */
    public void charge(String client) throws InvalidRequestException {
        if (buckets != null) {
            consume(client, 1);
        }
    }

    /**
     * Charges a client for the comments of a request. An {@link HttpEngine.Admission} has charged it for the first one.
     *
     * @param name the name of its API key, or "" for its address
     * @throws InvalidRequestException 429 if the rate is exceeded; 422 if it can never allow so many at once
     */
    public void charge(String name, Message message, int comments) throws InvalidRequestException {
        if (buckets == null) {
            return;
        }
        if (comments > perSecond) {
            throw InvalidRequestException.wrongFields(List.of(new FieldError("#",
                    "must hold at most " + perSecond + " comments: a client may post no more per second")));
        }
        int due = message instanceof EventLoopMessage request && request.isAdmitted() ? comments - 1 : comments;
        if (due > 0) {
            consume(name.isEmpty() && message instanceof HttpMessage http ? addresses.of(http.getRequest()) : name, due);
        }
    }

    private void consume(String client, int comments) throws InvalidRequestException {
        var probe = buckets.get(client).tryConsumeAndReturnRemaining(comments);
        if (!probe.isConsumed()) {
            throw InvalidRequestException.tooMany(Duration.ofNanos(probe.getNanosToWaitForRefill()));
        }
    }
}
