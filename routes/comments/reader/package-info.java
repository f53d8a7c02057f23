/**
 * The role comment-reader: makes the parameters of a query from a request, and the response from its rows. See comment-reader.camel.yaml.
 * No other package imports it. Its steps run on the event loop.
 */
package comments.reader;
