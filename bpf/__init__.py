"""Everything that touches the kernel: programs, transports, ledger, collector, and the stream they write."""

import os

VERSION = "0.1.0"
"""The version of ringtop. Its metadata has it from here."""

# NumPy's library starts threads when it is imported, and what a process gives up later its other threads would keep.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
