"""The events of bpf/programs/exitsnoop.bpf.c."""

from __future__ import annotations

from ringtop.bpf.event.schema.field import Column, Field
from ringtop.bpf.event.schema.schema import AGE, COMM, COMMON, JSON_FIRST, PID, PPID, UID, LineColumn, Schema, layout

EXITSNOOP = Schema(
    program="exitsnoop",
    about="processes ended (only when asked for)",
    usual=False,
    layout=layout(
        ("ran", "<u8"),  # ns
        ("age", "<u8"),  # ns
        ("status", "<i2"),
        ("core", "<u2"),
    ),
    fields=(
        *COMMON,
        Field("status", "status", "exit code, or the signal that ended it (negative)", Column("STATUS", 7, 11, rank=1)),
        Field(
            "ran",
            "duration",
            "time since its exec; since its fork where no exec was seen",
            Column("RAN", 7, 8, rank=3, right=True),
        ),
        AGE,
        Field("core", "bool", "a core was dumped", Column("CORE", 4, 4, tone="mid")),
    ),
    mark="status",
    runs="ran",
    columns=("time", "cpu", "comm", "pid", "ppid", "uid", "ran", "status", "core"),
    json=(*JSON_FIRST, "ran", "age", "status", "core", "late"),
    line=(
        PID,
        PPID,
        UID,
        COMM,
        LineColumn("RAN", "{ran}", 13, right=True),
        LineColumn("STATUS", "{status}", marked=True),
    ),
    details="{status} after {ran}",
    brief=("CPU {cpu}", "ended: {status}", "ran {ran}"),
    done="succeeded",
    many="process ends",
    keys=("comm", "comm+error", "parent", "uid", "unit", "container", "cgroup", "error", "pid"),
    colour="warning",
)
