/**
 * Group commit: a step that parks exchanges and commits many of them together. It knows no comments: the role that uses it sets the
 * endpoint and the header. Exchanges enter on any thread, which is never held, and leave on the threads of the step.
 */
package comments.groupcommit;
