package comments.rabbitmq;

import com.rabbitmq.client.ConnectionFactory;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where RabbitMQ is, as {@code amqp://user:password@host:port/virtual-host}, or {@code amqps} for TLS. A cluster has a
 * {@code host:port} for each of its nodes, separated by commas.
 *
 * @param tls whether to speak TLS
 * @param uri the address of the first node, as {@code amqp}
 * @param nodes all nodes, each as {@code host:port}, or as {@code host} for the usual port
 */
public record BrokerAddress(boolean tls, String uri, List<String> nodes) {

    private static final int MAX_PORT = 65_535;
    private static final Pattern FORM = Pattern.compile("amqp(s?)://([^/@]*@)?([^/@]*)(/.*)?");

    /**
     * Reads an address.
     *
     * @throws IllegalArgumentException if it is none; the message says why, without the text, which may hold a password
     */
    public static BrokerAddress of(String text) {
        Matcher form = FORM.matcher(text);
        if (!form.matches()) {
            throw new IllegalArgumentException("it does not have this form");
        }
        List<String> nodes = List.of(form.group(3).split(",", -1));
        List<String> uris = nodes.stream().map(node -> uri(form, node)).toList();
        if (nodes.size() > 1 && nodes.contains("")) {
            throw new IllegalArgumentException("a node has no host");
        }
        return new BrokerAddress(!form.group(1).isEmpty(), uris.get(0), nodes);
    }

    private static String uri(Matcher form, String node) {
        if (node.contains("_")) {
            throw new IllegalArgumentException("a host name has an underscore, which host names can't have");
        }
        String uri = "amqp://" + (form.group(2) == null ? "" : form.group(2)) + node
                + (form.group(4) == null ? "" : form.group(4));
        try {
            // the client would take the default host for one that it doesn't understand
            if (new URI(uri).parseServerAuthority().getPort() > MAX_PORT) {
                throw new IllegalArgumentException("a port is larger than " + MAX_PORT);
            }
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException("a user, password, host or port has a character that must be percent-encoded, or"
                    + " is no number");
        }
        try {
            new ConnectionFactory().setUri(uri);
        } catch (Exception e) {
            throw new IllegalArgumentException("the user, password or virtual host is malformed");
        }
        return uri;
    }
}
