/**
 * The role notification-service: reads, signs and pushes notifications. See notification-service.camel.yaml. No other room imports it.
 */
package comments.notification;
