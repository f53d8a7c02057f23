-- A page of the replies to a comment, newest first, after a cursor: "comments", as a JSON array in UTF-8, and "next", the cursor of the
-- next page, if any. The page ends at the limit of comments or of bytes of text, whichever is reached first, but has at least one
-- comment. Of the comments after that, only the length is read.
WITH found AS (
    SELECT id, ctid AS location, row_number() OVER newest AS place, sum(octet_length(content)) OVER newest AS bytes
    FROM comments
    WHERE parent_id = :?parentId
      AND (accepted_at, id) < (:?acceptedAt, :?id)
    WINDOW newest AS (ORDER BY accepted_at DESC, id DESC ROWS UNBOUNDED PRECEDING)
    ORDER BY accepted_at DESC, id DESC
    LIMIT :?limit + 1
), page AS (
    SELECT comment, place, encode(timestamptz_send(accepted_at) || uuid_send(id), 'base64') AS cursor
    FROM found JOIN comments_as_json USING (id, location)
    WHERE place <= :?limit AND (place = 1 OR bytes <= :?bytes)
)
SELECT convert_to('[' || coalesce(string_agg(comment, ',' ORDER BY place), '') || ']', 'UTF8') AS comments,
       CASE WHEN count(*) < (SELECT count(*) FROM found)
            THEN translate((array_agg(cursor ORDER BY place DESC))[1], '+/', '-_')
       END AS next
FROM page
