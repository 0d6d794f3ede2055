"""Explore: search what is stored, see its shape, and find what is different."""

from logstream.show.explore.page import draw_explore

draw_explore()
