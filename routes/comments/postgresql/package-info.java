/**
 * PostgreSQL: the pools of connections for writing and for reading, the schema and its versions, and the failures that are
 * due to data. All connections are made and checked in one place,
 * {@link comments.postgresql.UnpooledDataSource}.
 *
 * <p>The rooms of all roles and settings may use it; it may use observe and http. Any number of threads may ask its pools for a
 * connection, except the event loop of the HTTP server: a thread may wait there.
 */
package comments.postgresql;
