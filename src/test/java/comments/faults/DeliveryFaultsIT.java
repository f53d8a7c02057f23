package comments.faults;

import static comments.faults.Trial.NOTIFIER;
import static comments.faults.Trial.PROCESSOR;
import static comments.support.PrivateServers.VERSIONS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import comments.support.JarProcess;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What may become of deliveries: those that last too long, messages that are too large or too many, and foreign ones. */
class DeliveryFaultsIT extends ServiceFaults {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private boolean impatient;

    DeliveryFaultsIT() {
        super(PROCESSOR);
    }

    @AfterEach
    void waitAsBefore() throws Exception {
        if (impatient) {
            waitForAcknowledgements(1_800_000, 60_000);
        }
    }

    @Override
    Launch service() {
        return super.service().with("COMMENTS_PREFETCH", 0);
    }

    @Test
    @Tag(VERSIONS)
    void c19NotificationsAreLargerThanTheBrokerTakes() throws Exception {
        // as RabbitMQ has it by default from 4.0 on
        trial.rabbitmq().ctl("eval", "persistent_term:put(max_message_size, 16777216).");
        service().with("COMMENTS_BATCH_SIZE", 7_000).with("COMMENTS_BATCH_BYTES", 64 << 20)
                .with("COMMENTS_BATCH_INTERVAL", 5_000).start();
        String name = "😀".repeat(200);
        Set<Posted> good = new HashSet<>();
        for (int from = 0; from < 7_000; from += 500) {
            List<String> message = new ArrayList<>();
            for (int i = from; i < from + 500; i++) {
                Posted comment = new Posted(name, name, name, "Comment " + i, null);
                good.add(comment);
                message.add(comment.json().put("id", new UUID(19, i).toString()).toString());
            }
            trial.publish(message.toString(), good);
        }
        trial.process(NOTIFIER).launch();
        trial.assertKept();
    }

    @Test
    @Tag(VERSIONS)
    void c20TheDatabaseIsAwayForLongerThanTheBrokerWaitsForAnAcknowledgement() throws Exception {
        int held = 20;
        waitForAcknowledgements(8_000, 1_000);
        trial.process(NOTIFIER).launch();
        JarProcess processor = service().with("COMMENTS_BATCH_SIZE", 1).with("COMMENTS_CONSUMERS", 1)
                .with("COMMENTS_PREFETCH", held).start();
        trial.execute("ALTER TABLE comments RENAME TO gone");
        Set<Posted> good = new HashSet<>();
        for (int i = 0; i < 2 * held; i++) {
            Posted comment = Posted.number(-1 - i);
            good.add(comment);
            trial.publish("[" + comment.json().put("id", new UUID(20, i).toString()) + "]", good);
        }
        // those of the closed channel end at their next attempt, those of the new one begin before that
        Trial.during(Duration.ofSeconds(50), () -> retrying(processor) <= 2 * held);
        assertThat(processor.log().filter(line -> line.contains("delivery acknowledgement on channel")
                || line.contains("Channel shutdown"))).as("channels that were closed").isNotEmpty();
        trial.execute("ALTER TABLE gone RENAME TO comments");
        await().atMost(Checker.RECOVERY_LIMIT).until(() -> trial.count() == good.size());
        trial.assertKept();
    }

    @Test
    void c20TheThrottleIsSlowerThanTheBrokerWaitsForAnAcknowledgement() throws Exception {
        waitForAcknowledgements(5_000, 1_000);
        JarProcess notifier = trial.process(NOTIFIER).with("NOTIFICATIONS_PER_PERIOD", 1).with("NOTIFICATIONS_PERIOD", 12_000).launch();
        service().with("COMMENTS_BATCH_SIZE", 1).start();
        Set<Posted> good = new HashSet<>();
        for (int i = 0; i < 4; i++) {
            Posted comment = Posted.number(-1 - i);
            good.add(comment);
            trial.publish("[" + comment.json().put("id", new UUID(21, i).toString()) + "]", good);
        }
        await().atMost(Duration.ofSeconds(90)).until(() -> trial.pushes().comments().size() >= good.size());
        assertThat(notifier.log().filter(line -> line.contains("delivery acknowledgement on channel")
                || line.contains("Channel shutdown"))).as("channels that were closed").isNotEmpty();
        assertThat(trial.assertKept().notifiedAgain()).isZero();
    }

    private static int retrying(JarProcess processor) throws Exception {
        return Pattern.compile("(\\d+) batches can't be settled").matcher(processor.observe("health")).results()
                .mapToInt(found -> Integer.parseInt(found.group(1))).findFirst().orElse(0);
    }

    /** How long the broker waits for an acknowledgement, and how often it looks, both in milliseconds. */
    private void waitForAcknowledgements(int timeout, int interval) throws Exception {
        trial.rabbitmq().ctl("eval", "application:set_env(rabbit, consumer_timeout, %d).".formatted(timeout));
        trial.rabbitmq().ctl("eval", "application:set_env(rabbit, channel_tick_interval, %d).".formatted(interval));
        impatient = true;
    }

    @Test
    void c24ABacklogOfLargeGroupsIsLargerThanTheHeap() throws Exception {
        drainBacklog(768 << 20);
    }

    @Test
    @Tag("nightly")
    void c24ABacklogOfLargeGroupsIsFourTimesTheHeap() throws Exception {
        drainBacklog(2L << 30);
    }

    private void drainBacklog(long bytes) throws Exception {
        int group = 4 << 20;
        String content = "x".repeat(10_000);
        int comments = 0;
        try (Connection connection = SERVERS.connectToBroker(); Channel channel = connection.createChannel()) {
            channel.confirmSelect();
            for (long published = 0; published < bytes; published += group) {
                StringBuilder message = new StringBuilder("[");
                int inGroup = 0;
                while (message.length() < group) {
                    message.append(message.length() == 1 ? "" : ",").append("""
                            {"id":"%s","postId":"p","userId":"u","userName":"Ann","content":"%s"}""".formatted(
                                    new UUID(24, comments++), content));
                    inGroup++;
                }
                channel.basicPublish("", "comments", new BasicProperties.Builder().deliveryMode(2)
                        .headers(Map.of("commentCount", inGroup)).build(), message.append(']').toString().getBytes(StandardCharsets.UTF_8));
                channel.waitForConfirmsOrDie(60_000);
            }
        }
        JarProcess processor = service().start();
        int all = comments;
        await().atMost(Duration.ofMinutes(5)).pollInterval(Duration.ofSeconds(1)).until(() -> {
            assertThat(processor.isAlive()).isTrue();
            return trial.count() == all && trial.rabbitmq().messages("comments") == 0;
        });
    }

    @Test
    void c25ThousandsOfBatchesWaitForARetryAtOnce() throws Exception {
        JarProcess processor = service().with("COMMENTS_BATCH_SIZE", 1).with("COMMENTS_CONSUMERS", 2)
                .holdingAllMessages().start();
        trial.execute("ALTER TABLE comments RENAME TO gone");
        int batches = 5_000;
        Map<String, Object> one = Map.of("commentCount", 1);
        Set<Posted> good = new HashSet<>();
        try (Connection connection = SERVERS.connectToBroker(); Channel channel = connection.createChannel()) {
            channel.confirmSelect();
            for (int i = 0; i < batches; i++) {
                Posted comment = Posted.number(-1 - i);
                good.add(comment);
                channel.basicPublish("", "comments", new BasicProperties.Builder().deliveryMode(2).headers(one).build(),
                        ("[" + comment.json().put("id", new UUID(25, i).toString()) + "]").getBytes(StandardCharsets.UTF_8));
            }
            channel.waitForConfirmsOrDie(60_000);
        }
        await().atMost(PATIENCE).until(() -> processor.observe("health").contains(batches + " batches"));
        trial.execute("ALTER TABLE gone RENAME TO comments");
        await("written again").atMost(Checker.RECOVERY_LIMIT).until(() -> trial.count() > 0);
        // how long all of them take depends on the machine
        await("all written").atMost(Duration.ofMinutes(2)).until(() -> trial.count() == batches);
        await().atMost(Checker.RECOVERY_LIMIT).until(() -> trial.rabbitmq().messages("comments") == 0);
        trial.process(NOTIFIER).launch();
        trial.publish("[]", good);
        trial.assertKept();
    }

    @Test
    void c29ForeignMessagesDoNotHarmTheGoodOnesBesideThem() throws Exception {
        trial.process(NOTIFIER).launch();
        JarProcess processor = service().with("COMMENTS_BATCH_INTERVAL", 2_000).start();
        String deep = "[".repeat(1_001) + "]".repeat(1_001);
        String digits = "9".repeat(100_000);
        BasicProperties plain = new BasicProperties();
        Set<Posted> good = new HashSet<>();
        Set<String> poison = new HashSet<>();
        try (Connection connection = SERVERS.connectToBroker(); Channel channel = connection.createChannel()) {
            channel.confirmSelect();
            publish(channel, plain, poison(poison, "{\"postId\":\"<poison %d>\",\"y\":[1"));
            publish(channel, plain, good(good, ""));
            publish(channel, plain, poison(poison, "2, \"<poison %d>\"]}"));
            publish(channel, plain, poison(poison, "\"<poison %d>"));
            publish(channel, plain, good(good, ",\"deep\":" + deep));
            publish(channel, plain, good(good, ",\"huge\":" + digits + ",\"small\":1e-" + digits));
            publish(channel, plain, poison(poison, "\", \"<poison %d>\""));
            publish(channel, plain, poison(poison, "{\"postId\":\"<poison %d>\",\"id\":" + digits + "}"));
            // the labels are wrong: the body is not text of that encoding, nor are there so many comments
            publish(channel, new BasicProperties.Builder().contentType("text/plain").contentEncoding("gzip").build(), good(good, ""));
            publish(channel, new BasicProperties.Builder().contentType("application/x-java-serialized-object").build(), good(good, ""));
            publish(channel, new BasicProperties.Builder().headers(Map.of("commentCount", Integer.MAX_VALUE)).build(), good(good, ""));
            publish(channel, new BasicProperties.Builder().headers(Map.of("x-delivery-count", "many")).build(), good(good, ""));
            publish(channel, new BasicProperties.Builder().priority(9).deliveryMode(1).expiration("600000").build(), good(good, ""));
            publish(channel, new BasicProperties.Builder().replyTo("notifications").correlationId("1").build(), good(good, ""));
            channel.waitForConfirmsOrDie(10_000);
        }
        trial.publish("[]", good);
        await().atMost(PATIENCE).until(() -> trial.rows().size() == good.size());
        trial.assertKept(poison);
        assertThat(processor.isAlive()).isTrue();
    }

    private static void publish(Channel channel, BasicProperties properties, String body) throws Exception {
        channel.basicPublish("", "comments", properties, body.getBytes(StandardCharsets.UTF_8));
    }

    private static String good(Set<Posted> good, String field) {
        Posted comment = Posted.number(-1 - good.size());
        good.add(comment);
        String json = comment.json().put("id", new UUID(29, good.size()).toString()).toString();
        return json.substring(0, json.length() - 1) + field + "}";
    }

    private static String poison(Set<String> poison, String body) {
        String text = body.formatted(poison.size());
        poison.add("<poison " + poison.size() + ">");
        return text;
    }
}
