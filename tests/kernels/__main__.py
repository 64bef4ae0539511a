"""Runs ringtop on other real kernels, in QEMU: ``.venv/bin/python -m tests.kernels 5.10 6.1 6.12``, on Debian, as root.

Each kernel is a Debian package, booted with this machine's own files under it: nothing is installed or changed here.
One line for each program, transport and rung. It takes some minutes a kernel, so it is no part of ``make test``.
Needs the packages qemu-system-x86 and busybox-static.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path

from tests.kernels import fetch
from tests.kernels.boot import Guest, boot

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ringtop-kernels"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.kernels", description=__doc__)
    parser.add_argument("kernels", nargs="+", metavar="KERNEL", help=f"{', '.join(fetch.SUITES)}, or a Debian suite")
    parser.add_argument("--check", action="append", default=[], metavar="NAME", help="only this check of guest.py")
    parser.add_argument("--run", metavar="COMMAND", help="run this shell command instead of the checks")
    parser.add_argument("--append", default="", metavar="WORDS", help="for the kernel's command line: preempt=full")
    parser.add_argument("--smp", type=int, default=2, help="CPUs (default: %(default)s)")
    # Not KVM where it opens: it may open and still not boot a kernel. Linux 7.2 panicked under QEMU 7.2 with
    # thread=multi, before the first line, and passed with thread=single.
    parser.add_argument("--accel", default="tcg,thread=multi", help="QEMU's accelerator (default: %(default)s)")
    parser.add_argument("--timeout", type=float, default=1800, help="seconds for a kernel (default: %(default)s)")
    parser.add_argument("--mirror", default="", help="Debian mirror (default: the one of this machine's apt)")
    parser.add_argument("--cache", type=Path, default=_CACHE, help="where kernels are kept (default: %(default)s)")
    options = parser.parse_args()
    command = options.run or shlex.join([sys.executable, "-m", "tests.kernels.guest", *options.check])
    guest = Guest(command, options.smp, options.accel, options.append, options.timeout)
    failed = []
    for name in options.kernels:
        try:
            kernel = fetch.kernel(name, options.cache, options.mirror)
            print(f"== {name}: Linux {kernel.release}", flush=True)
            status = boot(kernel, guest)
        except fetch.CannotFetch as e:
            print(f"== {name}: {e}", flush=True)
            status = 1
        if status:
            failed.append(name)
    print(f"failed: {', '.join(failed)}" if failed else "all is well")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
