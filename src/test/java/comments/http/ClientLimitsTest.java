package comments.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

import comments.http.ClientLimits.Client;
import comments.http.ClientLimits.Resource;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.component.platform.http.vertx.HttpMessage;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who a client is, and what it may hold. */
class ClientLimitsTest {

    private static final String PROXIES = "10.0.0.0/8, 2001:db8:1::/48,192.0.2.7";

    private static SocketAddress address(String host) {
        return SocketAddress.inetSocketAddress(4711, host);
    }

    private static HttpServerRequest request(String from, String... forwarded) {
        HttpServerRequest request = mock();
        when(request.remoteAddress()).thenReturn(address(from));
        MultiMap headers = MultiMap.caseInsensitiveMultiMap();
        List.of(forwarded).forEach(value -> headers.add("X-Forwarded-For", value));
        when(request.headers()).thenReturn(headers);
        return request;
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            203.0.113.9        | 198.51.100.1                        | 203.0.113.9
            10.1.2.3           | 198.51.100.1                        | 198.51.100.1
            10.1.2.3           | 198.51.100.66, 198.51.100.1         | 198.51.100.1
            10.1.2.3           | 198.51.100.1, 10.9.9.9, 192.0.2.7   | 198.51.100.1
            10.1.2.3           | 198.51.100.1:4711                   | 198.51.100.1
            10.1.2.3           | 198.51.100.1, unknown               | 10.1.2.3
            10.1.2.3           | ''                                  | 10.1.2.3
            10.1.2.3           | 10.4.5.6                            | 10.4.5.6
            192.0.2.8          | 198.51.100.1                        | 192.0.2.8
            2001:db8:1:2::3    | 198.51.100.1                        | 198.51.100.1
            10.1.2.3           | 2001:db8:7:8:9::1                   | 20:01:0d:b8:00:07:00:08::/64
            10.1.2.3           | [2001:db8:7:8::2]:4711              | 20:01:0d:b8:00:07:00:08::/64
            ::ffff:10.1.2.3    | 198.51.100.1                        | 198.51.100.1
            10.1.2.3           | ::ffff:198.51.100.1                 | 198.51.100.1
            10.1.2.3           | ::ffff:c633:6401                    | 198.51.100.1
            10.1.2.3           | [::ffff:198.51.100.1]:4711          | 198.51.100.1
            ::ffff:192.0.2.8   | 198.51.100.1                        | 192.0.2.8
            10.1.2.3           | "198.51.100.1"                      | 10.1.2.3
            10.1.2.3           | ', ,'                               | 10.1.2.3
            10.1.2.3           | 198.51.100.66, 198.51.100.1,        | 198.51.100.1
            10.1.2.3           | 198.51.100.66 198.51.100.1          | 10.1.2.3
            """)
    void aClientIsTheRightmostAddressThatIsNoTrustedProxy(String from, String forwarded, String client) {
        assertThat(new ClientAddress(PROXIES).of(request(from, forwarded))).isEqualTo(client);
    }

    @Test
    void headersOfSeveralProxiesAreOneList() {
        assertThat(new ClientAddress(PROXIES).of(request("10.1.2.3", "198.51.100.66", "198.51.100.1", "10.4.5.6")))
                .isEqualTo("198.51.100.1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.0.0.0/33", "10.0.0.0/", "2001:db8::/129", "proxy.example.org", "10.0.0.0/8/8", "1.2.3", "10.0.0.0/8,,"})
    void aNetworkThatIsNoneIsRefused(String networks) {
        assertThatThrownBy(() -> new ClientAddress(networks + ",10.0.0.0/8")).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void theRateIsThatOfTheClientBehindATrustedProxy() throws InvalidRequestException {
        RateLimiter limiter = new RateLimiter();
        limiter.setRate(10_000);
        limiter.setTrustedProxies(PROXIES);
        ClientLimits limits = new ClientLimits(new ClientAddress(PROXIES), 50);
        Client client = limits.of(request("10.1.2.3", "2001:db8:7:8:9::1"), limits.of(address("10.1.2.3")));
        HttpMessage one = message("10.1.2.3", "2001:db8:7:8:9::1");
        HttpMessage another = message("10.1.2.3", "198.51.100.1");
        HttpMessage oneAgain = message("10.4.5.6", "2001:db8:7:8:a::2");
        limiter.charge(client.address());
        limiter.charge("", one, 9_999);
        limiter.charge("", another, 10_000);
        assertThatThrownBy(() -> limiter.charge("", oneAgain, 9_900))
                .isInstanceOfSatisfying(InvalidRequestException.class, refused -> assertThat(refused.status()).isEqualTo(429));
    }

    private static HttpMessage message(String from, String forwarded) {
        return new HttpMessage(new DefaultExchange(new DefaultCamelContext()), request(from, forwarded), mock());
    }

    @Test
    void oneClientHasItsShareAndAllHaveTheLimit() {
        ClientLimits limits = new ClientLimits(new ClientAddress(PROXIES), 50);
        limits.limit(Resource.READS, 10, 1);
        Client ann = limits.of(address("198.51.100.1"));
        Client bob = limits.of(address("198.51.100.2"));
        assertThat(limits.of(address("198.51.100.1"))).isSameAs(ann).isNotSameAs(bob);
        assertThat(limits.take(ann, Resource.READS, 5)).isZero();
        assertThat(limits.take(ann, Resource.READS, 1)).isEqualTo(429);
        assertThat(limits.take(bob, Resource.READS, 5)).isZero();
        assertThat(limits.take(bob, Resource.READS, 1)).isEqualTo(503);
        limits.give(ann, Resource.READS, 5);
        assertThat(limits.take(ann, Resource.READS, 1)).isZero();
        assertThat(limits.held(Resource.READS)).isEqualTo(6);
    }

    @Test
    void aClientMayHoldWhatOneRequestNeeds() {
        ClientLimits limits = new ClientLimits(new ClientAddress(""), 1);
        limits.limit(Resource.BYTES, 1_000, 600);
        assertThat(limits.take(limits.of(address("198.51.100.1")), Resource.BYTES, 600)).isZero();
    }

    @Test
    void aShareOfAllIsNoLimitOfItsOwn() {
        ClientLimits limits = new ClientLimits(new ClientAddress(""), 100);
        limits.limit(Resource.READS, 10, 1);
        assertThat(limits.take(limits.of(address("198.51.100.1")), Resource.READS, 11)).isEqualTo(503);
    }

    @Test
    void onlyTheClientsOfATrustedProxyHaveShares() {
        ClientLimits limits = new ClientLimits(new ClientAddress(PROXIES), 50);
        limits.limit(Resource.READS, 10, 1);
        Client proxy = limits.of(address("10.1.2.3"));
        assertThat(limits.take(proxy, Resource.READS, 6)).isZero();
        Client client = limits.of(request("10.1.2.3", "198.51.100.1"), proxy);
        assertThat(limits.take(client, Resource.READS, 6)).isEqualTo(503);
        limits.give(proxy, Resource.READS, 6);
        assertThat(limits.take(client, Resource.READS, 6)).isEqualTo(429);
        Client direct = limits.of(address("198.51.100.1"));
        assertThat(limits.of(request("198.51.100.1", "198.51.100.2"), direct)).isSameAs(direct).isSameAs(client);
    }

    @Test
    void severalEventLoopsTogetherTakeNoMoreThanTheLimit() throws Exception {
        ClientLimits limits = new ClientLimits(new ClientAddress(""), 100);
        limits.limit(Resource.REQUESTS, 2, 1);
        Client client = limits.of(address("203.0.113.9"));
        AtomicInteger taken = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        List<Thread> loops = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            loops.add(new Thread(() -> {
                for (int n = 0; n < 50_000; n++) {
                    if (limits.take(client, Resource.REQUESTS, 1) == 0) {
                        most.accumulateAndGet(taken.incrementAndGet(), Math::max);
                        taken.decrementAndGet();
                        limits.give(client, Resource.REQUESTS, 1);
                    }
                }
            }));
        }
        loops.forEach(Thread::start);
        for (Thread loop : loops) {
            loop.join();
        }
        assertThat(most.get()).isBetween(1, 2);
        assertThat(limits.held(Resource.REQUESTS)).isZero();
    }
}
