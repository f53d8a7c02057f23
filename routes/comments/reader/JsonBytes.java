package comments.reader;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.OffsetDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.util.Arrays;
import java.util.UUID;

/**
 * JSON in UTF-8 that grows at its end. The bytes are those that Jackson writes. A general generator looks at each character of a text;
 * this class looks at eight bytes at once, and copies what needs no escape. It does not check that the whole is valid JSON. For one
 * thread at a time.
 */
final class JsonBytes {

    private static final VarHandle EIGHT_BYTES = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long ONES = 0x0101_0101_0101_0101L;
    private static final long HIGH_BITS = ONES * 0x80;
    private static final byte[] HEX = ascii("0123456789abcdef");
    private static final byte[] CAPITAL_HEX = ascii("0123456789ABCDEF");
    private static final byte[] NO_TIME = ascii("0000-00-00T00:00:00.000Z");
    private static final int ID_BYTES = 36;
    private static final DateTimeFormatter MILLIS = new DateTimeFormatterBuilder().appendInstant(3).toFormatter();

    private byte[] bytes;
    private int length;

    /** Nothing yet; memory grows if it takes more bytes than these. */
    JsonBytes(int expected) {
        bytes = new byte[expected];
    }

    /** The bytes of an ASCII text, for {@link #raw}. */
    static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** How many bytes there are. */
    int length() {
        return length;
    }

    /** Drops what is after a number of bytes. */
    void cut(int end) {
        length = end;
    }

    /** Appends a byte as it is. */
    JsonBytes raw(char ascii) {
        reserve(1);
        bytes[length++] = (byte) ascii;
        return this;
    }

    /** Appends bytes as they are. */
    JsonBytes raw(byte[] json) {
        copy(json, 0, json.length);
        return this;
    }

    /** Appends a whole number. */
    JsonBytes number(long number) {
        return raw(ascii(Long.toString(number)));
    }

    /** Appends a string. */
    JsonBytes string(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        raw('"');
        int from = 0;
        for (int escaped = nextEscaped(utf8, 0); escaped < utf8.length; escaped = nextEscaped(utf8, from)) {
            copy(utf8, from, escaped);
            escape(utf8[escaped]);
            from = escaped + 1;
        }
        copy(utf8, from, utf8.length);
        return raw('"');
    }

    /** Appends an id as a string. */
    JsonBytes id(UUID id) {
        raw('"');
        reserve(ID_BYTES);
        long high = id.getMostSignificantBits();
        long low = id.getLeastSignificantBits();
        hex(high >>> 32, 8);
        bytes[length++] = '-';
        hex(high >>> 16, 4);
        bytes[length++] = '-';
        hex(high, 4);
        bytes[length++] = '-';
        hex(low >>> 48, 4);
        bytes[length++] = '-';
        hex(low, 12);
        return raw('"');
    }

    /** Appends a time as a string, in ISO 8601, in UTC, in milliseconds; one from 0 to 9999 in a tenth of a formatter's time. */
    JsonBytes time(OffsetDateTime time) {
        raw('"');
        if (time.getOffset().getTotalSeconds() == 0 && time.getYear() >= 0 && time.getYear() <= 9_999) {
            int start = length;
            raw(NO_TIME);
            digits(time.getYear(), start + 3);
            digits(time.getMonthValue(), start + 6);
            digits(time.getDayOfMonth(), start + 9);
            digits(time.getHour(), start + 12);
            digits(time.getMinute(), start + 15);
            digits(time.getSecond(), start + 18);
            digits(time.getNano() / 1_000_000, start + 22);
        } else {
            raw(ascii(MILLIS.format(time)));
        }
        return raw('"');
    }

    /** All bytes, copied. */
    byte[] toByteArray() {
        return Arrays.copyOf(bytes, length);
    }

    private void digits(int number, int last) {
        int rest = number;
        for (int i = last; rest > 0; i--) {
            bytes[i] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
    }

    private void hex(long number, int digits) {
        for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
            bytes[length++] = HEX[(int) (number >>> shift) & 0xf];
        }
    }

    // where the next byte is that JSON escapes, or the end
    private static int nextEscaped(byte[] utf8, int from) {
        int i = from;
        while (i <= utf8.length - Long.BYTES && !hasEscaped((long) EIGHT_BYTES.get(utf8, i))) {
            i += Long.BYTES;
        }
        while (i < utf8.length && !isEscaped(utf8[i])) {
            i++;
        }
        return i;
    }

    // a subtraction sets the high bit of a byte that is below what is subtracted; bytes beyond ASCII have it before
    private static boolean hasEscaped(long eight) {
        long quotes = eight ^ ONES * '"';
        long backslashes = eight ^ ONES * '\\';
        return ((eight - ONES * ' ' & ~eight | quotes - ONES & ~quotes | backslashes - ONES & ~backslashes) & HIGH_BITS) != 0;
    }

    private static boolean isEscaped(byte c) {
        return c >= 0 && c < ' ' || c == '"' || c == '\\';
    }

    private void escape(byte c) {
        raw('\\');
        switch (c) {
            case '"', '\\' -> raw((char) c);
            case '\b' -> raw('b');
            case '\t' -> raw('t');
            case '\n' -> raw('n');
            case '\f' -> raw('f');
            case '\r' -> raw('r');
            default -> raw('u').raw('0').raw('0').raw((char) CAPITAL_HEX[c >> 4]).raw((char) CAPITAL_HEX[c & 0xf]);
        }
    }

    private void copy(byte[] from, int start, int end) {
        reserve(end - start);
        System.arraycopy(from, start, bytes, length, end - start);
        length += end - start;
    }

    private void reserve(int more) {
        if (bytes.length - length < more) {
            bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, length + more));
        }
    }
}
