package comments.load;

import java.util.List;

/**
 * The comments of a run, counted when the queues are empty again.
 *
 * @param accepted answered with 202
 * @param unanswered sent, and not answered: each may be in the table or not
 * @param persisted in the table
 * @param pushed counted by notification-service
 */
record Account(long accepted, long unanswered, long persisted, long pushed) {

    private static final int DRAIN_SECONDS = 120;

    /** Waits until all comments are written and pushed, up to {@value #DRAIN_SECONDS} s. */
    static Account draw(Pipeline pipeline, Sampler sampler, List<Step> steps, String runId) throws Exception {
        long accepted = steps.stream().mapToLong(step -> step.accepted).sum();
        long unanswered = steps.stream().mapToLong(Step::unanswered).sum();
        long rows = -1;
        for (int second = 0; second < DRAIN_SECONDS; second++) {
            long before = rows;
            Thread.sleep(1_000);
            rows = pipeline.rows(runId);
            if (rows >= accepted && rows == before && pushed(sampler) >= rows) {
                break;
            }
        }
        return new Account(accepted, unanswered, rows, pushed(sampler));
    }

    private static long pushed(Sampler sampler) {
        List<Sample> samples = sampler.samples();
        return samples.get(samples.size() - 1).pushed();
    }

    boolean balanced() {
        return persisted >= accepted && persisted <= accepted + unanswered && pushed >= persisted;
    }

    @Override
    public String toString() {
        return "%s: %,d accepted, %,d unanswered, %,d in the table, %,d pushed".formatted(
                balanced() ? "Balanced" : "NOT BALANCED", accepted, unanswered, persisted, pushed);
    }
}
