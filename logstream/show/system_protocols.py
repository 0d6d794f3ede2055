"""What the System page draws of who sends: wire formats and API keys."""

from collections.abc import Sequence
from datetime import tzinfo

from logstream.show.system_tables import Facts, count, moment, table
from logstream.show.words import size

# Wire formats by their names on screen; any other is shown as it is called.
_WORDS = {
    "native": "LogStream",
    "generic": "Other JSON",
    "otlp": "OTLP logs",
    "otlp_logs": "OTLP logs",
    "otlp_traces": "OTLP traces",
    "otlp_metrics": "OTLP metrics",
    "zipkin": "Zipkin",
    "loki": "Loki",
    "elasticsearch": "Elasticsearch",
    "splunk_hec": "Splunk HEC",
    "datadog": "Datadog",
    "seq": "Seq",
    "gelf": "GELF",
    "sentry": "Sentry",
    "app_insights": "Application Insights",
    "syslog_udp": "Syslog over UDP",
    "syslog_tcp": "Syslog over TCP",
    "gelf_udp": "GELF over UDP",
    "gelf_tcp": "GELF over TCP",
    "forward": "Fluentd forward",
}


def format_words(name: str) -> str:
    """The wire format as people call it."""
    return _WORDS.get(name, name.replace("_", " "))


def draw_protocols(facts: Facts) -> None:
    """What each wire format brought since the service's start."""
    formats = facts.get("formats") or {}
    table(
        "Ingestion by protocol",
        ("Protocol", "Lines", "Spans", "Rejected", "Requests", "Bytes"),
        [
            (
                format_words(name),
                count(counts.get("accepted")),
                count(counts.get("spans")),
                count(counts.get("rejected")),
                count(counts.get("requests")),
                size(counts.get("bytes") or 0),
            )
            for name, counts in sorted(
                formats.items(),
                key=lambda item: -((item[1].get("accepted") or 0) + (item[1].get("spans") or 0)),
            )
        ],
        "Nothing was sent since the service started.",
    )


def draw_api_keys(keys: Sequence[Facts], zone: tzinfo) -> None:
    """The keys that let somebody in, as far as they may be shown."""
    table(
        "API keys",
        ("Key", "Name", "Role", "Environment", "Lines/s at most", "Last used", "Lines", "Rejected"),
        [
            (
                f"{key['prefix']}…",
                str(key.get("name") or "–"),
                str(key["role"]),
                str(key.get("environment") or "all"),
                count(key.get("rate")),
                moment(key.get("lastUsedAt"), zone),
                count(key.get("lines")),
                count(key.get("rejected")),
            )
            for key in keys
        ],
        "No key.",
        note="Made and revoked with: logstream keys",
    )
