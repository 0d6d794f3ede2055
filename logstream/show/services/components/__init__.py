"""What the Services page is drawn with: panels as those of Explore."""
