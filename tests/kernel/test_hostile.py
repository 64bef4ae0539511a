"""Programs and files whose names would take over a terminal are started and deleted: all of it is shown, as text."""

from __future__ import annotations

import base64
import csv
import ctypes
import os
import re
import shutil
from pathlib import Path
from typing import Any

from ringtop.tui.text.text import visible
from tests.kernel.loads import die_with_parent
from tests.kernel.tracing import RINGTOP, Tracing
from tests.originals import cell_args, cell_bytes
from tests.processes import eventually
from tests.safety import assert_safe
from tests.terminal import Terminal

ME = f"ppid={os.getpid()}"
USER = 4242
"""Who calls sudo: the viewer runs as this user."""
NAMES = (
    b"\x1b[7777m\x1b[2;7777H\x1b[?7777h\x1b[7777n",
    b"\x1b]0;owned\x07\x1b]2;owned\x1b\\",
    b"\x1b]52;c;b3duZWQ7777=\x07",
    b"\x1b]8;;http:owned\x07x\x1b]8;;\x07",
    b"\x1bP7777q\x1b\\\x1b_owned\x1b\\\x1bc\x1b#8",
    bytes(range(0x80, 0xA0)) + b"\x9b7777m\x9d0;owned\x9c",
    "\u009b7777m\u009d0;owned\u009c\u0085".encode(),
    b"over\rwritten\x08\x08\x7f\x0e\x0f\x05",
    b"two\nlines\n\tand a tab\x0b\x0c",
    "\u202egnp.exe\u202c \u2066a\u2067b\u2069 \u061c\u200e".encode(),
    "zero\u200bwidth\u200d\u2060\ufeff\u00ad\u3164\u115f\u2800".encode(),
    b"e" + "\u0301\u0316".encode() * 30,
    "日本語の名前 ｗｉｄｅ".encode(),
    "\U0001f469\u200d\U0001f4bb\ufe0f\U0001f3fd\U0001f1e9\U0001f1ea".encode(),
    b"\xff\xfe\xed\xa0\x80\xf8\x88 \xc3(",
    b"[bold red]x[@click=app.quit]quit[\\b]",
    b"{0}{__class__}%s%n%(x)s",
    b"=cmd|' \\C calc'!A0",
    b'+1+1,"a";b',
    b"-2",
    b"@SUM(A1)",
    "＝1".encode(),
    b"'quoted' \"twice\" `id` $(id) \\x1b \\",
    b" spaces  ",
    b"x" * 255,
)
LONGEST = (b"".join(b"/" + name for name in NAMES) * 8)[:4095]
"""4095 bytes: of a file that is not there."""


def call_itself(name: bytes) -> None:
    """prctl(PR_SET_NAME)."""
    assert ctypes.CDLL(None).prctl(15, name) == 0


def act(folder: Path) -> set[int]:
    """A child for each name is called so; deletes a file and a folder of that name, and fails to start and starts a
    program of that name. Their pids."""
    pids = set()
    for name in NAMES:
        path = os.fsencode(folder) + b"/" + name
        pid = os.fork()
        if pid == 0:
            try:
                call_itself(name)
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
                os.unlink(path)
                os.mkdir(path)
                os.rmdir(path)
                try:
                    os.execv(path, [name, b"-c", name])
                except OSError:
                    shutil.copy("/bin/true", path)
                os.execv(path, [name, name, b"", LONGEST])
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, name
        os.unlink(path)
        pids.add(pid)
    pid = os.fork()
    if pid == 0:
        try:
            os.unlink(LONGEST)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    return pids | {pid}


def expected(folder: Path) -> tuple[list[tuple[bytes, bytes, list[bytes], int]], list[tuple[bytes, bytes, str, int]]]:
    """Of each exec comm, filename, arguments and result; of each deletion but the last comm, path, what and result."""
    execs, deletions = [], []
    for name in NAMES:
        path = os.fsencode(folder) + b"/" + name
        execs += [(name[:15], path, [name, b"-c", name], -2), (name[:15], path, [name, name, b"", LONGEST], 0)]
        deletions += [(name[:15], path, op, 0) for op in ("unlink", "rmdir")]
    return execs, deletions


def original(row: dict[str, Any], name: str) -> Any:
    """The bytes of a text in JSON."""
    whole = row.get(f"{name}_base64")
    if isinstance(row[name], list):
        return [base64.b64decode(w) for w in whole] if whole else [a.encode() for a in row[name]]
    return base64.b64decode(whole) if whole else row[name].encode()


def test_every_name_comes_back_from_json_and_csv_and_does_no_harm(tracing: Tracing, folder: Path) -> None:
    runs = {s: tracing("execsnoop", "unlinksnoop", "--capture", ME, style=s) for s in ("json", "csv", "table")}
    pids = act(folder)  # and not what the other two do
    outcomes = {style: run.finish() for style, run in runs.items()}
    execs, deletions = expected(folder)
    for outcome in outcomes.values():
        assert outcome.status == 0, outcome.err
        for line in outcome.lines:
            assert_safe(line.removesuffix("\n"))

    rows = [r for r in outcomes["json"].rows if r["pid"] in pids]
    found = [r for r in rows if r["program"] == "execsnoop"]
    assert [(original(r, "comm"), original(r, "filename"), original(r, "argv"), r["ret"]) for r in found] == execs
    gone = [r for r in rows if r["program"] == "unlinksnoop"]
    assert [(original(r, "comm"), original(r, "path"), r["op"], r["ret"]) for r in gone[:-1]] == deletions
    assert original(gone[-1], "path") == LONGEST

    table = [r for r in csv.DictReader(outcomes["csv"].lines) if int(r["pid"]) in pids]
    started = [r for r in table if r["program"] == "execsnoop"]
    assert [
        (cell_bytes(r["comm"]), cell_bytes(r["filename"]), cell_args(r["argv"]), int(r["ret"])) for r in started
    ] == execs
    deleted = [r for r in table if r["program"] == "unlinksnoop"]
    assert [(cell_bytes(r["comm"]), cell_bytes(r["path"]), r["op"], int(r["ret"])) for r in deleted[:-1]] == deletions
    assert cell_bytes(deleted[-1]["path"]) == LONGEST
    for row in table:
        assert not any(re.match(r"[=+@-]", cell) for name, cell in row.items() if name not in ("ret", "dfd"))

    text = "".join(outcomes["table"].lines)
    assert all(visible(name) in text for name in NAMES)


SEQUENCE = re.compile(
    rb"\x1b\[(?P<csi>[0-?]*[ -/]*[@-~])|\x1b\](?P<osc>[^\x07\x1b]*)(?:\x07|\x1b\\)|\x1b[P_^X].*?\x1b\\|\x1b.?",
    re.DOTALL,
)
CSI = re.compile(rb"[\d;:]*[mABCDGHJKXPdhlrS@]|\?\d+(?:;\d+)*[hl]|[56]n|\?\d+\$p|[<>=]\d*u|>\d*q")
OSC = re.compile(rb"22;[a-z-]*|52;c;[A-Za-z0-9+/=]*")
"""All that the viewer may send: colours, places, modes and questions; the pointer's shape and the clipboard."""


def assert_only_text(written: bytes) -> list[str]:
    """Nothing but allowed sequences and safe text was *written* to the terminal; what was put into the clipboard."""
    clipboard = []
    for found in SEQUENCE.finditer(written):
        csi, osc = found["csi"], found["osc"]
        assert (csi is not None and CSI.fullmatch(csi)) or (osc is not None and OSC.fullmatch(osc)), found[0]
        assert b"7777" not in found[0]
        if osc is not None and osc.startswith(b"52;c;"):
            clipboard.append(base64.b64decode(osc[5:], validate=True).decode())
    for line in re.split(r"\r\n|\r|\n", SEQUENCE.sub(b"", written).decode()):
        assert_safe(line)
    for line in re.split(r"[\t\n]", "".join(clipboard)):
        assert_safe(line)
    return clipboard


def sleeper(folder: Path) -> int:
    """A process that is called so, in a folder that is called so, of a program that is called so."""
    name = NAMES[1][:15] + "\u202e".encode() + b"\n\x9b7777m[@click=app.quit]"
    home = os.fsencode(folder) + b"/home " + name
    os.mkdir(home)
    shutil.copy("/bin/sleep", home + b"/" + name)
    pid = os.fork()
    if pid == 0:
        try:
            die_with_parent()
            os.setgid(65534)  # of a user without a name
            os.setuid(USER)  # as the viewer, which may look at it then
            os.chdir(home)
            os.execv(home + b"/" + name, [b"".join((name, *NAMES[:12])), b"3600"])
        finally:
            os._exit(1)
    return pid


def test_nothing_but_text_reaches_a_terminal(folder: Path) -> None:
    """All of it is looked at: the tables, the detail, a card, filters completed from it, the palette, the clipboard."""
    homes = {name: str(folder) for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME")}
    recordings = folder / "rec\x1b]0;owned\x07\u202e"
    recordings.mkdir(mode=0o777)
    recordings.chmod(0o777)
    programs = ("--program", "execsnoop", "--program", "unlinksnoop")
    command = (*RINGTOP, *programs, "--capture", ME, "--recordings", str(recordings))
    terminal = Terminal(command, rows=50, columns=160, SUDO_UID=str(USER), **homes)
    slept = 0

    def press(keys: str, said: str, instead_of: str = "\0") -> None:
        terminal.type(keys)
        assert terminal.shows(said, instead_of), f"{keys!r}\n{terminal.screen}"

    try:
        assert eventually(lambda: terminal.screen.count("no events yet") == 2), terminal.screen
        terminal.type("VV")  # events alone
        press("R", r"recording to")
        act(folder)
        slept = sleeper(folder)
        press("2", "ENOENT", "ARGUMENTS")
        press("k", "truncated")  # the row under the cursor, whole
        press("g", r"\x1b[7777m")
        press("y", "clipboard: row")
        press("Y", "rows")
        press("1", "ARGUMENTS", "PATH")
        press("/", "show only")
        press(f"pid={slept}", "1 of")
        press("\r", "Enter Process", "show only")
        press("k", "frozen")
        press("\r", "started by")
        assert terminal.shows("directory")
        press("y", "clipboard: card")
        press("\x1b", "Enter Process")
        press("\x1b", "[bold red]", "Esc Back")
        press("/", "show only")
        press("path=", "Tab: ")
        press("\t", "at most 4096 characters")  # and so is the longest path
        press("\x1b", "Enter Process", "show only")
        press("\x10", "Find a command")
        press("\x1b", "Enter Process", "Find a command")
        press("R", "ringtop replay")
        terminal.type("q")
        assert terminal.wait() == 0
    finally:
        terminal.close()
        if slept:
            os.kill(slept, 9)
            os.waitpid(slept, 0)
    row, rows, card = assert_only_text(terminal.written)
    assert visible(NAMES[0]) in row
    assert r"\x1b[7777m" in rows
    assert r"\x1b]0;owned\x07" in card
    assert r"\x9b7777m[@click=app.quit]" in card
