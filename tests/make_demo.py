"""Makes tui/cli/demo.ringtop: a real run, over processes started for it and over no others.

Run it as root from the repository: ``.venv/bin/python -m tests.make_demo``. A small shop's servers are acted out by
shell scripts under a user id of their own; the capture filter keeps everybody else's events in the kernel, and what is
written is checked once more, row by row.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from ringtop.bpf import stream
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import SCHEMAS, UNKNOWN
from ringtop.tui.source.client import Client
from ringtop.tui.source.recording import Recorder

TARGET = Path(__file__).parents[1] / "tui" / "cli" / "demo.ringtop"
LIMIT = 200 << 10
"""Largest demo, bytes."""
SECONDS = 30
HOME = Path("/srv/shop")
"""Where the shop lives while it runs."""
UID = 61_234
"""Nobody else's."""
OPTIONS = ["--capture", f"uid={UID}", "--buffer", "64K", "--min-us", "5000"]
NAMES = {b"shop", b"session-gc", b"thumbnail", b"report", b"deploy", b"crunch", b"convert"}
TOOLS = {b"rm", b"rmdir", b"mkdir", b"touch", b"cp", b"seq", b"sleep", b"xargs", b"env", b"taskset", b"cat", b"sort"}

SCRIPTS = {
    "shop": f"""
i=0
while [ $i -lt {SECONDS - 2} ]; do
    i=$((i + 1))
    session-gc $i &
    thumbnail $i &
    [ $((i % 8)) = 3 ] && report $i &
    [ $((i % 11)) = 6 ] && deploy $i &
    sleep 1
done
wait
""",
    "session-gc": """
mkdir -p sessions; cd sessions
touch $(seq -f 'sess_%06g' $1 $(($1 + 17)))
rm -f $(seq -f 'sess_%06g' $1 $(($1 + 17)))
[ $(($1 % 4)) = 0 ] && rm sess_expired
""",
    "thumbnail": """
mkdir -p "uploads/$1/Überblick 日本"
touch "uploads/$1/Überblick 日本/photo $1.jpg" "uploads/$1/tricky\x1b[31m name"
env convert -resize 120x90 "uploads/$1/photo $1.jpg" "uploads/$1/thumb.png"
rm -f "uploads/$1/Überblick 日本/photo $1.jpg"
rm -r "uploads/$1"
rmdir uploads
""",
    "report": """
for part in 1 2 3 4 5 6 7; do taskset -c 0 crunch "--part=$part" --of=7 --quarter=Q3 & done
wait
""",
    "crunch": """
n=0
while [ $n -lt 120000 ]; do n=$((n + 1)); done
""",
    "deploy": """
mkdir -p release; cd release
seq -f 'assets/chunk-%05g.a1b2c3d4.js' 1 2500 > list
mkdir assets; xargs touch < list
rm -r assets list
""",
}


def write_scripts(folder: Path) -> None:
    """The shop, ready to run as UID."""
    programs = folder / "bin"
    programs.mkdir()
    for name, text in SCRIPTS.items():
        (programs / name).write_text(f"#!/bin/sh\n{text.lstrip()}")
        (programs / name).chmod(0o755)
    work = folder / "work"
    work.mkdir()
    os.chown(work, UID, UID)
    folder.chmod(0o755)


def check(messages: list[stream.AnyMessage]) -> None:
    """Exits when a row is not of the shop."""
    for batch in batches(messages):
        strangers = set(batch.rows["uid"].tolist()) - {UID}
        names = set(batch.text("comm")) - NAMES - TOOLS
        if strangers or names:
            sys.exit(f"somebody else's events: uids {strangers}, names {names}; nothing was written")


def batches(messages: list[stream.AnyMessage]) -> list[Batch]:
    """All events."""
    return [stream.batch(rows) for m in messages if isinstance(m, stream.Round) for rows in m.batches]


def clean(message: stream.AnyMessage, pids: set[int]) -> stream.AnyMessage | None:
    """*message* as it may be published: nothing of this machine, and of no process but *pids*."""
    match message:
        case stream.Hello():
            kernel = ".".join(message.kernel.split(".")[:2])
            return msgspec.structs.replace(message, host="shop-1", kernel=kernel, pid=1)
        case stream.Round():
            return msgspec.structs.replace(message, batches=[_clean(rows, pids) for rows in message.batches])
        case stream.State() | stream.Stats() | stream.Progress() | stream.End():
            return message
        case _:
            return None


def _clean(rows: stream.Rows, pids: set[int]) -> stream.Rows:
    kept = stream.batch(rows).rows.copy()
    kept["cgroup"] = 0
    if rows.program == "runqslower":
        # Who ran before may be anybody: told only where it was one of ours.
        strange = ~np.isin(kept["prev_pid"], list(pids))
        kept["prev_comm"][strange] = b""
        kept["prev_pid"][strange] = UNKNOWN
        kept["prev_tid"][strange] = UNKNOWN
    return msgspec.structs.replace(rows, rows=kept.tobytes())


def run(folder: Path) -> Iterator[stream.AnyMessage]:
    """The messages of the run."""
    client = Client(OPTIONS)
    shop: subprocess.Popen[bytes] | None = None
    running = 0
    for message in client.messages():
        yield message
        running += isinstance(message, stream.State)
        if running == 3 and shop is None:
            shop = subprocess.Popen(
                [folder / "bin" / "shop"],
                user=UID,
                group=UID,
                extra_groups=[],
                cwd=folder / "work",
                env={"PATH": f"{folder}/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            threading.Timer(SECONDS, client.send, [stream.Stop()]).start()
    client.close()
    if shop is not None:
        shop.wait()


def main() -> None:
    """Record, check, put into place."""
    HOME.mkdir()  # must not be there
    try:
        write_scripts(HOME)
        messages = list(run(HOME))
        check(messages)
        events = batches(messages)
        pids = {int(pid) for batch in events for pid in batch.rows["pid"].tolist()}
        made = HOME / "demo.ringtop"
        with Recorder(made) as recorder:
            for message in messages:
                if (shown := clean(message, pids)) is not None:
                    recorder.write(shown)
        size = made.stat().st_size
        seen = {p: sum(len(b) for b in events if b.program == p) for p in SCHEMAS}
        stats = next(m for m in reversed(messages) if isinstance(m, stream.Stats))
        lost = sum(sum(c.dropped.values()) for p in stats.programs for c in p.cpus)
        print(f"{size} bytes, {seen}, {lost} lost")
        if size > LIMIT or not lost or not all(seen.values()):
            sys.exit("too large, or not everything is in it: nothing was written")
        shutil.copyfile(made, TARGET)
    finally:
        shutil.rmtree(HOME)


if __name__ == "__main__":
    main()
