/**
 * The role notification-service: reads, signs and pushes notifications. See notification-service.camel.yaml. No other package imports it.
 */
package comments.notification;
