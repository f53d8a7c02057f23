/**
 * What the pipeline adds to Camel's HTTP server and Vert.x, without a word of comments: routes on the event loop, problems (RFC 9457), API
 * keys, rates, server-sent events. All that imports Vert.x or Netty is here; VertxInternals has what is not their public API. Roles,
 * model and postgresql import it; it imports observe. Its code runs on the event loop, which must never wait, or on worker threads, as each class says.
 */
package comments.http;
