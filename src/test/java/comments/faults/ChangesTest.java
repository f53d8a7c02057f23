package comments.faults;

import static org.assertj.core.api.Assertions.assertThat;

import comments.faults.Attempt.Outcome;
import comments.faults.Changes.Change;
import comments.faults.Checker.Row;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The check of edits and erasures finds what is wrong, and nothing else. */
class ChangesTest {

    private static final UUID ID = UUID.randomUUID();
    private static final Posted POSTED = Posted.number(1);
    private static final Posted ERASED = new Posted(POSTED.postId(), "", "", "", POSTED.parentId());

    private final History history = new History();
    private final Changes changes = new Changes(history, List::of);

    ChangesTest() {
        history.add(new Attempt(Instant.now(), Duration.ZERO, null, List.of(POSTED), Outcome.OK, 202, List.of(ID), null));
    }

    private static Posted with(String content) {
        return new Posted(POSTED.postId(), POSTED.userId(), POSTED.userName(), content, POSTED.parentId());
    }

    private void edit(String content, Outcome outcome) {
        changes.add(ID, new Change(content, outcome));
    }

    private void erase(Outcome outcome) {
        changes.add(ID, new Change(null, outcome));
    }

    private boolean isWrong(Posted found) {
        List<String> violations = new ArrayList<>();
        assertThat(changes.asPosted(List.of(new Row(ID, found)), violations)).containsExactly(new Row(ID, POSTED));
        return !violations.isEmpty();
    }

    @Test
    void whatWasErasedMustNotBeReadable() {
        edit("a", Outcome.OK);
        erase(Outcome.OK);
        edit("b", Outcome.OK);
        assertThat(isWrong(POSTED)).isTrue();
        assertThat(isWrong(with("b"))).isTrue();
        assertThat(isWrong(with(""))).as("the name is left").isTrue();
        assertThat(isWrong(ERASED)).isFalse();
    }

    @Test
    void whatWasEditedShowsTheLastEdit() {
        edit("a", Outcome.OK);
        edit("b", Outcome.OK);
        edit("c", Outcome.REFUSED);
        assertThat(isWrong(POSTED)).isTrue();
        assertThat(isWrong(with("a"))).isTrue();
        assertThat(isWrong(with("c"))).isTrue();
        assertThat(isWrong(ERASED)).isTrue();
        assertThat(isWrong(with("b"))).isFalse();
    }

    @Test
    void whatIsNotKnownMayBeDoneOrNot() {
        edit("a", Outcome.OK);
        edit("b", Outcome.UNKNOWN);
        erase(Outcome.UNKNOWN);
        assertThat(isWrong(POSTED)).isTrue();
        assertThat(isWrong(with("a"))).isFalse();
        assertThat(isWrong(with("b"))).isFalse();
        assertThat(isWrong(ERASED)).isFalse();
    }

    @Test
    void aRowThatWasNotChangedIsLeftToTheChecker() {
        Row row = new Row(UUID.randomUUID(), with("x"));
        assertThat(changes.asPosted(List.of(row), new ArrayList<>())).containsExactly(row);
    }
}
