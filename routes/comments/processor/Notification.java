package comments.processor;

/**
 * What pushes need of some comments.
 *
 * @param comments how many there are
 * @param json a JSON array of them in UTF-8, without their contents
 */
public record Notification(int comments, byte[] json) {
}
