"""The facets at the left: values with counts, and what clicking them does."""

from logstream.show.url_state import View


def draw_facets(view: View) -> None:
    """Severity, service, environment, pattern and the most telling attributes."""
