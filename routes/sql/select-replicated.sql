-- One row if this server has a comment and its last change of this kind, else none. Its batch was committed no later.
SELECT id
FROM comments
WHERE id = :?id AND CASE :?change::text WHEN 'erased' THEN erased_at IS NOT NULL
                                        WHEN 'edited' THEN coalesce(edited_at, erased_at) IS NOT NULL ELSE true END
