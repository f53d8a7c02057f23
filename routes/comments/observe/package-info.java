/**
 * Metrics, traces and health checks. All rooms may import it; it imports none. Counts are taken for each group, batch or
 * refused request, never for each comment; any thread may call it.
 */
package comments.observe;
