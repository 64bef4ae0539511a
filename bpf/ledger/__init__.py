"""The counters that must balance."""
