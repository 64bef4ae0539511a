"""The terminal: only changed cells are sent, and a slow link is never filled."""
