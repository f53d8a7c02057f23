package comments.model;

import comments.http.InvalidRequestException;
import comments.http.RequestQuery;

/** Reads the post that a request names. */
public final class PostIds {

    private PostIds() {
    }

    /**
     * The query parameter {@code postId}.
     *
     * @throws InvalidRequestException 400 if it is left out, given twice, or can't be the id of a post
     */
    public static String of(RequestQuery query) throws InvalidRequestException {
        String postId = query.value("postId");
        int length = postId == null ? 0 : CommentText.length(postId);
        if (length < 1 || length > CommentText.MAX_NAME) {
            throw InvalidRequestException.malformed("The query parameter postId must be given, with 1 to " + CommentText.MAX_NAME
                    + " characters, without U+0000 and halves of surrogate pairs.");
        }
        return postId;
    }
}
