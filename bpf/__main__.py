"""``python -I -m ringtop.bpf collect …``: the privileged process starts here, and has nothing of the viewer in it."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Sequence

from ringtop.bpf.common.errors import CANNOT_TRACE, CannotTrace

_FAILED = 1
"""Exit status of a failure that has no status of its own."""
_WRONG = 2
"""Exit status of a command that was called wrongly."""


def main(arguments: Sequence[str]) -> int:
    """Collect as the *arguments* say; the exit status."""
    try:
        return _collect(arguments)
    except ValueError as e:
        sys.stderr.write(f"ringtop: {e}\n")
        return _WRONG
    except CannotTrace as e:
        sys.stderr.write(f"ringtop: {e}\n")
        return CANNOT_TRACE
    except OSError as e:
        sys.stderr.write(f"ringtop: the collector failed: {e}\n")
        return _FAILED
    except KeyboardInterrupt:
        return 130


def _collect(arguments: Sequence[str]) -> int:
    gc.disable()  # nothing of what is imported and loaded is garbage
    from ringtop.bpf.common.heap import share_heap
    from ringtop.bpf.kernel.features import Kernel
    from ringtop.bpf.options.collector import CollectorOptions

    if arguments[:1] != ["collect"]:
        raise ValueError("the only command is collect: python -I -m ringtop.bpf collect [PROGRAM…] [OPTION…]")
    if os.isatty(1):
        raise ValueError("the stream is not for a terminal: use `ringtop trace`, or redirect it to a file")
    options, kernel = CollectorOptions.parse(arguments[1:]), Kernel()
    share_heap()
    reading = threading.Thread(target=kernel.read_types)
    reading.start()
    from ringtop.bpf.collector.collect import collect  # while libbpf reads the kernel's types: both take long

    reading.join()
    return collect(options, kernel)


if __name__ == "__main__":
    status = main(sys.argv[1:])
    gc.freeze()  # everything is freed with the process: looking for garbage first takes 20 ms
    sys.exit(status)
