package comments;

import org.apache.camel.CamelContext;
import org.apache.camel.CamelContextAware;

/** The text of an SQL file that lies beside the routes. */
public class SqlFile implements CamelContextAware {

    private CamelContext camelContext;
    private String text;

    /** The file's name. It is read now. */
    public void setName(String name) {
        text = RouteFile.read(camelContext, name);
    }

    /** What is in it. */
    public String getText() {
        return text;
    }

    @Override
    public void setCamelContext(CamelContext camelContext) {
        this.camelContext = camelContext;
    }

    @Override
    public CamelContext getCamelContext() {
        return camelContext;
    }
}
