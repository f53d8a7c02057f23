/**
 * Metrics, traces and health checks. All packages may import it; it imports none. Writes are counted for each group, batch or
 * refused request, never for each comment; reads for each request. Any thread may call it.
 */
package comments.observe;
