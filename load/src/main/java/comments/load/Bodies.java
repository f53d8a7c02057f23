package comments.load;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.distribution.RejectionInversionZipfSampler;
import org.apache.commons.rng.sampling.distribution.SharedStateDiscreteSampler;
import org.apache.commons.rng.simple.RandomSource;

/**
 * The comments to post, made in advance, and taken in turn. Their post ids begin with the id of the run, so that its rows can
 * be counted. The posts have a skewed distribution, Zipf's law, as real posts do.
 *
 * <p>Used by the one thread of the generator.
 */
final class Bodies {

    private static final int PREPARED = 4_096;
    private static final String[] WORDS = ("articulus contra cursus subito constans paens arbitro venio dapifer theca templum"
            + " suffoco creptio antiquus amissio talis tantillus voluptatem adicio tepidus").split(" ");

    private final ByteBuf[] bodies = new ByteBuf[PREPARED];
    private int next;

    /**
     * Prepares comments.
     *
     * @param posts the number of posts
     * @param skew the exponent of Zipf's law; 0 makes all posts equal
     * @param contentSize the length of the contents, in characters
     */
    Bodies(String runId, int posts, double skew, int contentSize) throws JsonProcessingException {
        UniformRandomProvider random = RandomSource.XO_RO_SHI_RO_128_PP.create(20261122L);
        SharedStateDiscreteSampler post = RejectionInversionZipfSampler.of(random, posts, skew);
        ObjectMapper json = new ObjectMapper();
        for (int i = 0; i < PREPARED; i++) {
            Map<String, String> comment = new LinkedHashMap<>();
            comment.put("postId", runId + "-" + post.sample());
            comment.put("userId", Long.toHexString(random.nextLong()) + Long.toHexString(random.nextInt()));
            comment.put("userName", WORDS[random.nextInt(WORDS.length)]);
            comment.put("content", content(random, contentSize));
            bodies[i] = Unpooled.unreleasableBuffer(Unpooled.directBuffer().writeBytes(json.writeValueAsBytes(comment)));
        }
    }

    private static String content(UniformRandomProvider random, int size) {
        StringBuilder content = new StringBuilder(size + 20);
        while (content.length() < size) {
            content.append(WORDS[random.nextInt(WORDS.length)]).append(' ');
        }
        return content.substring(0, size);
    }

    ByteBuf take() {
        next = (next + 1) % PREPARED;
        return bodies[next].duplicate();
    }
}
