/**
 * PostgreSQL: the pool of connections for writing, the component that reads, the schema and its versions, and the failures that
 * are due to data. Connections that write are made and checked in {@link comments.postgresql.UnpooledDataSource}, those that read
 * in {@link comments.postgresql.ReactiveSqlComponent}.
 *
 * <p>The packages of all roles and settings may use it; it may use observe and http. Any number of threads may ask its pool for a
 * connection, except the event loop of the HTTP server: a thread may wait there.
 */
package comments.postgresql;
