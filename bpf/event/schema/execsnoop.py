"""The events of bpf/programs/execsnoop.bpf.c."""

from __future__ import annotations

from ringtop.bpf.event.schema.field import Column, Field
from ringtop.bpf.event.schema.schema import (
    AGE,
    COMM,
    COMMON,
    JSON_FIRST,
    PID,
    PPID,
    RET,
    UID,
    LineColumn,
    Schema,
    layout,
)

EXECSNOOP = Schema(
    program="execsnoop",
    about="programs started",
    layout=layout(
        ("age", "<u8"),  # ns
        ("ret", "<i4"),
        ("argc", "<u4"),
        ("filename_len", "<u4"),
        ("argv_len", "<u4"),
        ("truncated", "<u4"),
    ),
    fields=(
        *COMMON,
        Field("ret", "result", "0, or the negative errno of a failed exec", Column("RESULT", 6, 8, rank=3)),
        Field("filename", "path", "file given to execve", Column("FILE", 12, 24, weight=2)),
        Field(
            "argv",
            "args",
            "the arguments",
            Column("ARGUMENTS", 10, 26, weight=10, rank=0),
            cut="truncated",
            count="argc",
            file="filename",
        ),
        AGE,
        Field("argc", "int", "number of arguments", Column("ARGC", 4, 4, right=True)),
        Field(
            "truncated",
            "bool",
            "filename or arguments were too long to keep, or could not be read",
            Column("CUT", 3, 3, tone="mid"),
        ),
    ),
    mark="ret",
    columns=("time", "cpu", "comm", "pid", "ppid", "uid", "ret", "argv"),
    json=(*JSON_FIRST, "filename", "argv", "argc", "truncated", "age", "ret", "late"),
    line=(PID, PPID, UID, COMM, RET, LineColumn("ARGUMENTS", "{argv}", marked=True)),
    details="{ret} {argv}",
    brief=("CPU {cpu}", "{ret}", "{argv}"),
    done="started",
    many="programs started",
    keys=(
        "program",
        "subcommand",
        "command",
        "argv",
        "exe",
        "parent",
        "origin",
        "uid",
        "unit",
        "container",
        "cgroup",
        "error",
    ),
    key="command",
    text_bytes=176,
    colour="success",
)
