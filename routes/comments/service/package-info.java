/**
 * The role comment-service: admits a request, validates its comments, gives them ids, and answers. See comment-service.camel.yaml. No
 * other package imports it. Its steps never wait: up to the group commit they run on the event loop of the HTTP server, and after it
 * on a thread of the group commit.
 */
package comments.service;
