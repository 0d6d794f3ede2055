"""The tab Fields: every attribute, how widespread it is, and its values."""

from logstream.show.url_state import View


def draw_fields(view: View) -> None:
    """One row an attribute."""
