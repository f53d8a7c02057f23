package comments.support;

import comments.CommentPipeline;
import comments.faults.Failpoint;
import org.apache.camel.main.Main;

/** The application with failpoints in its routes: what {@link CommentPipeline} is without them. */
public final class FailpointPipeline {

    private FailpointPipeline() {
    }

    /** Runs until the process is told to end; the system property {@code failpoint} names its {@link Failpoint}. */
    public static void main(String[] args) throws Exception {
        Main main = CommentPipeline.create();
        main.bind("failpoint", Failpoint.parse(System.getProperty("failpoint")));
        int exitCode = main.run(args);
        if (exitCode != 0) {
            System.exit(exitCode);
        }
    }
}
