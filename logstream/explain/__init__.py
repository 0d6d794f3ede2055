"""What the numbers mean: patterns, and questions in plain words."""
