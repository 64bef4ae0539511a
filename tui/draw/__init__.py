"""Drawing as text: it needs no widget."""
