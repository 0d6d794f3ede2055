"""Lines, errors and warnings over time, growing in the browser as lines arrive."""

from logstream.show.live_trend.trend import COUNTING_SCRIPTS, Asked, counting_filter, live_trend

__all__ = ["COUNTING_SCRIPTS", "Asked", "counting_filter", "live_trend"]
