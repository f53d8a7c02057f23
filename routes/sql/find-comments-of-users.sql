-- Finds the next comments of users who are to be erased, up to 1,000 in 4,096 blocks of the table, as changes that erase them, and where
-- the search goes on. No row if nobody is searched. Where the table got other files, it begins again. In a table with partitions, the
-- blocks of all are searched together.
WITH person AS MATERIALIZED (
    SELECT id, user_id, accepted_at, after_row, blocks, files FROM user_erasures_running WHERE after_row IS NOT NULL
), relation AS MATERIALIZED (
    SELECT coalesce(string_agg(pg_relation_filenode(relid)::text, ' ' ORDER BY relid), '') AS files,
           max(pg_relation_size(relid) / current_setting('block_size')::bigint) AS blocks
    FROM (SELECT 'comments'::regclass AS relid UNION SELECT relid FROM pg_partition_tree('comments') WHERE isleaf) AS part
), search AS MATERIALIZED (
    SELECT after_row, format('(%s,0)', block + 4096)::tid AS end_row, person.blocks, person.files
    FROM (SELECT after_row, (after_row::text::point)[0]::bigint AS block, blocks, files FROM person LIMIT 1) AS person
    JOIN relation USING (files)
), comment AS MATERIALIZED (
    SELECT comments.ctid AS place, comments.id, person.id AS erasure, person.accepted_at
    FROM comments JOIN person USING (user_id)
    WHERE comments.ctid > (SELECT after_row FROM search) AND comments.ctid < (SELECT end_row FROM search)
      AND comments.accepted_at <= person.accepted_at AND comments.erased_at IS NULL
    ORDER BY comments.ctid FETCH FIRST 1000 ROWS WITH TIES
), next AS MATERIALIZED (
    SELECT CASE WHEN (SELECT count(*) FROM comment) < 1000 THEN end_row ELSE (SELECT max(place) FROM comment) END AS place
    FROM search
)
SELECT (SELECT after_row FROM person LIMIT 1)::text AS after, coalesce((SELECT place FROM next), '(0,0)')::text AS next,
       (SELECT string_agg(id::text, ' ' ORDER BY id) FROM person) AS persons, relation.blocks, relation.files, (SELECT count(*) FROM search) = 0 AS begins,
       coalesce((SELECT (place::text::point)[0] >= search.blocks FROM next, search), false) AS ends,
       coalesce((SELECT floor(100 * least(1, (place::text::point)[0] / greatest(search.blocks, 1))) FROM next, search), 0)::int AS percent,
       coalesce((SELECT floor(100 * least(1, (after_row::text::point)[0] / greatest(blocks, 1))) FROM search), 0)::int AS "formerPercent",
       (SELECT count(*) FROM comment) AS comments,
       (SELECT json_agg(json_build_object('id', id, 'kind', 'erase', 'acceptedAt',
               to_char(accepted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')))::text FROM comment) AS changes,
       coalesce((SELECT json_agg(erasure)::text FROM comment), '[]') AS erasures,
       (extract(epoch FROM clock_timestamp() - now()) * 1000)::int AS pause
FROM relation
WHERE EXISTS (SELECT FROM person)
