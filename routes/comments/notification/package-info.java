/**
 * The role notification-service: reads the notifications that it pushes. See notification-service.camel.yaml. No other room imports it.
 */
package comments.notification;
