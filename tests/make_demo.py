"""Makes tui/cli/demo.ringtop: a real run, over processes started for it and over no others.

Run it as root from the repository: ``.venv/bin/python -m tests.make_demo``. A build is acted out by shell scripts under
a user id of their own: it compiles, looks for a tool that is not there, and deletes a cache. The capture filter keeps
everybody else's events in the kernel, and what is written is checked once more, row by row.
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
from ringtop.bpf.event.culprit import UNRECORDED
from ringtop.bpf.event.schema import UNKNOWN, usual
from ringtop.tui.source.client import Client
from ringtop.tui.source.recording import Recorder

TARGET = Path(__file__).parents[1] / "tui" / "cli" / "demo.ringtop"
LIMIT = 200 << 10
"""Largest demo, bytes."""
SECONDS = 30
HOME = Path("/srv/app")
"""Where the build runs."""
PATH = f"{HOME}/bin:{HOME}/tools/bin:/usr/local/bin:/usr/bin:/bin"
UID = 61_234
"""Nobody else's."""
OPTIONS = ["--capture", f"uid={UID}", "--buffer", "64K", "--min-us", "5000"]
NAMES = {b"ci", b"build", b"codegen", b"unit-tests", b"clean-cache", b"crunch", b"protoc"}
COMPILER = {b"make", b"gcc", b"cc1", b"as"}
TOOLS = {b"rm", b"rmdir", b"mkdir", b"touch", b"cp", b"seq", b"sleep", b"xargs", b"env", b"taskset"}

SCRIPTS = {
    "ci": f"""
i=0
while [ $i -lt {SECONDS - 2} ]; do
    i=$((i + 1))
    build $i &
    [ $((i % 8)) = 3 ] && unit-tests $i &
    [ $((i % 11)) = 6 ] && clean-cache $i &
    sleep 1
done
wait
""",
    "build": """
mkdir -p "out/$1/Überblick 日本"; cp src/* "out/$1"; cd "out/$1"
codegen $1
make -s -j2
touch "Überblick 日本/report.html" "tricky\x1b[31m name"
rm -f "Überblick 日本/report.html" stamp-missing
[ $(($1 % 4)) = 0 ] && rm api.pb.cc
cd ../..; rm -r "out/$1"
""",
    "codegen": """
env protoc --cpp_out=gen "proto/api-v$1.proto"
""",
    "unit-tests": """
for part in 1 2 3 4 5 6 7; do taskset -c 0 crunch "--part=$part" --of=7 & done
wait
""",
    "crunch": """
n=0
while [ $n -lt 120000 ]; do n=$((n + 1)); done
""",
    "clean-cache": """
mkdir -p /srv/app/cache/objects
seq -f '/srv/app/cache/objects/chunk-%05g.o' 1 4000 > cache/list
xargs touch < cache/list
xargs rm -f < cache/list
rmdir cache/objects
rm cache/list
""",
}
SOURCES = {
    "main.c": '#include <stdio.h>\nint main(void) { return printf("app\\n") < 0; }\n',
    "store.c": "#include <stdlib.h>\nvoid *store(size_t n) { return malloc(n); }\n",
    "net.c": "#include <string.h>\nint net(const char *a) { return (int)strlen(a); }\n",
    "Makefile": "all: main.o store.o net.o\n%.o: %.c\n\tgcc -O2 -Wall -I include -c $< -o $@\n",
}


def write_scripts(folder: Path) -> None:
    """The build, ready to run as UID."""
    programs = folder / "bin"
    programs.mkdir()
    for name, text in SCRIPTS.items():
        (programs / name).write_text(f"#!/bin/sh\n{text.lstrip()}")
        (programs / name).chmod(0o755)
    (folder / "src").mkdir()
    for name, text in SOURCES.items():
        (folder / "src" / name).write_text(text)
    for name in ("tmp", "out", "cache"):
        (folder / name).mkdir()
        os.chown(folder / name, UID, UID)
    folder.chmod(0o755)


def check(messages: list[stream.AnyMessage]) -> None:
    """Exits when a row is not of the build."""
    for batch in batches(messages):
        strangers = set(batch.rows["uid"].tolist()) - {UID}
        names = set(batch.text("comm")) - NAMES - COMPILER - TOOLS
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
            return msgspec.structs.replace(message, host="build-1", kernel=kernel, pid=1)
        case stream.Round():
            return msgspec.structs.replace(message, batches=[_clean(rows, pids) for rows in message.batches])
        case stream.State() | stream.Stats() | stream.Progress() | stream.End():
            return message
        case _:
            return None


def _clean(rows: stream.Rows, pids: set[int]) -> stream.Rows:
    kept = stream.batch(rows).rows.copy()
    kept["cgroup"] = 0
    for pid, name in (("ppid", "parent"), ("origin_pid", "origin")):
        kept[name][~np.isin(kept[pid], list(pids))] = b""
    if rows.program == "runqslower":
        # Who ran before may be anybody: told only where it was one of ours.
        strange = ~np.isin(kept["prev_pid"], list(pids))
        kept["prev_comm"][strange] = b""
        kept["prev_pid"][strange] = UNKNOWN
        kept["prev_tid"][strange] = UNKNOWN
        strange = (kept["culprit_pid"] != 0) & ~np.isin(kept["culprit_pid"], list(pids))
        kept["culprit_comm"][strange] = UNRECORDED
        kept["culprit_pid"][strange] = 0
    return msgspec.structs.replace(rows, rows=kept.tobytes())


def run(folder: Path) -> Iterator[stream.AnyMessage]:
    """The messages of the run."""
    client = Client(OPTIONS)
    build: subprocess.Popen[bytes] | None = None
    running = 0
    for message in client.messages():
        yield message
        running += isinstance(message, stream.State)
        if running == 3 and build is None:
            build = subprocess.Popen(
                [folder / "bin" / "ci"],
                user=UID,
                group=UID,
                extra_groups=[],
                cwd=folder,
                env={"PATH": PATH, "TMPDIR": f"{folder}/tmp", "LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            threading.Timer(SECONDS, client.send, [stream.Stop()]).start()
    client.close()
    if build is not None:
        build.wait()


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
        seen = {p: sum(len(b) for b in events if b.program == p) for p in usual()}
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
