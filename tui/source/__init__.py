"""Where a stream comes from: a collector, a recording, or both."""
