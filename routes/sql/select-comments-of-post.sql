-- A page of the comments of a post, newest first, after a place among them: "comments", as a JSON array in UTF-8, and "next", the
-- place of the last of them if more follow. It ends at so many comments or bytes of text, whichever comes first, but has one
-- comment at least. What is left out is not read, only its length.
WITH found AS (
    SELECT id, ctid AS location, row_number() OVER newest AS place, sum(octet_length(content)) OVER newest AS bytes
    FROM comments
    WHERE hashtextextended(post_id, 0) = hashtextextended(:?postId, 0) AND post_id = :?postId
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
