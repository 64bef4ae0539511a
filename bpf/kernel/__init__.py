"""The kernel: its system calls, its features, and the loading of programs."""
