"""Events as lines: table, JSON and CSV."""
