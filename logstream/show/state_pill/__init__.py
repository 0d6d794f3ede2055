"""The state pill: whether the live feed is live, in one word, on every page."""

from logstream.show.state_pill.pill import state_pill

__all__ = ["state_pill"]
