"""The tab Patterns: templates instead of walls of lines."""

from logstream.show.url_state import View


def draw_patterns(view: View) -> None:
    """One row a pattern, most frequent first."""
