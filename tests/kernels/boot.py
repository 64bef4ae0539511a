"""A kernel booted in QEMU with this machine's files as its root: read over 9p, and what it writes is thrown away."""

from __future__ import annotations

import lzma
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.kernel.loads import die_with_parent
from tests.kernels.fetch import CannotFetch, Kernel

_CHECKOUT = Path(__file__).parents[2]
_NEEDED = ("virtio_pci", "9pnet_virtio", "9p", "overlay")
"""Modules without which there is no root; those that are not files are built in."""

_INIT = """#!/busybox sh
b=/busybox
$b mkdir -p /proc /sys /dev /lower /upper /new
$b mount -t proc p /proc; $b mount -t devtmpfs d /dev
for m in $($b cat /mods/order); do $b insmod /mods/$m || echo "cannot load $m"; done
o=trans=virtio,version=9p2000.L,msize=512000
$b mount -t 9p -o $o,ro,cache=loose root /lower || $b reboot -f
$b mount -t tmpfs -o size=75% t /upper; $b mkdir /upper/u /upper/w
$b mount -t overlay -o lowerdir=/lower,upperdir=/upper/u,workdir=/upper/w o /new || $b reboot -f
$b mount -t proc p /new/proc; $b mount -t sysfs s /new/sys; $b mount -t devtmpfs d /new/dev
$b mkdir -p /new/dev/pts /new/dev/shm /new/run
$b mount -t devpts d /new/dev/pts; $b mount -t tmpfs s /new/dev/shm; $b mount -t tmpfs r /new/run
$b ln -sf /proc/self/fd /new/dev/fd
for t in tracefs:/sys/kernel/tracing debugfs:/sys/kernel/debug bpf:/sys/fs/bpf cgroup2:/sys/fs/cgroup; do
    $b mount -t ${t%%:*} ${t%%:*} /new${t#*:}
done
$b mkdir -p /new/run/io /new/run/tmp
$b mount -t 9p -o $o io /new/run/io || $b reboot -f
$b ip link set lo up
$b cp /busybox /new/run/busybox
exec $b switch_root /new /bin/sh /run/io/guest.sh </dev/null >/dev/console 2>&1
"""

_GUEST = """
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TMPDIR=/run/tmp
cd {folder}
/run/busybox setsid /bin/sh -c {command} </dev/null >/run/io/out 2>/run/io/err
echo $? >/run/io/status
/run/busybox sync
/run/busybox reboot -f
"""


@dataclass(frozen=True, slots=True)
class Guest:
    """What is to be run, and on what."""

    command: str
    cpus: int
    accel: str
    append: str
    timeout: float


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a guest."""

    out: str
    """What the command wrote to standard output."""
    status: int | None
    """The command's; None when the guest did not get to its end."""
    console: str = ""
    """Then: why, and the end of what the kernel and QEMU wrote."""


def _modules(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The modules that the root needs and those that they need, in the order they are to be loaded in."""
    files = {p.name.split(".ko")[0].replace("-", "_"): p for p in folder.rglob("*.ko*")}
    done: set[str] = set()

    def load(name: str) -> Iterator[tuple[str, bytes]]:
        if name in done or name not in files:
            return
        done.add(name)
        data = files[name].read_bytes()
        if files[name].suffix == ".xz":
            data = lzma.decompress(data)
        found = re.search(rb"\0depends=([^\0]*)\0", data)
        for needed in found[1].decode().split(",") if found else ():
            yield from load(needed.replace("-", "_"))
        yield f"{name}.ko", data

    for name in _NEEDED:
        yield from load(name)


def _cpio(files: dict[str, bytes | None]) -> bytes:
    """An archive as the kernel unpacks it at its start (newc); None is a folder."""
    archive = bytearray()
    for number, (name, data) in enumerate([*files.items(), ("TRAILER!!!", b"")], 1):
        mode, data = (0o40755, b"") if data is None else (0o100755, data)
        words = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        archive += b"070701" + b"".join(b"%08X" % word for word in words) + name.encode() + b"\0"
        archive += b"\0" * (-len(archive) % 4) + data
        archive += b"\0" * (-len(archive) % 4)
    return bytes(archive)


def _initrd(kernel: Kernel) -> bytes:
    busybox = shutil.which("busybox")
    if not busybox or not shutil.which("qemu-system-x86_64"):
        raise CannotFetch("this needs the packages qemu-system-x86 and busybox-static")
    modules = dict(_modules(kernel.modules) if kernel.modules else ())
    order = "\n".join(modules).encode()
    files: dict[str, bytes | None] = {"init": _INIT.encode(), "busybox": Path(busybox).read_bytes(), "dev": None}
    files |= {"mods": None, "mods/order": order} | {f"mods/{name}": data for name, data in modules.items()}
    return _cpio(files)


def _share(tag: str, folder: Path, options: str) -> list[str]:
    share = f"local,id={tag},path={folder},security_model=none{options}"
    return ["-fsdev", share, "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]


def here(guest: Guest) -> Ended:
    """The same command on this machine, with no kernel of its own."""
    done = subprocess.run(["/bin/sh", "-c", guest.command], stdout=subprocess.PIPE, text=True, cwd=_CHECKOUT)
    return Ended(done.stdout, done.returncode)


def boot(kernel: Kernel, guest: Guest) -> Ended:
    """Boot it and run the command; what that writes to standard error is shown at once. Raises CannotFetch."""
    with tempfile.TemporaryDirectory(prefix="ringtop-kernels-") as name:
        work = Path(name)
        io = work / "io"
        io.mkdir()
        (work / "initrd").write_bytes(_initrd(kernel))
        script = _GUEST.format(folder=shlex.quote(str(_CHECKOUT)), command=shlex.quote(guest.command))
        (io / "guest.sh").write_text(script)
        words = f"console=ttyS0 loglevel=4 panic=-1 reboot=t,force random.trust_cpu=on {guest.append}"
        command = ["nice", "qemu-system-x86_64", "-M", "q35", "-accel", guest.accel, "-cpu", "max", "-m", "3G"]
        command += ["-smp", str(guest.cpus), "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
        command += ["-serial", f"file:{work}/console", "-kernel", str(kernel.image), "-initrd", f"{work}/initrd"]
        command += ["-append", words, *_share("root", Path("/"), ",readonly=on,multidevs=remap"), *_share("io", io, "")]
        with (work / "qemu").open("wb") as told:
            qemu = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=told, stderr=told, preexec_fn=die_with_parent
            )
        try:
            late = _follow(qemu, io / "err", time.monotonic() + guest.timeout)
        finally:
            qemu.kill()
            qemu.wait()
        out, status = _text(io / "out"), _text(io / "status")
        if status:
            return Ended(out, int(status))
        why = f"not done after {guest.timeout:.0f} s" if late else "the guest did not get to its end"
        return Ended(out, None, f"{why}: {_text(work / 'console')[-3000:]}{_text(work / 'qemu')}")


def _text(file: Path) -> str:
    return file.read_text(errors="replace") if file.exists() else ""


def _follow(qemu: subprocess.Popen[bytes], err: Path, end: float) -> bool:
    """Show what is written to *err* until the guest is off; whether it was not by *end*."""
    shown = 0
    while True:
        running = qemu.poll() is None
        text = err.read_bytes()[shown:] if err.exists() else b""
        shown += len(text)
        print(text.decode(errors="replace"), end="", file=sys.stderr, flush=True)
        if not running or time.monotonic() > end:
            return running
        time.sleep(0.2)
