// Sends INFO, WARN and an exception (or two spans) through one client library: NAME and the
// ports as JSON. Public API only, as a user's program would. Every message ends with the
// client's name, so that the test finds its three.

const HOST = "127.0.0.1";
const SERVICE = "payments";
const TOKEN = "any-token";
const [client, given] = process.argv.slice(2);
const ports = JSON.parse(given);
const url = `http://${HOST}:${ports.http}`;
const texts = {
  info: `Payment processed for order 42 via ${client}`,
  warn: `slow query took 1530 ms via ${client}`,
  error: `checkout failed for user ünï-☃ via ${client}`,
};
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function threeByWinston(winston, transport) {
  const { combine, timestamp, errors, json } = winston.format;
  const logger = winston.createLogger({
    level: "debug",
    format: combine(errors({ stack: true }), timestamp(), json()),
    transports: [transport],
  });
  logger.info(texts.info, { orderId: 42 });
  logger.warn(texts.warn);
  logger.error(texts.error, { stack: new Error("boom").stack });
  return logger;
}

function threeByPino(logger) {
  logger.info({ orderId: 42 }, texts.info);
  logger.warn(texts.warn);
  logger.error({ err: new Error("boom") }, texts.error);
}

async function threeByPinoTransport(target, options) {
  const { default: pino } = await import("pino");
  const transport = pino.transport({ target, options });
  const logger = pino({ name: SERVICE }, transport);
  threeByPino(logger);
  await new Promise((resolve) => logger.flush(resolve));
  await wait(2000);
  process.exit(0); // not every transport ends when it is told to
}

async function otlpLogs(module) {
  const { OTLPLogExporter } = await import(module);
  const { LoggerProvider, BatchLogRecordProcessor } = await import("@opentelemetry/sdk-logs");
  const { resourceFromAttributes } = await import("@opentelemetry/resources");
  const provider = new LoggerProvider({
    resource: resourceFromAttributes({ "service.name": SERVICE }),
    processors: [
      new BatchLogRecordProcessor({ exporter: new OTLPLogExporter({ url: `${url}/v1/logs` }) }),
    ],
  });
  const logger = provider.getLogger("shop");
  const error = new Error("boom");
  logger.emit({ severityNumber: 9, severityText: "INFO", body: texts.info });
  logger.emit({ severityNumber: 13, severityText: "WARN", body: texts.warn });
  logger.emit({
    severityNumber: 17,
    severityText: "ERROR",
    body: texts.error,
    attributes: { "exception.type": "Error", "exception.stacktrace": error.stack },
  });
  await provider.shutdown();
}

async function otlpTraces(module) {
  const { OTLPTraceExporter } = await import(module);
  const { NodeTracerProvider, BatchSpanProcessor } = await import(
    "@opentelemetry/sdk-trace-node"
  );
  const { resourceFromAttributes } = await import("@opentelemetry/resources");
  const { trace, context } = await import("@opentelemetry/api");
  const exporter = new OTLPTraceExporter({ url: `${url}/v1/traces` });
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ "service.name": SERVICE }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  const tracer = provider.getTracer("shop");
  const parent = tracer.startSpan(`POST /pay via ${client}`);
  const within = trace.setSpan(context.active(), parent);
  tracer.startSpan("SELECT orders", {}, within).end();
  parent.end();
  console.log(parent.spanContext().traceId);
  await provider.shutdown();
}

const clients = {
  otlp_logs_json: () => otlpLogs("@opentelemetry/exporter-logs-otlp-http"),
  otlp_logs_proto: () => otlpLogs("@opentelemetry/exporter-logs-otlp-proto"),
  otlp_traces_json: () => otlpTraces("@opentelemetry/exporter-trace-otlp-http"),
  otlp_traces_proto: () => otlpTraces("@opentelemetry/exporter-trace-otlp-proto"),

  async zipkin_js() {
    const { default: zipkin } = await import("zipkin");
    const { HttpLogger } = (await import("zipkin-transport-http")).default;
    const recorder = new zipkin.BatchRecorder({
      logger: new HttpLogger({
        endpoint: `${url}/api/v2/spans`,
        jsonEncoder: zipkin.jsonEncoder.JSON_V2,
        httpInterval: 200,
      }),
    });
    const context = new zipkin.ExplicitContext();
    const tracer = new zipkin.Tracer({
      ctxImpl: context,
      recorder,
      localServiceName: SERVICE,
      traceId128Bit: true,
    });
    tracer.local(`POST /pay via ${client}`, () => {
      console.log(tracer.id.traceId);
      tracer.local("SELECT orders", () => 1);
    });
    await wait(1200);
  },

  async winston_http() {
    const { default: winston } = await import("winston");
    threeByWinston(
      winston,
      new winston.transports.Http({ host: HOST, port: ports.http, path: "/logs/ingest" }),
    );
    await wait(1000);
  },

  async winston_http_batch() {
    const { default: winston } = await import("winston");
    const options = { host: HOST, port: ports.http, path: "/logs/ingest" };
    const batching = { batch: true, batchInterval: 300, batchCount: 10 };
    threeByWinston(winston, new winston.transports.Http({ ...options, ...batching }));
    await wait(1200);
  },

  async winston_loki() {
    await winstonLoki({});
  },

  async winston_loki_json() {
    await winstonLoki({ json: true, basicAuth: "user:password" });
  },

  pino_loki: () =>
    threeByPinoTransport("pino-loki", {
      host: url,
      labels: { application: SERVICE },
      batching: { interval: 1 },
    }),

  pino_elasticsearch: () =>
    threeByPinoTransport("pino-elasticsearch", {
      node: url,
      index: "payments",
      esVersion: 8,
      flushBytes: 100,
    }),

  pino_opentelemetry: () =>
    threeByPinoTransport("pino-opentelemetry-transport", {
      logRecordProcessorOptions: {
        recordProcessorType: "simple",
        exporterOptions: { protocol: "http", httpExporterOptions: { url: `${url}/v1/logs` } },
      },
      resourceAttributes: { "service.name": SERVICE },
    }),

  async elasticsearch_js() {
    const { Client } = await import("@elastic/elasticsearch");
    const elastic = new Client({ node: url });
    const documents = Object.entries(texts).map(([level, message]) => ({
      "@timestamp": "2026-11-23T02:00:00.123Z",
      message,
      "log.level": level,
      service: { name: SERVICE },
      ...(level === "error" ? { error: { stack_trace: new Error("boom").stack } } : {}),
    }));
    const answer = await elastic.bulk({
      operations: documents.flatMap((one) => [{ create: { _index: "logs-app-default" } }, one]),
    });
    if (answer.errors) throw new Error(JSON.stringify(answer));
    await elastic.close();
  },

  async winston_elasticsearch() {
    const { default: winston } = await import("winston");
    const { ElasticsearchTransport } = await import("winston-elasticsearch");
    const transport = new ElasticsearchTransport({
      level: "debug",
      flushInterval: 300,
      clientOpts: { node: url },
    });
    threeByWinston(winston, transport);
    await wait(1500);
    await transport.flush();
    await wait(500);
    process.exit(0);
  },

  async winston_splunk() {
    const { default: winston } = await import("winston");
    const { default: SplunkStreamEvent } = await import("winston-splunk-httplogger");
    const splunk = { token: TOKEN, host: HOST, port: ports.http, protocol: "http" };
    threeByWinston(winston, new SplunkStreamEvent({ splunk: { ...splunk, source: SERVICE } }));
    await wait(1500);
  },

  async winston_seq() {
    const { default: winston } = await import("winston");
    const { SeqTransport } = await import("@datalust/winston-seq");
    const transport = new SeqTransport({
      serverUrl: url,
      apiKey: TOKEN,
      onError: (error) => console.error(error),
    });
    threeByWinston(winston, transport);
    await wait(1200);
    await transport.flush();
    await transport.close?.();
  },

  async logtail_js() {
    const { Logtail } = await import("@logtail/node");
    const logtail = new Logtail(TOKEN, { endpoint: url, batchInterval: 100 });
    await Promise.all([
      logtail.info(texts.info, { orderId: 42 }),
      logtail.warn(texts.warn),
      logtail.error(texts.error, { stack: new Error("boom").stack }),
    ]);
    await logtail.flush();
  },

  async axiom_js() {
    const { Axiom } = await import("@axiomhq/js");
    const axiom = new Axiom({ token: TOKEN, url, onError: (error) => console.error(error) });
    const rows = Object.entries(texts).map(([level, message]) => ({ level, message }));
    axiom.ingest(SERVICE, [rows[0], rows[1], { ...rows[2], stack: new Error("boom").stack }]);
    await axiom.flush();
  },

  async gelf_pro() {
    const { default: gelf } = await import("gelf-pro");
    gelf.setConfig({
      adapterName: "udp",
      adapterOptions: { host: HOST, port: ports.gelf },
      fields: { service: SERVICE },
    });
    const send = (level, message, extra) =>
      new Promise((resolve, reject) =>
        gelf[level](message, extra, (error) => (error ? reject(error) : resolve())),
      );
    await send("info", texts.info, { orderId: 42 });
    await send("warning", texts.warn, {});
    await send("error", texts.error, { stack: new Error("boom").stack });
  },

  async fluent_js() {
    const { FluentClient } = await import("@fluent-org/logger");
    const fluent = new FluentClient(`app.${SERVICE}`, {
      socket: { host: HOST, port: ports.forward },
      ack: { ackTimeout: 5000 },
    });
    for (const [level, message] of Object.entries(texts)) {
      const stack = level === "error" ? { stack: new Error("boom").stack } : {};
      await fluent.emit({ level, message, ...stack });
    }
    await fluent.disconnect();
  },
};

async function winstonLoki(options) {
  const { default: winston } = await import("winston");
  const { default: LokiTransport } = await import("winston-loki");
  const transport = new LokiTransport({
    host: url,
    labels: { app: SERVICE },
    interval: 1,
    gracefulShutdown: false,
    onConnectionError: (error) => console.error(error),
    ...options,
  });
  threeByWinston(winston, transport);
  await transport.flush();
  await wait(1500);
  process.exit(0);
}

await clients[client]();
