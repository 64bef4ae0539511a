"""Changing the transport, its size and its wakeups while events flow."""
