/**
 * What the pipeline adds to Camel's HTTP server and Vert.x, independent of comments: routes on the event loop, problems (RFC 9457), API
 * keys, rates, server-sent events. Only this package and postgresql import Vert.x or Netty; VertxInternals and PgClientInternals have all uses
 * of their internals. The roles, model and postgresql import it; it imports errors and observe. Its code runs on the event loop, which must
 * never wait, or on worker threads, as each class documents.
 */
package comments.http;
