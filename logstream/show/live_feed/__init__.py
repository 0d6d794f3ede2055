"""The live feed: newest lines pushed into the page without a rerun, and one line's detail."""

from logstream.show.live_feed.feed import FeedEvent, live_feed

__all__ = ["FeedEvent", "live_feed"]
