/**
 * The comment: its fields, its limits, its id, and the notification that lists comments. The roles import it; the shared rooms don't.
 * Any thread may call it.
 */
package comments.model;
