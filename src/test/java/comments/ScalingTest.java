package comments;

import static org.assertj.core.api.Assertions.assertThat;

import comments.support.LoadTool;
import comments.support.LoadTool.Result;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/**
 * The tables of docs/scaling.md are what {@code load/simulate} prints. With {@code -Ddocs.update=true}, they are written instead of
 * compared.
 */
class ScalingTest {

    private static final Path PAGE = Path.of("docs/scaling.md");
    private static final String BEGIN = "<!-- load/simulate: ScalingTest compares it -->\n";
    private static final String END = "<!-- end -->\n";

    @Test
    void theTablesAreTheSimulationsOwn() throws Exception {
        String page = Files.readString(PAGE);
        Result simulation = LoadTool.run("load/simulate");
        assertThat(simulation.exit()).as(simulation.errors()).isZero();
        assertThat(simulation.output()).contains("| 20,000/s |", "| 100,000/s |", "| 1,000,000/s |", "| simulated | measured | error |");
        int begin = page.indexOf(BEGIN) + BEGIN.length();
        int end = page.indexOf(END);
        if (Boolean.getBoolean("docs.update")) {
            Files.writeString(PAGE, page.substring(0, begin) + simulation.output() + page.substring(end));
        } else {
            assertThat(page.substring(begin, end)).isEqualTo(simulation.output());
        }
    }

    @Test
    void wrongParametersAreNamedInOneLine() throws Exception {
        for (String wrong : new String[] {"flush-ms=fast", "flush-ms=0", "busy=2", "speed=9"}) {
            LoadTool.run("load/simulate", wrong).assertRefused(2, wrong);
        }
    }
}
