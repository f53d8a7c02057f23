/**
 * The page and the description of the API: their files, and the state of the process that the page shows. See comment-page.camel.yaml and
 * comment-api.camel.yaml. No other package imports it. Its steps run on worker threads.
 */
package comments.page;
