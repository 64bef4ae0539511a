"""The state that the viewer remembers between runs: a small JSON file, replaced as a whole. It may be missing."""

from __future__ import annotations

import contextlib
import os
import pwd
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from platformdirs import user_state_path

from ringtop.tui.settings.config import TIMES, Config
from ringtop.tui.settings.files import read_at_most
from ringtop.tui.text.text import safe

LIMIT = 1 << 20
"""Length in bytes of the longest state file that is read."""
HISTORY = 100
"""Number of filters kept of each kind."""


class SavedState(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The remembered state. Fields of other versions are dropped; a field of the wrong type drops the file."""

    theme: str = ""
    """The theme; empty for the config's. The same holds for the options below."""
    columns: dict[str, list[str]] = msgspec.field(default_factory=dict, name="chosen_columns")
    """Those that differ from the usual ones. Older versions wrote all under the name ``columns``, chosen or not: they
    would hide columns that are new."""
    time: str = ""
    shows: dict[str, str] = {}
    """The view of each program: ``top`` (ranked rows), ``both``, or ``events``."""
    filters: list[str] = []
    """The display filters used, the latest last."""
    captures: list[str] = []
    """The capture filters used, the latest last."""
    over: dict[str, Any] = {}
    """The config's values of these options when the values above replaced them."""


_OPTIONS = ("theme", "columns", "time")


def resume(state: SavedState, config: Config, given: Collection[str] = ()) -> SavedState:
    """Return *state* for a run with *config*, without options *given* as flags or changed in the config since."""
    says = {name: msgspec.to_builtins(getattr(config, name)) for name in _OPTIONS}
    kept = {n: getattr(state, n) for n in _OPTIONS if n not in given and state.over.get(n, says[n]) == says[n]}
    if kept.get("time") not in TIMES:
        kept["time"] = ""  # of another version, or written by somebody
    return SavedState(**kept, shows=state.shows, filters=state.filters, captures=state.captures, over=says)


def remember(history: list[str], text: str) -> list[str]:
    """Return *history* with *text* as its latest entry, without duplicates, cut to the latest HISTORY entries."""
    return [*(t for t in history if t != text), *([text] if text else [])][-HISTORY:]


def state_file() -> Path:
    """Return the path of the state file.

    Root never writes into another user's home, to which HOME may point under sudo; root's own home is used then."""
    folder = user_state_path("ringtop")
    if os.geteuid() == 0 and not _roots(folder):
        folder = Path(pwd.getpwuid(0).pw_dir) / ".local" / "state" / "ringtop"
    return folder / "state.json"


def load(file: Path | None = None) -> tuple[SavedState, str]:
    """Return the remembered state, and why it could not be read (empty when it could, or when there is no file)."""
    file = file or state_file()
    try:
        return msgspec.json.decode(read_at_most(file, LIMIT), type=SavedState), ""
    except FileNotFoundError:
        return SavedState(), ""
    except OSError as e:
        return SavedState(), f"{safe(str(file))} cannot be read: {e.strerror}"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return SavedState(), f"{safe(str(file))} is damaged: the remembered settings are lost"


def hold() -> BinaryIO | None:
    """Open the state file for a ``save`` when it can no longer be opened. Return None if it cannot be opened now."""
    file = state_file()
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "r+b")
    except OSError:
        return None


def save(state: SavedState, file: Path | BinaryIO | None = None) -> str:
    """Write *state* (mode 0600, folder 0700), replacing the file at once. Return why that failed, or an empty text.

    An account without a home directory keeps nothing."""
    if file is not None and not isinstance(file, Path):
        with file:
            file.write(msgspec.json.format(msgspec.json.encode(state)))
            file.truncate()
        return ""
    if file is None and not Path.home().is_dir():
        return ""
    file = file or state_file()
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd, name = tempfile.mkstemp(prefix=".state-", dir=file.parent)  # O_EXCL and 0600
        try:
            with os.fdopen(fd, "wb") as f:
                f.write(msgspec.json.format(msgspec.json.encode(state)))
            Path(name).replace(file)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as e:
        return f"{safe(str(file))} cannot be written: {e.strerror}"
    return ""


def _roots(path: Path) -> bool:
    """Whether all folders and links on the way to *path*, as far as they exist, belong to root."""
    for place in (path, *path.parents):
        with contextlib.suppress(FileNotFoundError):
            if place.lstat().st_uid != 0:
                return False
    return True
