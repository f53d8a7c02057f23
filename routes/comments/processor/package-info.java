/**
 * The role comment-job-processor: gathers messages into batches, and splits a batch that the database refuses until the bad comments are
 * alone. See comment-job-processor.camel.yaml. No other room imports it. A batch grows under the lock of the aggregator, and belongs then to
 * the one thread that writes it.
 */
package comments.processor;
