/**
 * What the pipeline adds to HikariCP, the PostgreSQL driver and Flyway, without a word of comments: pools whose connections fail within a
 * bounded time, the schema, and the kinds of SQL errors. Roles import it. Its code may block, so no event loop may call it.
 */
package comments.postgresql;
