"""What is kept and shared of a search: saved views, recent searches, export, SQL."""

from logstream.show.url_state import View


def draw_keep_bar(view: View) -> None:
    """The controls at the right of the tabs."""
