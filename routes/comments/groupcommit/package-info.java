/**
 * Group commit: a Camel step that sends many exchanges as one message and completes each when the message is safe.
 *
 * <p>This package does not depend on what a comment is. The roles may use it; it uses {@code errors} and {@code observe} only. The step's
 * {@code process} runs on the caller's thread and never blocks, so an event loop may call it. Each exchange continues on one
 * of the step's own threads: a publisher ({@code group-commit-n}) or the thread of the timeouts
 * ({@code group-commit-timeouts}).
 */
package comments.groupcommit;
