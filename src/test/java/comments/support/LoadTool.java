package comments.support;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs a tool of load/ as its own process. */
public final class LoadTool {

    private static final int SECONDS = 300;

    private LoadTool() {
    }

    /** How it ended, and what it wrote. */
    public record Result(int exit, String output, String errors) {

        /** It ended with an exit code and one line of errors, which contains all of these words. */
        public void assertRefused(int code, String... words) {
            assertThat(errors).as(output).isNotBlank().contains(words);
            assertThat(errors.lines()).as(errors).hasSize(1);
            assertThat(exit).as(errors).isEqualTo(code);
        }
    }

    public static Result run(String... command) throws IOException, InterruptedException {
        return run(Map.of(), command);
    }

    /** Runs it with more variables in its environment. */
    public static Result run(Map<String, String> environment, String... command) throws IOException, InterruptedException {
        Path output = Files.createTempFile("load", ".out");
        Path errors = Files.createTempFile("load", ".err");
        try {
            ProcessBuilder builder = new ProcessBuilder(List.of(command)).redirectOutput(output.toFile()).redirectError(errors.toFile());
            List.of("RABBITMQ_URI", "POSTGRES_URL", "POSTGRES_USER", "POSTGRES_PASSWORD").forEach(builder.environment()::remove);
            environment.forEach((name, value) -> builder.environment().put(name, value));
            Process process = builder.start();
            try {
                assertThat(process.waitFor(SECONDS, TimeUnit.SECONDS)).as(String.join(" ", command)).isTrue();
            } finally {
                process.descendants().forEach(ProcessHandle::destroy);
                process.destroy();
            }
            // Debian's mvn, which some tools call, resets the colours of the terminal at its end
            return new Result(process.exitValue(), Files.readString(output), Files.readString(errors).replace("\u001b[0m", ""));
        } finally {
            Files.delete(output);
            Files.delete(errors);
        }
    }
}
