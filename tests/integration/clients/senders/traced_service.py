"""One of two services as their authors write them: standard library and OpenTelemetry's packages.

`traced_service.py NAME PORT LOGSTREAM_URL [URL_OF_THE_OTHER]` serves until it gets SIGTERM, then
sends what it still holds. The storefront asks payments to charge a card; an expired one fails.
"""

import logging
import signal
import sys
import threading
from urllib.error import HTTPError
from urllib.parse import parse_qs
from urllib.request import urlopen
from wsgiref.simple_server import WSGIRequestHandler, make_server

from opentelemetry import trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.instrumentation.urllib import URLLibInstrumentor
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

NAME, PORT, LOGSTREAM = sys.argv[1:4]
log = logging.getLogger(NAME)
tracer = trace.get_tracer(NAME)


class CardExpired(Exception):
    """The card cannot be charged any more."""


class Quiet(WSGIRequestHandler):
    """Keeps its accesses to itself."""

    def log_message(self, *_):
        pass


def instrument():
    resource = Resource({"service.name": NAME, "deployment.environment.name": "traced"})
    spans = TracerProvider(resource=resource)
    spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{LOGSTREAM}/v1/traces")))
    trace.set_tracer_provider(spans)
    logs = LoggerProvider(resource=resource)
    logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(f"{LOGSTREAM}/v1/logs")))
    set_logger_provider(logs)
    logging.getLogger().setLevel(logging.INFO)
    logging.getLogger().addHandler(LoggingHandler(logger_provider=logs))
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    URLLibInstrumentor().instrument()
    return spans, logs


def storefront(environ, start_response):
    card = parse_qs(environ["QUERY_STRING"])["card"][0]
    log.info("checkout of card %s started", card)
    try:
        with urlopen(f"{sys.argv[4]}/charge?card={card}") as reply:
            reply.read()
    except HTTPError as error:
        log.error("checkout failed: payments answered %d", error.code)
        start_response("502 Bad Gateway", [("Content-Type", "text/plain")])
        return [b"payment failed"]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"paid"]


def payments(environ, start_response):
    card = parse_qs(environ["QUERY_STRING"])["card"][0]
    try:
        with tracer.start_as_current_span("charge card"):
            log.info("charging card %s", card)
            if card == "expired":
                raise CardExpired("card ended in 2024-03")
    except CardExpired:
        log.exception("charging failed")
        start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
        return [b"card expired"]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"charged"]


def main():
    providers = instrument()
    application = {"storefront": storefront, "payments": payments}[NAME]
    server = make_server(
        "127.0.0.1", int(PORT), OpenTelemetryMiddleware(application), handler_class=Quiet
    )
    signal.signal(
        signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown, daemon=True).start()
    )
    print("ready", flush=True)
    server.serve_forever(poll_interval=0.05)
    server.server_close()
    for provider in providers:
        provider.force_flush()
        provider.shutdown()


main()
