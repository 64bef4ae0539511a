"""Text that is safe and fits: the only gate for untrusted bytes."""
