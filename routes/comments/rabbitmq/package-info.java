/**
 * What the pipeline adds to RabbitMQ's client and Spring AMQP, without a word of comments: connections that come back by themselves,
 * confirms that can be believed, acknowledgement in order, and the gate that a route closes before the process ends. Roles import it.
 * Consumers call it on one thread for each channel, batches on theirs, the client on its own.
 */
package comments.rabbitmq;
