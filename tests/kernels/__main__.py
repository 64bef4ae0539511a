"""What ringtop does on real kernels, as tables of Markdown: ``.venv/bin/python -m tests.kernels 5.10 6.12``, as root.

A kernel is Debian's, by its number or suite, or any other: ``--image BZIMAGE``. It is booted in QEMU with this
machine's own files under it, and nothing is installed or changed here. Progress is told on standard error. It takes
some ten minutes a kernel, so it is no part of ``make test``. Needs Debian's qemu-system-x86 and busybox-static.

An image of your own is for x86-64. Built in or as modules it needs VIRTIO_PCI, NET_9P_VIRTIO, 9P_FS and OVERLAY_FS;
built in BLK_DEV_INITRD, DEVTMPFS, TMPFS, UNIX98_PTYS, SERIAL_8250_CONSOLE, PROC_CHILDREN, MEMFD_CREATE, CGROUPS,
BPF_SYSCALL, BPF_EVENTS, KPROBE_EVENTS and FTRACE_SYSCALLS.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path

import msgspec

from tests.kernels import fetch
from tests.kernels.boot import Ended, Guest, boot, here
from tests.kernels.fetch import CannotFetch, Kernel
from tests.kernels.table import markdown
from tests.kernels.trial import Trial

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ringtop-kernels"
_HERE = "this machine"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.kernels", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kernels", nargs="*", metavar="KERNEL", help=f"{', '.join(fetch.SUITES)}, or a Debian suite")
    parser.add_argument("--image", action="append", default=[], metavar="BZIMAGE", help="any other kernel")
    parser.add_argument("--modules", type=Path, metavar="DIR", help="the modules of that image (default: none)")
    parser.add_argument("--here", action="store_true", help="this machine's own kernel, without QEMU")
    parser.add_argument("--check", action="append", default=[], metavar="NAME", help="only this check of guest.py")
    parser.add_argument("--run", metavar="COMMAND", help="run this shell command instead of the checks")
    parser.add_argument("--append", default="", metavar="WORDS", help="for the kernel's command line: preempt=full")
    parser.add_argument("--smp", type=int, default=2, help="CPUs (default: %(default)s)")
    # Not KVM where it opens: it may open and still not boot a kernel. Linux 7.2 panicked under QEMU 7.2 with
    # thread=multi, before the first line, and passed with thread=single.
    parser.add_argument("--accel", default="tcg,thread=multi", help="QEMU's accelerator (default: %(default)s)")
    parser.add_argument("--timeout", type=float, default=7200, help="seconds for a kernel (default: %(default)s)")
    parser.add_argument("--mirror", default="", help="Debian mirror (default: the one of this machine's apt)")
    parser.add_argument("--cache", type=Path, default=_CACHE, help="where kernels are kept (default: %(default)s)")
    options = parser.parse_args()
    if not (options.kernels or options.image or options.here):
        parser.error("name a kernel, an --image, or --here")
    return options


def _run(name: str, options: argparse.Namespace) -> Ended:
    check = shlex.join([sys.executable, "-m", "tests.kernels.guest", *options.check])
    command = f"exec >&2; {options.run}" if options.run else check
    guest = Guest(command, options.smp, options.accel, options.append, options.timeout)
    if name == _HERE:
        return here(guest)
    if name in options.image:
        kernel = Kernel(Path(name), options.modules)
    else:
        kernel = fetch.kernel(name, options.cache, options.mirror)
    return boot(kernel, guest)


def main() -> int:
    options = _arguments()
    trials, failed = [], False
    for name in [*options.kernels, *options.image, *([_HERE] if options.here else [])]:
        print(f"== {name}", file=sys.stderr, flush=True)
        try:
            ended = _run(name, options)
        except CannotFetch as e:
            ended = Ended("", None, str(e))
        failed |= ended.status != 0
        trials += [msgspec.json.decode(line, type=Trial) for line in ended.out.splitlines()]
        if ended.console:
            trials.append(Trial("Not done", {}, ended.console, False, name))
    print(markdown(trials), end="")
    return failed


if __name__ == "__main__":
    sys.exit(main())
