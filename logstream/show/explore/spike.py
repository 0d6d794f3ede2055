"""What distinguishes a chosen time from the time before."""

from logstream.show.url_state import View


def draw_spike(view: View) -> None:
    """The panel, when it was asked for."""
