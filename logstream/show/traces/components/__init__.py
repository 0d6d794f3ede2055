"""What the list of traces and comparisons are drawn with: panels as those of Explore."""
