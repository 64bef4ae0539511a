"""What things look like, as text; no widget is needed to draw."""
