"""Changing the transport, its size and its wake-ups while events flow."""
