package comments.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CommentIdsTest {

    private static final Comment COMMENT = new Comment("p", "u", "Ann", "Hi", null);

    @Test
    void newIdsAreUuidsOfVersionSevenThatRise() {
        UUID before = CommentIds.next();
        for (int i = 0; i < 10_000; i++) {
            UUID next = CommentIds.next();
            assertThat(next.version()).isEqualTo(7);
            assertThat(next.variant()).isEqualTo(2);
            assertThat(next.toString()).isGreaterThan(before.toString());
            before = next;
        }
    }

    @Test
    void newIdsAreUniqueAcrossThreads() {
        Set<UUID> ids = ConcurrentHashMap.newKeySet();
        IntStream.range(0, 200_000).parallel().forEach(i -> ids.add(CommentIds.next()));
        assertThat(ids).hasSize(200_000);
    }

    @Test
    void theSameCallerKeyAndCommentGiveTheSameId() {
        UUID id = CommentIds.derive("caller", "key", COMMENT);
        assertThat(CommentIds.derive("caller", "key", new Comment("p", "u", "Ann", "Hi", null))).isEqualTo(id);
        assertThat(id.version()).isEqualTo(8);
        assertThat(id.variant()).isEqualTo(2);
    }

    @Test
    void derivedIdsStayTheSameFromReleaseToRelease() {
        assertThat(CommentIds.derive("caller", "key", COMMENT))
                .isEqualTo(UUID.fromString("4d2270d6-7a51-83c7-9515-342565599d75"));
    }

    @Test
    void anythingElseGivesAnotherId() {
        assertThat(Set.of(
                CommentIds.derive("caller", "key", COMMENT),
                CommentIds.derive("other", "key", COMMENT),
                CommentIds.derive("callerk", "ey", COMMENT),
                CommentIds.derive("caller", "other", COMMENT),
                CommentIds.derive("caller", "key", new Comment("p2", "u", "Ann", "Hi", null)),
                CommentIds.derive("caller", "key", new Comment("p", "u2", "Ann", "Hi", null)),
                CommentIds.derive("caller", "key", new Comment("p", "u", "AnnH", "i", null)),
                CommentIds.derive("caller", "key", new Comment("p", "u", "Ann", "Hi!", null)),
                CommentIds.derive("caller", "key", new Comment("p", "u", "Ann", "Hi", new UUID(1, 2)))))
                .hasSize(9);
    }
}
