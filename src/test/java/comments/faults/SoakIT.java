package comments.faults;

import static comments.faults.Trial.CHANGES;
import static comments.faults.Trial.CONSUMING;
import static comments.faults.Trial.NOTIFIER;
import static comments.faults.Trial.NOTIFYING;
import static comments.faults.Trial.PROCESSOR;
import static comments.faults.Trial.PUBLISHING;
import static comments.faults.Trial.SERVICE;
import static comments.faults.Trial.during;
import static org.assertj.core.api.Assertions.assertThat;

import comments.support.JarProcess;
import comments.support.Proxy;
import comments.support.Proxy.Direction;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Faults at random, one after the other, while comments are posted, edited and erased. */
class SoakIT {

    @RegisterExtension
    static final Servers SERVERS = new Servers();

    @RegisterExtension
    final Trial trial = new Trial(SERVERS);

    private static final List<String> ROLES = List.of(SERVICE, PROCESSOR, NOTIFIER, CHANGES);
    private static final int CHANGES_PER_SECOND = 20;

    private final Map<String, JarProcess> processes = new HashMap<>();

    private interface Fault {
        void strike(Random random) throws Exception;
    }

    private final Map<String, Fault> faults = Map.ofEntries(
            Map.entry("kill -9 of a process", this::killProcess),
            Map.entry("SIGTERM to a process", this::endProcess),
            Map.entry("a process frozen", this::freezeProcess),
            Map.entry("broker killed", this::killBroker),
            Map.entry("broker a black hole", random -> blackHole(trial.toBroker(), random)),
            Map.entry("connections to the broker reset", this::resetBroker),
            Map.entry("answers of the broker held back", this::holdAnswers),
            Map.entry("broker slow", random -> slow(trial.toBroker(), random)),
            Map.entry("database stopped at once", this::stopDatabase),
            Map.entry("database frozen", this::freezeDatabase),
            Map.entry("database a black hole", random -> blackHole(trial.toDatabase(), random)),
            Map.entry("connections to the database reset", random -> trial.toDatabase().reset("")),
            Map.entry("sessions of the database ended", random -> trial.endSessions()));

    @Test
    void randomFaultsForHalfAMinuteLoseAndDoubleNothing() throws Exception {
        soak(Duration.ofSeconds(30));
    }

    @Test
    @Tag("nightly")
    void randomFaultsForTenMinutesLoseAndDoubleNothing() throws Exception {
        soak(Duration.ofMinutes(10));
    }

    private void soak(Duration time) throws Exception {
        long seed = Long.getLong("faults.seed", System.nanoTime());
        System.out.printf("Soak: -Dfaults.seed=%d%n", seed);
        Random random = new Random(seed);
        for (String role : ROLES) {
            processes.put(role, process(role).launch());
        }
        processes.values().forEach(JarProcess::awaitReady);
        trial.post();
        trial.change(CHANGES_PER_SECOND);
        List<String> names = faults.keySet().stream().sorted().collect(Collectors.toList());
        Instant end = Instant.now().plus(time);
        int struck = 0;
        while (Instant.now().isBefore(end)) {
            // each once before any is there again
            if (struck % names.size() == 0) {
                Collections.shuffle(names, random);
            }
            String name = names.get(struck % names.size());
            System.out.printf("Soak: %s %s%n", Instant.now(), name);
            faults.get(name).strike(random);
            struck++;
            trial.healed(name);
            assertThat(trial.recovery()).as("recovery from: " + name + ", with -Dfaults.seed=" + seed).isNotNull();
        }
        trial.assertKept();
    }

    private static Duration seconds(Random random) {
        return Duration.ofMillis(500 + random.nextInt(3_500));
    }

    private void pause(Random random) {
        during(seconds(random), () -> true);
    }

    private String role(Random random) {
        return ROLES.get(random.nextInt(ROLES.size()));
    }

    private Launch process(String role) throws Exception {
        Launch process = trial.process(role);
        return role.equals(SERVICE) ? Changes.keyed(process) : process;
    }

    private void killProcess(Random random) throws Exception {
        String role = role(random);
        processes.get(role).kill();
        processes.put(role, process(role).start());
    }

    private void endProcess(Random random) throws Exception {
        String role = role(random);
        assertThat(processes.get(role).terminate()).isIn(0, 143);
        processes.put(role, process(role).start());
    }

    private void freezeProcess(Random random) throws Exception {
        JarProcess process = processes.get(role(random));
        process.freeze();
        pause(random);
        process.thaw();
    }

    private void killBroker(Random random) throws Exception {
        trial.rabbitmq().kill();
        trial.rabbitmq().startServer();
    }

    private void blackHole(Proxy proxy, Random random) {
        proxy.blackHole();
        pause(random);
        proxy.release();
    }

    private void resetBroker(Random random) {
        trial.toBroker().reset(List.of("", PUBLISHING, CONSUMING, NOTIFYING).get(random.nextInt(4)));
    }

    private void holdAnswers(Random random) {
        trial.toBroker().hold(List.of(PUBLISHING, CONSUMING, NOTIFYING).get(random.nextInt(3)), Direction.ANSWERS);
        pause(random);
        trial.toBroker().reset("");
        trial.toBroker().release();
    }

    private void slow(Proxy proxy, Random random) {
        proxy.delay(Duration.ofMillis(1 + random.nextInt(50)));
        pause(random);
        proxy.delay(Duration.ZERO);
    }

    private void stopDatabase(Random random) throws Exception {
        trial.postgresql().stopImmediately();
        pause(random);
        trial.postgresql().startServer();
    }

    private void freezeDatabase(Random random) throws Exception {
        trial.postgresql().freeze();
        pause(random);
        trial.postgresql().thaw();
    }
}
