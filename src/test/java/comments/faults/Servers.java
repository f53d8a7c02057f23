package comments.faults;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.GetResponse;
import comments.support.PrivatePostgreSQL;
import comments.support.PrivateRabbitMQ;
import comments.support.PrivateServers;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The servers, and what can be done to them. */
final class Servers extends PrivateServers {

    private static final String LIMIT = "limit";

    private boolean limited;
    private PrivatePostgreSQL promoted;

    /** One node of RabbitMQ. */
    Servers() {
    }

    /** A cluster of so many nodes of RabbitMQ. */
    Servers(int size) {
        super(size);
    }

    @Override
    public PrivatePostgreSQL postgresql() {
        return promoted == null ? super.postgresql() : promoted;
    }

    /** Lets another PostgreSQL be that of the tests; null ends this. */
    void failOver(PrivatePostgreSQL promoted) {
        this.promoted = promoted;
    }

    /** Starts what a test left stopped. */
    void restore() throws Exception {
        for (PrivateRabbitMQ node : nodes()) {
            if (!node.isRunning()) {
                node.startServer();
            }
        }
        liftLimit();
        if (postgresql().isRunning()) {
            postgresql().thaw();
        } else {
            postgresql().startServer();
        }
    }

    /** Lets a queue refuse what comes when it holds this many messages. */
    void limit(String queue, int messages) throws Exception {
        rabbitmq().ctl("set_policy", "--apply-to", "queues", LIMIT, "^" + queue + "$",
                "{\"max-length\":%d,\"overflow\":\"reject-publish\"}".formatted(messages));
        limited = true;
    }

    /** Takes the limit away again. */
    void liftLimit() throws Exception {
        if (limited) {
            rabbitmq().ctl("clear_policy", LIMIT);
            limited = false;
        }
    }

    /** Takes what a queue has, and gives it back twice: in its order, then in the other. */
    void deliverTwice(String queue) throws Exception {
        try (Connection connection = connectToBroker(); Channel channel = connection.createChannel()) {
            channel.confirmSelect();
            List<GetResponse> messages = new ArrayList<>();
            for (GetResponse message = channel.basicGet(queue, true); message != null; message = channel.basicGet(queue, true)) {
                messages.add(message);
            }
            for (int i = 0; i < 2; i++) {
                for (GetResponse message : messages) {
                    channel.basicPublish("", queue, message.getProps(), message.getBody());
                }
                Collections.reverse(messages);
            }
            channel.waitForConfirmsOrDie(10_000);
        }
    }

    /** Lets the broker find its disk too full for what is published: the alarm that blocks publishing connections. */
    void fillDisk() throws Exception {
        rabbitmq().ctl("set_disk_free_limit", "100000GB");
    }

    /** Ends the alarm. */
    void freeDisk() throws Exception {
        rabbitmq().ctl("set_disk_free_limit", "50MB");
    }
}
