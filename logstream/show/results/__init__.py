"""The lines that Explore found: the rows of the live feed, held still and read page by page."""

from logstream.show.results.results import found_lines

__all__ = ["found_lines"]
