package imports;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Comments that are posted together. */
public final class CommentList {

    private final Import file;
    private final List<String> names = new ArrayList<>();
    private final List<byte[]> comments = new ArrayList<>();
    private int bytes;
    private long end;

    CommentList(Import file) {
        this.file = file;
    }

    void add(String name, byte[] comment) {
        names.add(name);
        comments.add(comment);
        bytes += comment.length + 1;
    }

    void endsAt(long number) {
        end = number;
    }

    int bytes() {
        return bytes;
    }

    /** How many comments there are. */
    public int size() {
        return comments.size();
    }

    /** The body of the request: a comment on each line. */
    public byte[] body() {
        ByteArrayOutputStream body = new ByteArrayOutputStream(bytes);
        for (byte[] comment : comments) {
            body.writeBytes(comment);
            body.write('\n');
        }
        return body.toByteArray();
    }

    void leaveOut(Map<Integer, String> reasons) {
        List<Integer> indexes = new ArrayList<>(reasons.keySet());
        for (int i = indexes.size() - 1; i >= 0; i--) {
            int index = indexes.get(i);
            file.leaveOut(names.remove(index), reasons.get(index));
            comments.remove(index);
        }
    }

    void settle() throws IOException {
        file.settle(end, size());
    }
}
