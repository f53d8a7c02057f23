package comments.postgresql;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.ParameterMetaData;
import java.sql.PreparedStatement;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How many parameters each statement has, which camel-jdbc asks before it binds them. The driver would ask the database each
 * time, which costs a round trip; here it asks once for each text of a statement. The number is the only metadata that these
 * statements have.
 *
 * <p>Any number of threads may call it.
 */
public final class ParameterCounts {

    private final Map<String, ParameterMetaData> bySql = new ConcurrentHashMap<>();

    /** The same connection; its prepared statements have the number of their parameters at hand. */
    Connection of(Connection connection) {
        return proxy(Connection.class, connection, (target, method, arguments) -> {
            Object result = method.invoke(target, arguments);
            return result instanceof PreparedStatement statement && method.getName().equals("prepareStatement")
                    ? of(statement, (String) arguments[0]) : result;
        });
    }

    private PreparedStatement of(PreparedStatement statement, String sql) {
        return proxy(PreparedStatement.class, statement, (target, method, arguments) -> {
            if (!method.getName().equals("getParameterMetaData")) {
                return method.invoke(target, arguments);
            }
            ParameterMetaData known = bySql.get(sql);
            if (known == null) {
                known = counted(statement.getParameterMetaData().getParameterCount());
                bySql.put(sql, known);
            }
            return known;
        });
    }

    private static ParameterMetaData counted(int count) {
        return proxy(ParameterMetaData.class, count, (target, method, arguments) -> {
            if (!method.getName().equals("getParameterCount")) {
                throw new UnsupportedOperationException(method.getName());
            }
            return count;
        });
    }

    /** Answers a call of a target's method, mostly by calling it. */
    private interface Calls {
        Object answer(Object target, Method method, Object[] arguments) throws Throwable;
    }

    private static <T> T proxy(Class<T> type, Object target, Calls calls) {
        InvocationHandler handler = (proxy, method, arguments) -> {
            try {
                return calls.answer(target, method, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        };
        return type.cast(Proxy.newProxyInstance(ParameterCounts.class.getClassLoader(), new Class<?>[] {type}, handler));
    }
}
