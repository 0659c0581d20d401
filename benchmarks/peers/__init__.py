"""What a user would otherwise pick, running the same plans."""
