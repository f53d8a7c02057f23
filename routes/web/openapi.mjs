SwaggerUIBundle({url: new URL("../openapi.json", import.meta.url).href, dom_id: "#api", validatorUrl: null});
