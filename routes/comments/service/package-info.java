/**
 * The role comment-service: admits a request, validates its comments, gives them ids, and answers. See comment-service.camel.yaml. No other
 * room imports it. Its steps run on the event loop of the HTTP server and never wait.
 */
package comments.service;
