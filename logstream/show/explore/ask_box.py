"""The box for questions in plain words."""

from logstream.show.url_state import View


def draw_ask(view: View) -> None:
    """The box, what was understood as chips, and what was not."""
