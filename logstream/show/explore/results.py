"""The tab Lines: what was found, page by page."""

from logstream.show.url_state import View


def draw_results(view: View) -> None:
    """The lines under the filters of the URL."""
