"""One process, as described by /proc and by its events."""
