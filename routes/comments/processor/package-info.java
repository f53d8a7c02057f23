/**
 * What comment-job-processor adds to its route: the batch, its parts, its notifications, and what the database refused.
 * {@link comments.processor.GatherBatch} runs under the aggregator's lock, on threads of RabbitMQ's client; what a timer starts, on
 * its thread; everything else on the threads of {@link comments.processor.BatchWriters}, one at a time for each batch.
 * comment-job-processor.camel.yaml uses the classes, and comment-changes.camel.yaml for batches of changes.
 */
package comments.processor;
