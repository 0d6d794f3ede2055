"""The histogram by severity above the results."""

from logstream.show.url_state import View


def draw_histogram(view: View) -> None:
    """Lines over time by severity, beside the period before."""
