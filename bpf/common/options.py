"""What a collector can be asked for, and the limits."""

WINDOW_MS = 5
"""How long an event may take from its time stamp to its place in the buffer: microseconds, unless the machine is a
virtual one whose CPU is taken away in between."""
