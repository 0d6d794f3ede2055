"""Sends INFO, WARN and an exception through one client library: NAME and the ports as JSON.

Runs in the clients' own virtual environment, as a user's program would: public API only.
Every message ends with the client's name, so that the test finds its three.
"""

import json
import logging
import sys
import time
from collections.abc import Callable
from logging.handlers import HTTPHandler, SysLogHandler

HOST = "127.0.0.1"
SERVICE = "payments"
TOKEN = "any-token"


def three(logger: logging.Logger, name: str) -> None:
    """The three lines every client sends."""
    logger.setLevel(logging.DEBUG)
    # The name is no argument: one of the clients sends messages as they are before formatting.
    logger.info(f"Payment processed for order %s via {name}", 42)
    logger.warning(f"slow query took %d ms via {name}", 1530)
    try:
        print(1 / 0)
    except ZeroDivisionError:
        logger.exception(f"checkout failed for user %s via {name}", "ünï-☃")


def through(handler: logging.Handler, name: str) -> None:
    """The three lines through a handler of the standard library's logging, then its end."""
    logger = logging.getLogger(f"shop.{name}")
    logger.propagate = False
    logger.addHandler(handler)
    three(logger, name)
    handler.flush()
    handler.close()


def _otel_logs(exporter: object, name: str) -> None:
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.resources import Resource

    provider = LoggerProvider(resource=Resource.create({"service.name": SERVICE}))
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    logger = logging.getLogger(f"shop.{name}")
    logger.addHandler(LoggingHandler(logger_provider=provider))
    three(logger, name)
    provider.shutdown()


def _otel_spans(exporter: object, name: str) -> None:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": SERVICE}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("shop")
    with tracer.start_as_current_span(f"POST /pay via {name}") as parent:
        with tracer.start_as_current_span("SELECT orders"):
            pass
        print(format(parent.get_span_context().trace_id, "032x"))
    provider.shutdown()


def otlp_proto(name: str, ports: dict[str, int]) -> None:
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter

    _otel_logs(OTLPLogExporter(endpoint=f"http://{HOST}:{ports['http']}/v1/logs"), name)


def otlp_proto_gzip(name: str, ports: dict[str, int]) -> None:
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter

    endpoint = f"http://{HOST}:{ports['http']}/v1/logs"
    _otel_logs(OTLPLogExporter(endpoint=endpoint, compression=Compression.Gzip), name)


def otlp_json(name: str, ports: dict[str, int]) -> None:
    from opentelemetry.exporter.otlp.json.http._log_exporter import OTLPLogExporter

    _otel_logs(OTLPLogExporter(endpoint=f"http://{HOST}:{ports['http']}/v1/logs"), name)


def otlp_traces(name: str, ports: dict[str, int]) -> None:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    _otel_spans(OTLPSpanExporter(endpoint=f"http://{HOST}:{ports['http']}/v1/traces"), name)


def zipkin_traces(name: str, ports: dict[str, int]) -> None:
    from opentelemetry.exporter.zipkin.json import ZipkinExporter

    _otel_spans(ZipkinExporter(endpoint=f"http://{HOST}:{ports['http']}/api/v2/spans"), name)


def azure_monitor(name: str, ports: dict[str, int]) -> None:
    from azure.monitor.opentelemetry.exporter import AzureMonitorLogExporter

    key = "00000000-0000-0000-0000-000000000001"
    endpoint = f"http://{HOST}:{ports['http']}"
    _otel_logs(
        AzureMonitorLogExporter(
            connection_string=f"InstrumentationKey={key};IngestionEndpoint={endpoint}/",
            disable_offline_storage=True,
        ),
        name,
    )


def python_logging_loki(name: str, ports: dict[str, int]) -> None:
    import logging_loki

    url = f"http://{HOST}:{ports['http']}/loki/api/v1/push"
    tags = {"application": SERVICE}
    through(logging_loki.LokiHandler(url=url, tags=tags, version="1"), name)


def loki_logger_handler(name: str, ports: dict[str, int]) -> None:
    from loki_logger_handler.loki_logger_handler import LokiLoggerHandler

    url = f"http://{HOST}:{ports['http']}/loki/api/v1/push"
    handler = LokiLoggerHandler(url=url, labels={"application": SERVICE}, timeout=1)
    logger = logging.getLogger(f"shop.{name}")
    logger.addHandler(handler)
    three(logger, name)
    time.sleep(2.5)  # its thread sends by the clock and has no flush


def _documents(name: str) -> list[dict[str, object]]:
    base = {"service": {"name": SERVICE}, "@timestamp": "2026-11-23T02:00:00.123456Z"}
    return [
        {**base, "message": f"Payment processed for order 42 via {name}", "log.level": "info"},
        {**base, "message": f"slow query took 1530 ms via {name}", "log": {"level": "warning"}},
        {
            **base,
            "message": f"checkout failed for user ünï-☃ via {name}",
            "log.level": "error",
            "error": {
                "type": "ZeroDivisionError",
                "message": "division by zero",
                "stack_trace": "Traceback (most recent call last):\nZeroDivisionError: division",
            },
        },
    ]


def elasticsearch(name: str, ports: dict[str, int]) -> None:
    from elasticsearch import Elasticsearch, helpers

    client = Elasticsearch(f"http://{HOST}:{ports['http']}")
    actions = (
        {"_op_type": "create", "_index": "logs-app-default", **document}
        for document in _documents(name)
    )
    sent, errors = helpers.bulk(client, actions)
    assert (sent, errors) == (3, []), errors


def opensearch(name: str, ports: dict[str, int]) -> None:
    from opensearchpy import OpenSearch, helpers

    client = OpenSearch(f"http://{HOST}:{ports['http']}")
    assert client.info()["version"]["number"]
    actions = ({"_index": "logs", **document} for document in _documents(name))
    sent, errors = helpers.bulk(client, actions)
    assert (sent, errors) == (3, []), errors


def splunk_hec_handler(name: str, ports: dict[str, int]) -> None:
    from splunk_hec_handler import SplunkHecHandler

    handler = SplunkHecHandler(
        HOST, TOKEN, port=ports["http"], proto="http", ssl_verify=False, source=SERVICE
    )
    through(handler, name)


def splunk_handler(name: str, ports: dict[str, int]) -> None:
    from splunk_handler import SplunkHandler

    handler = SplunkHandler(
        host=HOST,
        port=ports["http"],
        token=TOKEN,
        index="main",
        source=SERVICE,
        protocol="http",
        verify=False,
        flush_interval=0.2,
    )
    through(handler, name)


def seqlog(name: str, ports: dict[str, int]) -> None:
    import seqlog as seq

    seq.set_global_log_properties(Application=SERVICE)
    logging.getLogger("urllib3").setLevel(logging.WARNING)  # it hangs on the root logger
    handler = seq.log_to_seq(
        server_url=f"http://{HOST}:{ports['http']}/",
        api_key=TOKEN,
        level=logging.DEBUG,
        batch_size=3,
        auto_flush_timeout=0.2,
        override_root_logger=False,
    )
    three(logging.getLogger(f"shop.{name}"), name)
    time.sleep(1)  # its thread sends by the clock
    handler.close()


def pygelf_http(name: str, ports: dict[str, int]) -> None:
    from pygelf import GelfHttpHandler

    through(GelfHttpHandler(host=HOST, port=ports["http"], _service=SERVICE), name)


def pygelf_udp(name: str, ports: dict[str, int]) -> None:
    from pygelf import GelfUdpHandler

    through(GelfUdpHandler(host=HOST, port=ports["gelf"], _service=SERVICE), name)


def pygelf_tcp(name: str, ports: dict[str, int]) -> None:
    from pygelf import GelfTcpHandler

    through(GelfTcpHandler(host=HOST, port=ports["gelf"], _service=SERVICE), name)


def logtail(name: str, ports: dict[str, int]) -> None:
    from logtail import LogtailHandler

    handler = LogtailHandler(source_token=TOKEN, host=f"http://{HOST}:{ports['http']}")
    through(handler, name)
    time.sleep(1.5)  # its thread sends once a second


def axiom(name: str, ports: dict[str, int]) -> None:
    from axiom_py import Client
    from axiom_py.logging import AxiomHandler

    client = Client(token=TOKEN, url=f"http://{HOST}:{ports['http']}")
    through(AxiomHandler(client, SERVICE), name)


def logstash_async(name: str, ports: dict[str, int]) -> None:
    from logstash_async.formatter import LogstashFormatter
    from logstash_async.handler import AsynchronousLogstashHandler
    from logstash_async.transport import HttpTransport

    transport = HttpTransport(HOST, ports["http"], ssl_enable=False, timeout=5.0)
    handler = AsynchronousLogstashHandler(
        HOST, ports["http"], transport=transport, database_path=None
    )
    handler.setFormatter(LogstashFormatter(extra={"service": SERVICE}))
    through(handler, name)


def sentry(name: str, ports: dict[str, int]) -> None:
    import sentry_sdk

    sentry_sdk.init(
        dsn=f"http://public@{HOST}:{ports['http']}/1",
        environment="production",
        release="1.2.3",
        enable_logs=True,
    )
    three(logging.getLogger(f"shop.{name}"), name)
    sentry_sdk.flush(5)


def datadog(name: str, ports: dict[str, int]) -> None:
    from datadog_api_client import ApiClient, Configuration
    from datadog_api_client.v2.api.logs_api import LogsApi
    from datadog_api_client.v2.model.content_encoding import ContentEncoding
    from datadog_api_client.v2.model.http_log import HTTPLog
    from datadog_api_client.v2.model.http_log_item import HTTPLogItem

    configuration = Configuration(host=f"http://{HOST}:{ports['http']}")
    configuration.api_key["apiKeyAuth"] = TOKEN
    texts = [
        ("info", f"Payment processed for order 42 via {name}"),
        ("warn", f"slow query took 1530 ms via {name}"),
        ("error", f"checkout failed for user ünï-☃ via {name}"),
    ]
    items = [
        HTTPLogItem(
            ddsource="python",
            ddtags="env:production,version:1.2.3",
            hostname="host-1",
            service=SERVICE,
            message=text,
            status=status,
            **(
                {"error.stack": "Traceback (most recent call last):\nZeroDivisionError"}
                if status == "error"
                else {}
            ),
        )
        for status, text in texts
    ]
    with ApiClient(configuration) as client:
        for encoding in (ContentEncoding.GZIP,):
            LogsApi(client).submit_log(content_encoding=encoding, body=HTTPLog(items))


def fluent_logger(name: str, ports: dict[str, int]) -> None:
    from fluent import handler as fluent

    handler = fluent.FluentHandler(f"app.{SERVICE}", host=HOST, port=ports["forward"])
    handler.setFormatter(
        fluent.FluentRecordFormatter(
            {"level": "%(levelname)s", "message": "%(message)s", "stack_trace": "%(exc_text)s"}
        )
    )
    through(handler, name)


def http_handler_post(name: str, ports: dict[str, int]) -> None:
    through(HTTPHandler(f"{HOST}:{ports['http']}", "/ingest", method="POST"), name)


def http_handler_get(name: str, ports: dict[str, int]) -> None:
    through(HTTPHandler(f"{HOST}:{ports['http']}", "/ingest", method="GET"), name)


def _syslog(name: str, port: int, kind: int) -> None:
    handler = SysLogHandler(address=(HOST, port), socktype=kind)
    handler.ident = f"{SERVICE}: "
    through(handler, name)


def syslog_udp(name: str, ports: dict[str, int]) -> None:
    import socket

    _syslog(name, ports["syslog"], socket.SOCK_DGRAM)


def syslog_tcp(name: str, ports: dict[str, int]) -> None:
    import socket

    _syslog(name, ports["syslog"], socket.SOCK_STREAM)


CLIENTS: dict[str, Callable[[str, dict[str, int]], None]] = {
    function.__name__: function
    for function in (
        otlp_proto,
        otlp_proto_gzip,
        otlp_json,
        otlp_traces,
        zipkin_traces,
        azure_monitor,
        python_logging_loki,
        loki_logger_handler,
        elasticsearch,
        opensearch,
        splunk_hec_handler,
        splunk_handler,
        seqlog,
        pygelf_http,
        pygelf_udp,
        pygelf_tcp,
        logtail,
        axiom,
        logstash_async,
        sentry,
        datadog,
        fluent_logger,
        http_handler_post,
        http_handler_get,
        syslog_udp,
        syslog_tcp,
    )
}

if __name__ == "__main__":
    client, given = sys.argv[1:]
    CLIENTS[client](client, json.loads(given))
