"""The events of bpf/programs/runqslower.bpf.c."""

from __future__ import annotations

from ringtop.bpf.event.schema.field import UNKNOWN, Column, Field
from ringtop.bpf.event.schema.schema import COMM, COMMON, CPU, JSON_FIRST, PID, LineColumn, Schema, layout


def _share(name: str, title: str, about: str) -> Field:
    return Field(name, "int", f"percent of the wait in which {about}", Column(title, 7, 7, right=True, tone="dim"))


RUNQSLOWER = Schema(
    program="runqslower",
    about="tasks that waited too long for a CPU",
    layout=layout(
        ("latency", "<u8"),  # ns from runnable to running
        ("prev_pid", "<u4"),
        ("prev_tid", "<u4"),
        ("prev_comm", "S16"),
        ("preempted", "<u2"),
        ("others_share", "<u2"),
        ("culprit_pid", "<u4"),
        ("culprit_comm", "S16"),
        ("culprit_share", "|u1"),
        ("idle_share", "|u1"),
        ("short_share", "|u1"),
        ("moved_share", "|u1"),
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
        Field(
            "culprit_comm",
            "comm",
            "who used most of the CPU during the wait; in parentheses, what else took most of it",
            Column("BECAUSE OF", 10, 15, weight=1, rank=3),
        ),
        Field(
            "culprit_pid",
            "int",
            "that process",
            Column("CULPRIT", 7, 7, rank=6, right=True, tone="dim"),
            unknown=0,
        ),
        Field(
            "culprit_share",
            "int",
            "percent of the wait that it took",
            Column("%", 3, 3, rank=4, right=True, tone="dim"),
        ),
        _share("others_share", "OTHERS %", "other processes than the culprit ran"),
        _share("idle_share", "IDLE %", "the CPU was idle: the task was throttled, or the machine was slow to wake it"),
        _share("short_share", "SHORT %", "tasks ran so shortly that they are not told apart"),
        _share("moved_share", "MOVED %", "the task waited on another CPU, before it was moved to this one"),
    ),
    mark="latency",
    waits="latency",
    columns=("time", "cpu", "comm", "pid", "tid", "latency", "preempted", "culprit_comm", "culprit_share"),
    json=(
        *JSON_FIRST,
        "latency",
        "prev_pid",
        "prev_tid",
        "prev_comm",
        "preempted",
        "culprit_pid",
        "culprit_comm",
        "culprit_share",
        "others_share",
        "idle_share",
        "short_share",
        "moved_share",
        "late",
    ),
    line=(
        CPU,
        PID,
        COMM,
        LineColumn("LATENCY", "{latency}", 12, right=True, marked=True),
        LineColumn("WAITED", "{preempted}", 9),
        LineColumn("AFTER", "{prev_comm}/{prev_pid}", 20),
        LineColumn("BECAUSE OF", "{culprit_comm} {culprit_share}%"),
    ),
    details="{latency} because of {culprit_comm} {culprit_share}%, after {prev_comm}/{prev_pid} ({preempted})",
    brief=(
        "CPU {cpu}",
        "{latency}",
        "{preempted}",
        "because of {culprit_comm}",
        "{culprit_share}%",
        "after {prev_comm}",
    ),
    done="waits",
    many="waits",
    keys=("cpu", "uid", "unit", "container", "cgroup", "comm", "comm+because", "pid", "tid", "because", "after"),
    colour="accent",
)
