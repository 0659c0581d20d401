"""The GitHub stand-in: that it behaves as GitHub does, and that clients written by others get along with it."""
