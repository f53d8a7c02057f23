package comments.load;

import java.net.URI;
import java.util.List;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Option;

/** Options with the addresses of the pipeline and its servers. */
final class Servers {

    @Option(names = "--observe", split = ",", defaultValue = "http://127.0.0.1:9876",
            description = "The management addresses of all processes of the pipeline.")
    private List<URI> observe;

    @Option(names = "--rabbitmq", defaultValue = "${env:RABBITMQ_URI:-amqp://guest:guest@127.0.0.1:5672}",
            showDefaultValue = Visibility.NEVER,
            description = "The broker. Default: RABBITMQ_URI, which other accounts can't see if it has a password.")
    private String rabbitmq;

    @Option(names = "--postgres", defaultValue = "${env:POSTGRES_URL:-jdbc:postgresql://127.0.0.1:5432/comments}",
            showDefaultValue = Visibility.NEVER, description = "The database. Default: POSTGRES_URL.")
    private String postgres;

    @Option(names = "--user", defaultValue = "${env:POSTGRES_USER:-postgres}", showDefaultValue = Visibility.NEVER,
            description = "Its user. Default: POSTGRES_USER. The password is in POSTGRES_PASSWORD.")
    private String user;

    Pipeline connect() throws Exception {
        // not an option: other accounts see the arguments of processes
        String password = System.getenv().getOrDefault("POSTGRES_PASSWORD", "");
        return new Pipeline(observe, rabbitmq, postgres, user, password);
    }
}
