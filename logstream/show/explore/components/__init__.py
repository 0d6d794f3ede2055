"""What the panels of Explore are drawn with: one component each, plain scripts joined."""
