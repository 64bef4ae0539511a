"""Everything that touches the kernel: programs, transports, ledger, collector, and the stream they write."""
