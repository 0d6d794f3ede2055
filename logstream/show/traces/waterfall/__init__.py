"""The waterfall of one trace, drawn by the browser."""

from logstream.show.traces.waterfall.waterfall import WATERFALL, waterfall

__all__ = ["WATERFALL", "waterfall"]
