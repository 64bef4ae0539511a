"""The events of bpf/programs/unlinksnoop.bpf.c."""

from __future__ import annotations

from ringtop.bpf.event.schema.field import Column, Field
from ringtop.bpf.event.schema.schema import COMM, COMMON, JSON_FIRST, PID, RET, UID, LineColumn, Schema, layout

UNLINKSNOOP = Schema(
    program="unlinksnoop",
    about="files deleted",
    layout=layout(
        ("ret", "<i4"),
        ("dfd", "<i4"),
        ("op", "<u2"),
        ("truncated", "<u2"),
        ("place_len", "<u4"),  # of what stands before the path in the full path
        ("path_len", "<u4"),
    ),
    fields=(
        *COMMON,
        Field("ret", "result", "0, or the negative errno", Column("RESULT", 6, 8, rank=3)),
        Field("op", "enum", "unlink or rmdir", Column("OP", 6, 6, rank=6), words=("unlink", "rmdir")),
        Field(
            "dfd",
            "dirfd",
            "directory descriptor a relative path starts from (-100: the working directory)",
            Column("DFD", 5, 5, right=True),
        ),
        Field(
            "full",
            "path",
            "path from the root of the mount namespace; as given where its directory is not known",
            Column("PATH", 10, 26, weight=10, rank=0),
            cut="truncated",
            base="dfd",
            joins=("place", "path"),
        ),
        Field(
            "path",
            "path",
            "path as given",
            Column("AS GIVEN", 10, 26, weight=10, rank=0),
            cut="truncated",
            base="dfd",
        ),
        Field(
            "truncated",
            "bool",
            "the path was too long to keep, or could not be read",
            Column("CUT", 3, 3, tone="mid"),
        ),
    ),
    mark="ret",
    columns=("time", "cpu", "comm", "pid", "uid", "op", "ret", "full"),
    json=(*JSON_FIRST, "full", "path", "dfd", "op", "ret", "truncated", "late"),
    line=(PID, UID, COMM, LineColumn("OP", "{op}", 6), RET, LineColumn("PATH", "{full}", marked=True)),
    details="{ret} {op} {full}",
    brief=("CPU {cpu}", "{ret}", "{op}", "{full}"),
    done="deleted",
    many="deletions",
    keys=(
        "dir1",
        "dir2",
        "dir3",
        "comm",
        "comm+dir",
        "comm+dir+name",
        "op",
        "error",
        "uid",
        "unit",
        "container",
        "cgroup",
    ),
    key="comm+dir",
    text_bytes=96,
    colour="secondary",
)
