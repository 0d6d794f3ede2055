"""Live: trend and breakdown above the newest lines, pushed as they arrive."""

from logstream.show.live_page import draw_feed
from logstream.show.live_strip import live_strip, page_drawn

page_drawn()
live_strip()
draw_feed()
