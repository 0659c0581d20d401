"""Faults of every kind thrown at a whole installation, and a checker that knows nothing of it: `make chaos`."""
