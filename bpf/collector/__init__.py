"""The privileged process: it drains the transports and writes the stream."""
