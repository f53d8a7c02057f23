/**
 * The settings of application.properties: the values that each may have, and the checks of settings and servers before any
 * route starts. A wrong one ends the start with one line that names it.
 *
 * <p>The launcher and connections.camel.yaml use it; no package of a role does. It uses the packages http, rabbitmq and postgresql. The
 * thread that starts the process calls it, once.
 */
package comments.settings;
