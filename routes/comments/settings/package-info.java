/**
 * The settings: what each may be, and the check of them and of the servers at the start. It imports rabbitmq and postgresql to try the
 * servers; only the launcher imports it. Its code runs on the thread that starts the process, before any route.
 */
package comments.settings;
