"""What the OpenAPI document says of the door's paths; FastAPI writes the rest."""

from typing import Any

from fastapi import FastAPI

from ingest_service.door import MAX_KEY_CHARACTERS
from ingest_service.protocols import PROBES, ROUTES
from ingest_service.protocols.native import NATIVE
from ingest_service.protocols.protocol import Probe, Route

LOG_RECORD_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["source", "message"],
    "properties": {
        "source": {"type": "string", "description": "The service's name."},
        "message": {"type": "string"},
        "severity": {"type": "string", "example": "error", "default": "info"},
        "metadata": {
            "type": "object",
            "description": "Any attributes; traceId, spanId and latency (ms) become columns too.",
        },
        "createdAt": {
            "description": "RFC 3339, or seconds, ms, µs or ns since 1970; absent: now.",
            "oneOf": [{"type": "string", "format": "date-time"}, {"type": "number"}],
        },
        "environment": {"type": "string"},
    },
}
_NATIVE: dict[str, Any] = {
    "tags": ["ingest"],
    "summary": "Land log records",
    "description": "One JSON object, an array, or NDJSON; identity, gzip, deflate or zstd. "
    "Answered after COMMIT. Bad records are named, good ones beside them land.",
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "maxLength": MAX_KEY_CHARACTERS},
            "description": "A retry with the same key stores nothing twice.",
        }
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [
                        {"$ref": "#/components/schemas/LogRecord"},
                        {
                            "type": "array",
                            "items": {"$ref": "#/components/schemas/LogRecord"},
                        },
                    ]
                }
            },
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    },
    "responses": {
        "201": {
            "description": "Committed.",
            "content": {
                "application/json": {
                    "example": {
                        "accepted": 2,
                        "rejected": [],
                        "ids": [17, 18],
                        "durable": "database",
                    }
                }
            },
        },
        "400": {"description": "Nothing was accepted; `rejected` says why."},
        "408": {"description": "The body came too slowly; send it again."},
        "413": {"description": "The body is over the limit."},
        "415": {"description": "The Content-Encoding is not known."},
        "503": {"description": "Not stored; try again after `Retry-After` seconds."},
    },
}


_ERROR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "hint"],
            "properties": {
                "code": {"type": "string", "description": "Stable, for programs."},
                "message": {"type": "string"},
                "hint": {"type": "string", "description": "What to do."},
            },
        }
    },
}
_REFUSED: dict[str, Any] = {
    "description": "Refused; the error says why and what to do.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}
_ANY_BODY = {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}
_PLACES = [
    {"name": name, "in": "query", "required": False, "schema": {"type": "string"},
     "description": text}
    for name, text in (
        ("path", "Where the body would be sent to."),
        ("format", "The wire format; neither: told from the body."),
    )
]  # fmt: skip
# What routes/bodies.py serves, which FastAPI does not see.
_READ_AGAIN: dict[str, dict[str, Any]] = {
    "/ingest/explain": {
        "tags": ["ingest"],
        "summary": "How would this be read?",
        "description": "Every record of a body of any format, field by field, with where each "
        "value came from, and what would be refused. Stores nothing.",
        "parameters": _PLACES,
        "requestBody": {"required": True, **_ANY_BODY},
        "responses": {
            "200": {"description": "`{format, path, records, spans, rejected, truncated}`"},
            "400": {"description": "The body cannot be read as a whole."},
            "413": {"description": "The body is over the limit."},
            "415": {"description": "The Content-Encoding is not known."},
        },
    },
    "/rejects/{reject_id}/resend": {
        "tags": ["rejects"],
        "summary": "Land a refused record, perhaps corrected",
        "description": "The body, if any, is the corrected record. It lands once.",
        "parameters": [
            {
                "name": "reject_id",
                "in": "path",
                "required": True,
                "schema": {"type": "integer", "minimum": 1},
            },
            *_PLACES,
        ],
        "requestBody": {"required": False, **_ANY_BODY},
        "responses": {
            "201": {"description": "Landed; as POST /logs/ingest."},
            "400": {"description": "Refused as before; `rejected` says why."},
            "404": {"description": "It is not kept (any more)."},
            "503": {"description": "Not stored; try again after `Retry-After` seconds."},
        },
    },
}


def document_door(app: FastAPI) -> None:
    """Add the door's paths, and how requests are refused, to the application's document."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        document = made()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for operations in document["paths"].values():
            for operation in operations.values():
                # FastAPI's own refusal, which nobody gets: ours are 400 and in our shape.
                operation["responses"].pop("422", None)
                operation["responses"].setdefault("4XX", _REFUSED)
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        entries: list[Route | Probe] = [*ROUTES, *PROBES]
        for entry in entries:
            operations = document["paths"].setdefault(entry.path, {})
            for method in entry.methods:
                operations[method.lower()] = _operation(entry)
        schemas["Error"] = _ERROR_SCHEMA
        for path, operation in _READ_AGAIN.items():
            document["paths"].setdefault(path, {})["post"] = operation
        schemas["LogRecord"] = LOG_RECORD_SCHEMA
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _operation(entry: Route | Probe) -> dict[str, Any]:
    if isinstance(entry, Route) and entry.protocol is NATIVE:
        return _NATIVE
    parameters = [
        {"name": part[1:-1], "in": "path", "required": True, "schema": {"type": "string"}}
        for part in entry.path.split("/")
        if part.startswith("{")
    ]
    operation: dict[str, Any] = {
        "tags": ["status" if isinstance(entry, Probe) else "ingest"],
        "summary": entry.summary,
        "responses": {
            "2XX": {"description": "As the format's own server answers."},
            "4XX": {"description": "Refused, as the format's own server says it."},
        },
    }
    if parameters:
        operation["parameters"] = parameters
    if isinstance(entry, Route):
        operation["description"] = (
            f"The {entry.protocol.name} format, with its own replies and errors; "
            "its fields are mapped as docs/ingest.md says."
        )
        operation["requestBody"] = {"required": True, "content": {"*/*": {"schema": {}}}}
    return operation
