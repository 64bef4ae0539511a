"""What the viewer knows: rows, counters, notes and filters."""
