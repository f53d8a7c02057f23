/**
 * What a {@link java.lang.Error} leaves that does not end the JVM, such as a stack that overflowed or a thread that can't be made: Camel
 * handles exceptions only. Leftovers ends an exchange after an Error; the component {@code timer} goes on after one.
 *
 * <p>This package does not depend on what a comment is. The packages groupcommit and http, and connections.camel.yaml use it; it uses no other
 * package. The thread that has met the Error calls it.
 */
package comments.errors;
