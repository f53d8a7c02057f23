package comments.faults;

import static org.assertj.core.api.Assertions.assertThat;

import comments.faults.Attempt.Outcome;
import comments.faults.Checker.Row;
import comments.faults.Checker.State;
import comments.faults.Verdict.Point;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class CheckerTest {

    private static final UUID ID = new UUID(0, 1);
    private static final UUID OTHER_ID = new UUID(0, 2);
    private static final Posted COMMENT = Posted.number(1);
    private static final Posted OTHER = Posted.number(2);
    private static final State RIGHT = new State(List.of(new Row(ID, COMMENT)), List.of(ID), Map.of("comments", 0L),
            List.of(), Duration.ofSeconds(30));

    private static Attempt attempt(Outcome outcome, UUID... ids) {
        return new Attempt(Instant.EPOCH, Duration.ZERO, null, List.of(COMMENT), outcome, 0, List.of(ids), null);
    }

    private static Verdict check(State state, Attempt... attempts) {
        History history = new History();
        List.of(attempts).forEach(history::add);
        return Checker.check(history, Set.of(), state, Set.of());
    }

    private static State rows(Row... rows) {
        return new State(List.of(rows), List.of(ID, OTHER_ID), RIGHT.waiting(), RIGHT.quarantine(), RIGHT.recovery());
    }

    private static Verdict checkOk(State state) {
        return check(state, attempt(Outcome.OK, ID));
    }

    @Test
    void findsNothingWhenNothingIsWrong() {
        assertThat(checkOk(RIGHT).violations()).isEmpty();
        assertThat(check(RIGHT, attempt(Outcome.UNKNOWN)).violations()).isEmpty();
        assertThat(check(rows(), attempt(Outcome.UNKNOWN)).violations()).isEmpty();
        assertThat(check(rows(), attempt(Outcome.REFUSED)).violations()).isEmpty();
        assertThat(check(RIGHT, attempt(Outcome.UNKNOWN), attempt(Outcome.OK, ID)).violations()).isEmpty();
    }

    @Test
    void findsWhatWasPromisedAndIsNotThere() {
        assertThat(checkOk(rows()).violations()).containsOnlyKeys(Point.LOST);
        assertThat(checkOk(rows(new Row(OTHER_ID, COMMENT))).violations()).containsOnlyKeys(Point.LOST);
        assertThat(check(rows(), attempt(Outcome.OK, ID), attempt(Outcome.UNKNOWN)).violations())
                .containsOnlyKeys(Point.LOST);
    }

    @Test
    void findsWhatIsNotThereAsItWasPosted() {
        Posted changed = new Posted(COMMENT.postId(), COMMENT.userId(), COMMENT.userName(), COMMENT.content() + "?",
                COMMENT.parentId());
        assertThat(checkOk(rows(new Row(ID, changed))).violations()).containsOnlyKeys(Point.LOST, Point.UNEXPECTED);
    }

    @Test
    void findsWhatIsThereTwice() {
        assertThat(checkOk(rows(new Row(ID, COMMENT), new Row(OTHER_ID, COMMENT))).violations())
                .containsOnlyKeys(Point.DUPLICATE);
        assertThat(check(RIGHT, attempt(Outcome.OK, ID), attempt(Outcome.OK, OTHER_ID)).violations())
                .containsOnlyKeys(Point.DUPLICATE);
    }

    @Test
    void findsWhatShouldNotBeThere() {
        assertThat(checkOk(rows(new Row(ID, COMMENT), new Row(OTHER_ID, OTHER))).violations())
                .containsOnlyKeys(Point.UNEXPECTED);
        assertThat(check(RIGHT, attempt(Outcome.REFUSED)).violations()).containsOnlyKeys(Point.UNEXPECTED);
    }

    @Test
    void findsWhatWasNotPushedAndCountsWhatWasPushedAgain() {
        State notPushed = new State(RIGHT.rows(), List.of(), RIGHT.waiting(), List.of(), RIGHT.recovery());
        assertThat(checkOk(notPushed).violations()).containsOnlyKeys(Point.NOT_NOTIFIED);
        State erased = new State(List.of(new Row(ID, COMMENT, true)), List.of(), RIGHT.waiting(), List.of(), RIGHT.recovery());
        assertThat(checkOk(erased).violations()).isEmpty();
        State pushedTwice = new State(RIGHT.rows(), List.of(ID, ID), RIGHT.waiting(), List.of(), RIGHT.recovery());
        assertThat(checkOk(pushedTwice).violations()).isEmpty();
        assertThat(checkOk(pushedTwice).notifiedAgain()).isEqualTo(1);
    }

    @Test
    void findsWhatIsLeftInAQueue() {
        assertThat(checkOk(new State(RIGHT.rows(), RIGHT.pushes(), Map.of("comments", 1L), List.of(), RIGHT.recovery()))
                .violations()).containsOnlyKeys(Point.NOT_SETTLED);
    }

    @Test
    void findsWhatIsInQuarantineForNoReasonOrMissingThere() {
        State quarantined =
                new State(RIGHT.rows(), RIGHT.pushes(), RIGHT.waiting(), List.of("a <poison> b"), RIGHT.recovery());
        assertThat(checkOk(quarantined).violations()).containsOnlyKeys(Point.NOT_SETTLED);
        History history = new History();
        history.add(attempt(Outcome.OK, ID));
        assertThat(Checker.check(history, Set.of(), quarantined, Set.of("<poison>")).violations()).isEmpty();
        assertThat(Checker.check(history, Set.of(), RIGHT, Set.of("<poison>")).violations())
                .containsOnlyKeys(Point.NOT_SETTLED);
    }

    @Test
    void findsARecoveryThatTookTooLong() {
        for (Duration recovery : new Duration[] {null, Duration.ofMillis(30_001)}) {
            assertThat(checkOk(new State(RIGHT.rows(), RIGHT.pushes(), RIGHT.waiting(), List.of(), recovery)).violations())
                    .containsOnlyKeys(Point.NOT_RECOVERED);
        }
    }
}
