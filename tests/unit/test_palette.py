"""Colours that can be told apart and read, in both themes."""

from itertools import product

import pytest

from logstream.model import SEVERITY_WORDS
from logstream.show.palette import (
    SERVICE_PALETTE,
    SEVERITY_COLOURS,
    service_colour,
    service_colour_index,
    severity_colour,
)

# The page's and the panels' grounds of the theme, a little harder than they really are.
GROUNDS = {"light": ("#ffffff", "#f0f1f3"), "dark": ("#14171b", "#1c2129")}


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_colour_can_be_read_on_its_theme(theme: str) -> None:
    colours = [*SEVERITY_COLOURS[theme].values(), *SERVICE_PALETTE[theme]]
    assert [
        (colour, ground)
        for colour, ground in product(colours, GROUNDS[theme])
        if contrast(colour, ground) < 4.5
    ] == []


def test_both_themes_name_the_same_severities_and_as_many_services() -> None:
    assert tuple(SEVERITY_COLOURS["light"]) == tuple(SEVERITY_COLOURS["dark"]) == SEVERITY_WORDS
    assert len(SERVICE_PALETTE["light"]) == len(SERVICE_PALETTE["dark"]) == 13


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_service_has_a_severity_s_colour(theme: str) -> None:
    assert not set(SERVICE_PALETTE[theme]) & set(SEVERITY_COLOURS[theme].values())
    assert len(set(SERVICE_PALETTE[theme])) == 13


def test_a_service_keeps_its_colour() -> None:
    # FNV-1a of "" is 0x811c9dc5 = 2166136261, and 2166136261 = 13 × 166625866 + 3.
    assert service_colour_index("") == 3
    # FNV-1a of "a" is 0xe40c292c = 3826002220, and 3826002220 = 13 × 294307863 + 1.
    assert service_colour_index("a") == 1
    assert service_colour("a", dark=True) == SERVICE_PALETTE["dark"][1]
    assert severity_colour("fatal", dark=False) == SEVERITY_COLOURS["light"]["fatal"]
