"""The kernel: system calls, what it offers, and how a program gets into it."""
