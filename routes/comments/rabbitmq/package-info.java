/**
 * RabbitMQ, on top of Spring AMQP and Camel's {@code spring-rabbitmq}: connections that declare their queue and connect
 * again, publishing with confirms, acknowledgement in order of the deliveries, and the health of all this.
 *
 * <p>This package does not depend on what a comment is. The roles and {@code settings} may use it; it uses {@code observe} only.
 *
 * <p>Threads of RabbitMQ's client call the listeners of connections and channels, which never block. A consumer's thread
 * calls {@link comments.rabbitmq.ConsumerGate}, one channel at a time. Any thread may call
 * {@link comments.rabbitmq.AcknowledgeInOrder}. A connection that was lost has one thread of its own until it is back
 * ({@code reconnect …}).
 */
package comments.rabbitmq;
