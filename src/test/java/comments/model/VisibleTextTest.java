package comments.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A name or a content needs a character that can be seen. */
class VisibleTextTest {

    /** As DerivedCoreProperties.txt of Unicode 16.0 lists Default_Ignorable_Code_Point. */
    private static final String IGNORABLE = """
            00AD 034F 061C 115F..1160 17B4..17B5 180B..180D 180E 180F 200B..200F 202A..202E 2060..2064 2065 2066..206F 3164 \
            FE00..FE0F FEFF FFA0 FFF0..FFF8 1BCA0..1BCA3 1D173..1D17A E0000 E0001 E0002..E001F E0020..E007F E0080..E00FF \
            E0100..E01EF E01F0..E0FFF""";
    private static final int IGNORABLE_CODE_POINTS = 4_174;

    private static IntStream ignorable() {
        return Arrays.stream(IGNORABLE.split("\\s+")).map(range -> range.split("\\.\\."))
                .flatMapToInt(range -> IntStream.rangeClosed(Integer.parseInt(range[0], 16), Integer.parseInt(range[range.length - 1], 16)));
    }

    private static boolean isVisible(int c) {
        return Comment.isVisible(Character.toString(c));
    }

    @Test
    void whatUnicodeIgnoresByDefaultCannotBeSeen() {
        assertThat(ignorable().count()).isEqualTo(IGNORABLE_CODE_POINTS);
        assertThat(ignorable().filter(VisibleTextTest::isVisible).mapToObj(Integer::toHexString)).isEmpty();
        assertThat(Comment.isVisible("\u2065\ufff0\udb40\udc00 ")).isFalse();
        assertThat(Comment.isVisible("\u2065a")).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {'a', '.', 0x301, 0x34e, 0x350, 0x115e, 0x1161, 0x17b3, 0x17b6, 0x180a, 0x1810, 0x27ff, 0x2801, 0x3163, 0x3165,
        0xfdff, 0xfe10, 0xff9f, 0xffa1, 0xffef, 0xfffc, 0xfffd, 0xdffff, 0xe1000, 0x1f44d})
    void whatIsBesideThemCanBeSeen(int c) {
        assertThat(isVisible(c)).isTrue();
    }

    @Test
    void allOtherCharactersOfScriptsCanBeSeen() {
        IntPredicate ignored = ignorable().boxed().collect(java.util.stream.Collectors.toSet())::contains;
        assertThat(IntStream.rangeClosed(0, Character.MAX_CODE_POINT).filter(Character::isLetterOrDigit).filter(ignored.negate())
                .filter(c -> !isVisible(c)).mapToObj(Integer::toHexString)).isEmpty();
    }
}
