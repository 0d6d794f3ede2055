"""Mapping parameters: how a request names the fields of its own JSON.

Query parameters as `_msg_field=text,log.line`, or headers as `X-Msg-Field`; VictoriaLogs'
spellings (`VL-Msg-Field`, `extra_fields`, `decolorize_fields`) are read too.
"""

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from logstream.ports import Arrival
from logstream.receive.json_text import clean_text
from logstream.receive.object_shape import WANTED_FIELDS

PARAMETERS: dict[str, str] = {f"_{field}_field": field for field in WANTED_FIELDS} | {
    "_service": "fixed_service",
    "_environment": "fixed_environment",
    "extra_fields": "extra_fields",
    "decolorize_fields": "decolorize_fields",
    "timestamp-field": "time",  # Axiom's
}
_HEADERS: dict[str, str] = (
    {f"x-{field}-field": field for field in WANTED_FIELDS}
    | {f"vl-{field}-field": field for field in WANTED_FIELDS}
    | {
        "x-service": "fixed_service",
        "x-environment": "fixed_environment",
        "x-extra-fields": "extra_fields",
        "vl-extra-fields": "extra_fields",
        "x-decolorize-fields": "decolorize_fields",
        "vl-decolorize-fields": "decolorize_fields",
    }
)


class FieldMapping(msgspec.Struct, frozen=True):
    """What a request says about its records as a whole.

    `wanted` are names by field, the first present wins; `extra` are attributes for every record.
    """

    wanted: Mapping[str, tuple[str, ...]]
    service: str | None
    environment: str | None
    extra: Mapping[str, str]
    is_decolorized: bool
    origins: Mapping[str, str]


def mapping_of(arrival: Arrival) -> FieldMapping | None:
    """The mapping a request asks for; None when it names nothing. Parameters go before headers."""
    if not arrival.parameters and _HEADERS.keys().isdisjoint(arrival.headers):
        return None
    said = [
        (_HEADERS[name], value, f"header {name}")
        for name, value in arrival.headers.items()
        if name in _HEADERS
    ]
    said += [
        (PARAMETERS[name], value, f"parameter {name}")
        for name, value in arrival.parameters.items()
        if name in PARAMETERS
    ]
    said = [entry for entry in said if entry[1].strip()]
    return _mapping(tuple(said)) if said else None


@lru_cache(maxsize=64)
def _mapping(said: tuple[tuple[str, str, str], ...]) -> FieldMapping:
    values = {field: clean_text(value) for field, value, _ in said}
    places = {field: place for field, _, place in said}
    pairs = (pair.partition("=") for pair in _list(values.get("extra_fields", "")))
    fixed = {"fixed_service": "service_name", "fixed_environment": "environment"}
    return FieldMapping(
        {field: _list(values[field]) for field in WANTED_FIELDS if field in values},
        values.get("fixed_service"),
        values.get("fixed_environment"),
        {name: value for name, _, value in pairs if name},
        "decolorize_fields" in values,
        {name: places[field] for field, name in fixed.items() if field in places},
    )


def _list(text: str) -> tuple[str, ...]:
    return tuple(name for name in (part.strip() for part in text.split(",")) if name)
