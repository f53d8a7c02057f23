package imports;

import java.util.UUID;

/** The ids that were seen, by a hash of 64 bits each: at most 24 bytes of heap for an id, and 36 while the table grows. */
final class SeenIds {

    // open addressing; 0 is a free place
    private long[] hashes = new long[1_024];
    private int size;

    // the CLI makes an instance of each class with a constructor that takes nothing, and fails if it is not public
    private SeenIds() {
    }

    /** No id was seen yet. */
    static SeenIds none() {
        return new SeenIds();
    }

    /** Returns whether the id is new. */
    boolean add(UUID id) {
        if (3L * size >= 2L * hashes.length) {
            long[] full = hashes;
            hashes = new long[2 * full.length];
            for (long hash : full) {
                put(hash);
            }
        }
        long hash = id.getMostSignificantBits() ^ id.getLeastSignificantBits();
        if (put(hash == 0 ? 1 : hash)) {
            size++;
            return true;
        }
        return false;
    }

    private boolean put(long hash) {
        int place = Long.hashCode(hash) & (hashes.length - 1);
        while (hashes[place] != 0 && hashes[place] != hash) {
            place = (place + 1) & (hashes.length - 1);
        }
        boolean isNew = hashes[place] == 0;
        hashes[place] = hash;
        return isNew;
    }
}
