"""One process: what /proc and its events tell."""
