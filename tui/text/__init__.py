"""Safe text of known width; the only gate for untrusted bytes."""
