"""What the members of a log object are called by the loggers and shippers of this world.

Of several names the first that is there counts. A dotted name is a member of that name or of
the object before the dot: `log.level` is also `{"log": {"level": …}}`.
"""

MESSAGES = (
    *("message", "msg", "MESSAGE", "body", "log", "record.message", "text", "@message", "event"),
    *("short_message", "Message", "@m", "RenderedMessage", "@mt", "MessageTemplate"),
    *("textPayload", "resultDescription", "Body", "line", "_msg"),
)
# Of these also a number, an object or an array is the message.
SURE_MESSAGES = frozenset(("message", "msg", "MESSAGE", "Message", "@m", "body", "Body"))
LEVELS = (
    *("severity", "level", "log.level", "lvl", "loglevel", "levelname", "PRIORITY", "priority"),
    *("SeverityText", "severity_text", "severityText", "status_level", "Level", "@l"),
    *("error_severity", "log_level", "logLevel", "LogLevel", "level_name", "level.name"),
)
# A word in these that is no level means something else.
UNSURE_LEVELS = frozenset(("priority", "status_level", "status", "s", "levelno"))
MONGO = frozenset(("s", "c", "msg"))  # MongoDB's severity is one letter, its component `c`
# OpenTelemetry's 1 to 24.
NUMBERS = ("severity_number", "severityNumber", "SeverityNumber")
TIMES = (
    *("timestamp", "time", "ts", "@timestamp", "createdAt", "datetime", "date", "asctime", "t"),
    *("__REALTIME_TIMESTAMP", "timestamp_ns", "eventTime", "EdgeStartTimestamp", "started_at"),
    *("instant", "timeMillis", "Timestamp", "@t", "timeUnixNano", "Time", "created", "dt", "_time"),
    *("timereported", "timegenerated", "ISODATE"),
)
# Names of programs that may come with their folders: the last part is the service's name.
PROGRAMS = frozenset(("program", "programname", "PROGRAM"))
# W3C's day and clock, Google Cloud's seconds and nanoseconds.
TIME_PAIRS = (("date", "time"), ("timestampSeconds", "timestampNanos"))
SERVICES = (
    *("service", "service.name", "service_name", "serviceName", "app", "application"),
    *("SYSLOG_IDENTIFIER", "source", "resource.service.name", "Resource.service.name"),
    *("app_name", "appname", "Application", "ApplicationName", "dd.service", "extra.service"),
    *("program", "programname", "PROGRAM", "APP-NAME"),
    *("kubernetes.labels.app.kubernetes.io/name", "kubernetes.labels.app"),
    *("kubernetes.container_name", "kubernetes.container.name", "resource.labels.service_name"),
    *("resource.labels.container_name", "container_name"),
)
# What `source` says of a stream, not of a service.
STREAMS = frozenset(("stdout", "stderr"))
TRACES = (
    *("trace_id", "traceId", "trace.id", "TraceId", "traceID", "@tr", "dd.trace_id"),
    *("otelTraceID", "logging.googleapis.com/trace", "trace", "xray_trace_id"),
)
SPANS = (
    *("span_id", "spanId", "span.id", "SpanId", "spanID", "@sp", "dd.span_id", "otelSpanID"),
    "logging.googleapis.com/spanId",
)
ENVIRONMENTS = (
    *("environment", "env", "deployment.environment.name", "deployment.environment"),
    *("service.environment", "dd.env", "Environment", "EnvironmentName"),
    *("resource.deployment.environment.name", "Resource.deployment.environment.name"),
)
# Only names that mean milliseconds.
DURATIONS = ("latency", "duration_ms", "durationMs", "latency_ms", "latencyMs", "elapsed_ms")
STACKS = (
    *("exception.stacktrace", "error.stack_trace", "error.stack", "err.stack", "stack"),
    *("stack_trace", "stackTrace", "stacktrace", "exc_text", "exc_info", "exception", "@x"),
    *("Exception", "exception.stack", "exception.stack_trace", "exception.traceback"),
    *("thrown.extendedStackTrace", "extra.stack_trace", "traceback", "errorVerbose"),
    "stack_info",
)
ERROR_TYPES = (
    *("exception.type", "error.type", "err.type", "err.name", "error.name", "error.kind"),
    *("errorType", "error_type", "exc_type", "exception_name", "thrown.name"),
    "extra.error_type",
)
ERROR_MESSAGES = (
    *("exception.message", "error.message", "err.message", "exception.value", "errorMessage"),
    *("error_message", "exc_value", "thrown.message"),
)

# Objects whose members are looked at as if they stood outside …
TRANSPARENT = ("fields", "@fields", "jsonPayload", "metadata", "record", "contextMap", "mdc")
# … and those whose members are known by a dotted name.
CONTAINERS = (
    *TRANSPARENT,
    *("log", "service", "trace", "span", "error", "err", "exception", "thrown", "extra"),
    *("level", "deployment", "deployment.environment", "dd", "kubernetes", "kubernetes.labels"),
    *("kubernetes.container", "resource", "Resource", "resource.labels"),
)
# Facts about the machine: a service found in them stays there too.
COPIED = ("kubernetes.", "resource.", "Resource.")
