"""The two ways of events out of the kernel: the ring buffer and the perf buffers."""
