-- One row if this server has all comments of a notification, and their changes, else none. All are asked for: those that were written before,
-- because they were delivered again, may be anywhere in it.
SELECT true AS replicated
WHERE NOT EXISTS (
    SELECT
    FROM json_to_recordset(:?notification::text::json) AS told (id uuid, change text, "editedAt" timestamptz)
    WHERE id IS NOT NULL AND NOT EXISTS (
        SELECT
        FROM comments
        WHERE comments.id = told.id AND CASE change
            WHEN 'erased' THEN erased_at IS NOT NULL
            WHEN 'edited' THEN coalesce(edited_at >= "editedAt", edited_at IS NOT NULL) OR erased_at IS NOT NULL
            ELSE true END
    )
)
