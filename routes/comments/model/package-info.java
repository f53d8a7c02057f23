/**
 * The comment: its fields, its limits, its id, and the notification that lists comments. The roles import it, the shared packages don't. It
 * imports http, for requests that name a post. Any thread may call it.
 */
package comments.model;
