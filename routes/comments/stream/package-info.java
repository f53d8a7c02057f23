/**
 * The stream of new comments, a part of the role comment-reader: subscribes clients, and selects and sends the comments that they subscribe
 * to. See comment-stream.camel.yaml. No other package imports it. Clients subscribe on the event loop; comments arrive on the consumer's thread.
 */
package comments.stream;
