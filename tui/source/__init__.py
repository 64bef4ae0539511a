"""The sources of a stream: a collector, a recording, or both."""
