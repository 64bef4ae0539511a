"""The events of bpf/programs/runqslower.bpf.c."""

from __future__ import annotations

from ringtop.bpf.event.schema.field import UNKNOWN, Column, Field
from ringtop.bpf.event.schema.schema import COMM, COMMON, CPU, JSON_FIRST, PID, LineColumn, Schema, layout

RUNQSLOWER = Schema(
    program="runqslower",
    about="tasks that waited too long for a CPU",
    layout=layout(
        ("latency", "<u8"),  # ns from runnable to running
        ("prev_pid", "<u4"),
        ("prev_tid", "<u4"),
        ("prev_comm", "S16"),
        ("preempted", "<u4"),
    ),
    fields=(
        *COMMON,
        Field(
            "latency",
            "duration",
            "time from runnable to running (run queue latency)",
            Column("LATENCY", 7, 8, rank=0, right=True),
            levels=(30_000_000, 100_000_000),
        ),
        Field(
            "prev_pid",
            "int",
            "process that ran on the CPU just before",
            Column("PREV PID", 8, 8, rank=5, right=True, tone="dim"),
            unknown=UNKNOWN,
        ),
        Field(
            "prev_tid",
            "int",
            "thread that ran on the CPU just before",
            Column("PREV TID", 8, 8, right=True, tone="dim"),
            unknown=UNKNOWN,
        ),
        Field("prev_comm", "comm", "name of that thread", Column("PREV COMM", 9, 15, weight=1, rank=4)),
        Field(
            "preempted",
            "bool",
            "it waited because it was preempted, not because it was woken",
            Column("WAITED", 9, 9, rank=6),
            words=("woken", "preempted"),
        ),
    ),
    mark="latency",
    waits="latency",
    columns=("time", "cpu", "comm", "pid", "tid", "latency", "preempted", "prev_pid", "prev_comm"),
    json=(*JSON_FIRST, "latency", "prev_pid", "prev_tid", "prev_comm", "preempted", "late"),
    line=(
        CPU,
        PID,
        COMM,
        LineColumn("LATENCY", "{latency}", 12, right=True, marked=True),
        LineColumn("WAITED", "{preempted}", 9),
        LineColumn("AFTER", "{prev_comm}/{prev_pid}"),
    ),
    details="{latency} after {prev_comm}/{prev_pid} ({preempted})",
    brief=("CPU {cpu}", "{latency}", "{preempted}", "behind {prev_comm}"),
    done="waits",
    many="waits",
    keys=("cpu", "uid", "unit", "comm", "comm+after", "pid", "tid", "after"),
    colour="accent",
)
