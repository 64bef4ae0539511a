"""The description of a fourth program: all that is needed to decode, keep, filter and show its events.

A pytest plugin (``-p tests.project.opensnoop``), so that the description is there before anything is built from it.
"""

from __future__ import annotations

from ringtop.bpf.event.schema import SCHEMAS, Column, Field, LineColumn, Schema
from ringtop.bpf.event.schema.schema import COMM, COMMON, JSON_FIRST, PID, RET, layout

SCHEMAS["opensnoop"] = Schema(
    program="opensnoop",
    about="files opened",
    layout=layout(
        ("took", "<u8"), ("ret", "<i4"), ("mode", "<u4"), ("dev", "<u4"), ("sync", "<u4"), ("name_len", "<u4")
    ),
    fields=(
        *COMMON,
        Field("took", "duration", "how long it took", Column("TOOK", 7, 8, right=True), levels=(1_000_000, 9_000_000)),
        Field("ret", "result", "0, or the negative errno", Column("RESULT", 6, 8, rank=3)),
        Field("mode", "enum", "read, write or both", Column("MODE", 5, 5), words=("read", "write", "both")),
        Field("dev", "int", "device", Column("DEV", 5, 5, right=True), unknown=0),
        Field("sync", "bool", "opened for synchronous writes", Column("SYNC", 5, 5), words=("lazy", "at once")),
        Field("name", "path", "file", Column("NAME", 10, 20, weight=10, rank=0)),
    ),
    mark="ret",
    columns=("time", "comm", "pid", "took", "mode", "ret", "name"),
    json=(*JSON_FIRST, "took", "mode", "dev", "sync", "ret", "name", "late"),
    line=(PID, COMM, LineColumn("MODE", "{mode}", 5), RET, LineColumn("NAME", "{name} in {took}", marked=True)),
    details="{ret} {mode} {name}",
    brief=("CPU {cpu}", "{ret}", "opened {name}"),
    text_bytes=64,
    colour="warning",
)
