package comments.reader;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Pages of the comments of a post, and of the replies to a comment. */
class CommentReaderPagesTest extends ReaderFixture {

    @Test
    void theCommentsOfAPostComeNewestFirst() throws Exception {
        UUID first = insert("p", 1);
        UUID third = insert("p", 3);
        UUID second = insert("p", 2);
        insert("q", 2);
        HttpResponse<String> response = get("/comments?postId=p");
        assertThat(idsOf(response)).containsExactly(third.toString(), second.toString(), first.toString());
        assertThat(header(response, "Link")).isNull();
        assertThat(json(response).get(0)).isEqualTo(json(get("/comments/" + third)));
    }

    @Test
    void aPostWithoutCommentsHasAnEmptyPage() throws Exception {
        HttpResponse<String> response = get("/comments?postId=p");
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.body()).isEqualTo("[]");
        assertThat(get("/comments/" + NOBODY + "/replies").body()).isEqualTo("[]");
    }

    @Test
    void thePagesHoldEveryCommentOnceAndOneThatCameLaterOnNoLaterPage() throws Exception {
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            expected.add(0, insert("p", i).toString());
        }
        HttpResponse<String> first = get("/comments?postId=p&limit=7");
        assertThat(idsOf(first)).isEqualTo(expected.subList(0, 7));
        insert("p", "later", null, "2026-11-22T10:01:00Z");
        Pages rest = Pages.from(next(first));
        assertThat(rest.ids()).isEqualTo(expected.subList(7, 60));
        assertThat(rest.count()).isEqualTo(8);
        assertThat(idsOf(get("/comments?postId=p"))).as("the default").hasSize(50);
    }

    @Test
    void commentsOfTheSameMomentAreOrderedById() throws Exception {
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            ids.add(insert("p", 1).toString());
        }
        ids.sort((a, b) -> b.compareTo(a));
        assertThat(Pages.from("/comments?postId=p&limit=3")).isEqualTo(new Pages(ids, 7));
        assertThat(Pages.from("/comments?postId=p&limit=20")).isEqualTo(new Pages(ids, 1));
    }

    @Test
    void microsecondsAndInfiniteTimesAreKeptApart() throws Exception {
        List<String> expected = new ArrayList<>();
        for (String time : List.of("-infinity", "4713-01-01 BC", "2026-11-22T10:00:00.000001Z", "2026-11-22T10:00:00.000002Z",
                "294276-12-31", "infinity")) {
            expected.add(0, insert("p", "c", null, time).toString());
        }
        assertThat(Pages.from("/comments?postId=p&limit=1")).isEqualTo(new Pages(expected, 6));
        assertThat(Pages.from("/comments?postId=p&limit=65")).isEqualTo(new Pages(expected, 1));
    }

    @Test
    void theRepliesToACommentComeTheSameWay() throws Exception {
        UUID comment = insert("p", 1);
        List<String> expected = new ArrayList<>();
        for (int i = 10; i < 20; i++) {
            expected.add(0, insert("p", "r", comment, "2026-11-22T10:00:" + i + "Z").toString());
        }
        insert("p", "other", UUID.randomUUID(), "2026-11-22T10:00:30Z");
        assertThat(Pages.from("/comments/" + comment + "/replies?limit=4")).isEqualTo(new Pages(expected, 3));
        assertThat(json(get("/comments/" + comment + "/replies?limit=1")).get(0).get("parentId").asText()).isEqualTo(comment.toString());
    }

    @Test
    void aPageEndsAtAQuarterOfAMebibyteAndSaysThatThereIsMore() throws Exception {
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            expected.add(0, insert("p", "\u0001".repeat(10_000), null, "2026-11-22T10:00:%02dZ".formatted(i)).toString());
        }
        HttpResponse<String> first = get("/comments?postId=p&limit=1000");
        // escaped, each character has six bytes
        assertThat(first.body().length()).isLessThanOrEqualTo(256 << 10);
        assertThat(idsOf(first)).isEqualTo(expected.subList(0, 4));
        assertThat(Pages.from("/comments?postId=p&limit=1000")).isEqualTo(new Pages(expected, 8));
    }

    /** The statement of short pages leaves out what is larger than its share. */
    @Test
    void aShortPageHasTextsOfAnySize() throws Exception {
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            expected.add(0, insert("p", i % 5 == 4 ? "\uD83D\uDE00".repeat(10_000) : "c", null, "2026-11-22T10:00:%02dZ".formatted(i)).toString());
        }
        assertThat(Pages.from("/comments?postId=p&limit=10")).isEqualTo(new Pages(expected, 2));
        assertThat(json(get("/comments?postId=p&limit=10")).findValuesAsText("content").get(2)).hasSize(20_000);
        execute("UPDATE comments SET content = 'c', user_name = repeat('n', 30000) WHERE length(content) > 1");
        assertThat(json(get("/comments?postId=p&limit=10")).findValuesAsText("userName").get(2)).hasSize(30_000);
        execute("UPDATE comments SET user_name = 'n', user_id = repeat('u', 30000) WHERE length(user_name) > 3");
        assertThat(json(get("/comments?postId=p&limit=10")).findValuesAsText("userId").get(2)).hasSize(30_000);
    }

    /** A foreign message can have one. */
    @Test
    void aTextThatIsLargerThanAPageHidesNoneBehindIt() throws Exception {
        UUID comment = insert("q", 1);
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            expected.add(0, insert("p", "c".repeat(i == 1 ? 1 : 300_000), comment, "2026-11-22T10:00:%02dZ".formatted(i)).toString());
        }
        assertThat(Pages.from("/comments?postId=p&limit=10")).isEqualTo(new Pages(expected, 4));
        assertThat(Pages.from("/comments/" + comment + "/replies?limit=10")).isEqualTo(new Pages(expected, 4));
    }

    @Test
    void repliesHaveTextsOfAnySizeToo() throws Exception {
        UUID comment = insert("p", 1);
        UUID large = insert("p", "\uD83D\uDE00".repeat(10_000), comment, "2026-11-22T10:00:02Z");
        UUID small = insert("p".repeat(30_000), "c", comment, "2026-11-22T10:00:01Z");
        HttpResponse<String> page = get("/comments/" + comment + "/replies?limit=10");
        assertThat(idsOf(page)).containsExactly(large.toString(), small.toString());
        assertThat(json(page).get(0).get("content").asText()).hasSize(20_000);
        assertThat(json(page).get(1).get("postId").asText()).hasSize(30_000);
    }

    @Test
    void namesCountForTheSizeOfAPageToo() throws Exception {
        execute("INSERT INTO comments SELECT gen_random_uuid(), 'p', repeat(E'\\x01', 200), repeat(E'\\x02', 200), 'c', NULL,"
                + " timestamptz '2026-11-22T10:00Z' + i * interval '1 second', now() FROM generate_series(1, 1000) i");
        HttpResponse<String> first = get("/comments?postId=p&limit=1000");
        assertThat(first.body().length()).isBetween(250 << 10, 256 << 10);
        assertThat(Pages.from("/comments?postId=p&limit=1000").ids()).hasSize(1_000).doesNotHaveDuplicates();
    }

    @Test
    void aPageGoesOnAcrossTheYears() throws Exception {
        List<String> expected = new ArrayList<>();
        for (int year = 1970; year < 2030; year += 3) {
            expected.add(0, insert("p", "c", null, year + "-06-01T10:00:00Z").toString());
            expected.add(0, insert("p", "c", null, year + "-06-01T10:00:01Z").toString());
            insert("q", "c", null, year + "-09-01T10:00:00Z");
        }
        assertThat(Pages.from("/comments?postId=p&limit=7")).isEqualTo(new Pages(expected, 6));
        assertThat(Pages.from("/comments?postId=p&limit=40")).isEqualTo(new Pages(expected, 1));
        assertThat(Pages.from("/comments?postId=p&limit=100")).isEqualTo(new Pages(expected, 1));
    }

    @Test
    void theETagOfAPageChangesWithItsCommentsAndItsLink() throws Exception {
        insert("p", 2);
        HttpResponse<String> first = get("/comments?postId=p&limit=1");
        String etag = header(first, "ETag");
        assertThat(get("/comments?postId=p&limit=1", "If-None-Match", etag).statusCode()).isEqualTo(304);
        insert("p", 1);
        HttpResponse<String> withLink = get("/comments?postId=p&limit=1", "If-None-Match", etag);
        assertThat(withLink.statusCode()).isEqualTo(200);
        assertThat(withLink.body()).isEqualTo(first.body());
        insert("p", 3);
        assertThat(header(get("/comments?postId=p&limit=1"), "ETag")).isNotEqualTo(etag)
                .isNotEqualTo(header(withLink, "ETag"));
        HttpResponse<String> unchanged = get("/comments?postId=p&limit=1", "If-None-Match", header(get("/comments?postId=p&limit=1"), "ETag"));
        assertThat(unchanged.statusCode()).isEqualTo(304);
        assertThat(next(unchanged)).as("as a 200 would have it").startsWith("/comments?postId=p&limit=1&before=");
    }
}
