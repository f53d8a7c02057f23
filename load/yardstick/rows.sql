-- Comments to read, as many as :rows: one in 101 is on the post "busy", the others are ten to a post. A client can make up their ids.
INSERT INTO comments (id, post_id, user_id, user_name, content, accepted_at)
SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid,
       CASE WHEN i % 101 = 0 THEN 'busy' ELSE 'post-' || i % greatest(:rows / 10, 1) END,
       'user-' || i % 1000, 'Merritt', repeat(md5(i::text), 6), now() - interval '1 ms' * (:rows - i)
FROM generate_series(1, :rows) i
ON CONFLICT DO NOTHING;
VACUUM ANALYZE comments;
