-- An erasure finds what has the id of the comment.
CREATE INDEX comment_quarantine_of_comments ON comment_quarantine (reason) WHERE sqlstate = '23505';
