package comments.http;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.LoadingCache;
import io.github.bucket4j.Bucket;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.apache.camel.Message;
import org.apache.camel.component.platform.http.vertx.HttpMessage;

/**
 * Who posts or reads, and how much: API keys, and the rate of comments that each caller may post. Both are off unless configured, and
 * then cost nothing.
 *
 * <p>Any number of threads may call it.
 */
public class Callers {

    private static final String BEARER = "Bearer ";
    private static final int MOST_CALLERS = 100_000;
    private static final Duration FORGET_AFTER = Duration.ofMinutes(10);

    private record ApiKey(String caller, byte[] sha256) {
    }

    private final List<ApiKey> keys = new ArrayList<>();
    private LoadingCache<String, Bucket> buckets;

    /** Who may post and read: {@code name:hash} of each, separated by commas; a hash is the SHA-256 of the key, in hexadecimal. */
    public void setApiKeys(String apiKeys) {
        keys.clear();
        if (!apiKeys.isBlank()) {
            for (String key : apiKeys.split(",")) {
                String[] parts = key.strip().split(":");
                keys.add(new ApiKey(parts[0], HexFormat.of().parseHex(parts[1])));
            }
        }
    }

    /** How many comments a second one caller may post, with bursts of as many; 0 for any number. */
    public void setRate(int perSecond) {
        buckets = perSecond == 0 ? null : Caffeine.newBuilder().maximumSize(MOST_CALLERS).expireAfterAccess(FORGET_AFTER)
                .build(caller -> Bucket.builder()
                        .addLimit(limit -> limit.capacity(perSecond).refillGreedy(perSecond, Duration.ofSeconds(1))).build());
    }

    /**
     * The name of the caller, by his API key; "" if no keys are configured.
     *
     * @throws InvalidRequestException 401 if keys are configured, and the request has none of them
     */
    public String identify(Message message) throws InvalidRequestException {
        if (keys.isEmpty()) {
            return "";
        }
        List<String> authorization = RequestHeaders.of(message, "Authorization");
        if (authorization.size() != 1 || !authorization.get(0).startsWith(BEARER)) {
            throw InvalidRequestException.unauthorized();
        }
        byte[] given = sha256(authorization.get(0).substring(BEARER.length()));
        String caller = null;
        // all of them are compared, each in constant time, so that the time tells nothing
        for (ApiKey key : keys) {
            if (MessageDigest.isEqual(key.sha256(), given)) {
                caller = key.caller();
            }
        }
        if (caller == null) {
            throw InvalidRequestException.unauthorized();
        }
        return caller;
    }

    private static byte[] sha256(String key) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /**
     * Counts comments against the rate of a caller. One without a name is known by his address.
     *
     * @throws InvalidRequestException 429 if they are too many now
     */
    public void charge(String caller, Message message, int comments) throws InvalidRequestException {
        if (buckets == null) {
            return;
        }
        String who = caller.isEmpty() && message instanceof HttpMessage http
                ? http.getRequest().remoteAddress().hostAddress() : caller;
        var probe = buckets.get(who).tryConsumeAndReturnRemaining(comments);
        if (!probe.isConsumed()) {
            throw InvalidRequestException.tooMany(Duration.ofNanos(probe.getNanosToWaitForRefill()));
        }
    }
}
