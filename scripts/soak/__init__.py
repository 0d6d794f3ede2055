"""Load that knows what was acknowledged, the accounts of it, and faults: `make soak`."""
