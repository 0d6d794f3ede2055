"""The colours that carry meaning, for charts and for the live feed alike.

Severities keep hues that the common kinds of colour blindness can tell apart; services
use other hues, so that a service never looks like a severity. Every value has a contrast
of at least 4.5:1 on the page and on a panel of its theme (a test measures it).
"""

from collections.abc import Mapping

SEVERITY_COLOURS: Mapping[str, Mapping[str, str]] = {
    "light": {
        "trace": "#656c78",
        "debug": "#565e6c",
        "info": "#1f6cb0",
        "warn": "#8a5a00",
        "error": "#bd4000",
        "fatal": "#a5117a",
    },
    "dark": {
        "trace": "#8b95a3",
        "debug": "#a0aab7",
        "info": "#6fb1f0",
        "warn": "#e8b23f",
        "error": "#ff8552",
        "fatal": "#f57ccd",
    },
}

# Neighbours in the list differ most, so that few services get distinct colours.
SERVICE_PALETTE: Mapping[str, tuple[str, ...]] = {
    "light": (
        "#007164",
        "#6a49aa",
        "#4c6c11",
        "#4a666d",
        "#774897",
        "#00734f",
        "#5652ac",
        "#626342",
        "#0e6e71",
        "#5d5c81",
        "#20732e",
        "#48695a",
        "#626521",
    ),
    "dark": (
        "#81cbbe",
        "#c2a9ff",
        "#a8c780",
        "#a6c0c7",
        "#d0a7f0",
        "#7fceab",
        "#aeb1ff",
        "#bcbd9e",
        "#85c8ca",
        "#b6b7db",
        "#8bce90",
        "#a5c3b4",
        "#bbc087",
    ),
}

_FNV_OFFSET = 0x811C9DC5
_FNV_PRIME = 0x01000193


def theme_name(dark: bool) -> str:
    """The key of the tables above."""
    return "dark" if dark else "light"


def service_colour_index(name: str) -> int:
    """Which palette entry a service name gets: FNV-1a over its UTF-8 bytes.

    The feed's JavaScript computes the same number, so one service has one colour everywhere.
    """
    digest = _FNV_OFFSET
    for byte in name.encode("utf-8", "replace"):
        digest = (digest ^ byte) * _FNV_PRIME & 0xFFFFFFFF
    return digest % len(SERVICE_PALETTE["light"])


def service_colour(name: str, dark: bool) -> str:
    """The stable colour of a service, as `#rrggbb`."""
    return SERVICE_PALETTE[theme_name(dark)][service_colour_index(name)]


def severity_colour(word: str, dark: bool) -> str:
    """The colour of a severity word (`trace` … `fatal`), as `#rrggbb`."""
    return SEVERITY_COLOURS[theme_name(dark)][word]
