-- One comment, as JSON in UTF-8.
SELECT convert_to(comment, 'UTF8') FROM comments_as_json WHERE id = :?id
