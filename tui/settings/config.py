"""The config file: every option, typed, with errors that name the file, the line, the key and the cure."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from platformdirs import user_config_path

from ringtop.bpf import filter as language
from ringtop.bpf.common import sizes
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.settings import toml

Program = Literal["runqslower", "execsnoop", "unlinksnoop"]

_SIZE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB|[KMG])?\s*$", re.IGNORECASE)
_SCALE = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_AT = re.compile(r" - at (?:`key` in )?`\$\.?([^`]*)`$")
_UNKNOWN = re.compile(r"^Object contains unknown field `(.*)`$", re.DOTALL)


class Size(int):
    """Bytes, written as a number or as '64 MiB'."""


class ConfigError(toml.TomlError):
    """A config file that cannot be used; names the file, the line and the key, and says the cure."""


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every option; what a file leaves out has the value here. Flags on the command line go before both."""

    theme: str = "dark"
    """A theme of the package, or FILE of FILE.toml in ``themes_dir()``."""
    history: Size = Size(64 << 20)
    """Memory for the events kept, all tables together, bytes."""
    time: Literal["clock", "relative", "uptime"] = "clock"
    """How times are shown: wall clock, age, or the kernel's own clock."""
    columns: dict[Program, list[str]] = {}
    """Columns of each table, in order; a table left out has its own choice."""
    keys: dict[str, str] = {}
    """Keys by id of binding: ``{quit = "q,ctrl+q"}``."""
    filter: str = ""
    """Display filter to start with."""
    capture: str = ""
    """Capture filter to start with."""
    fps: Annotated[float, Meta(ge=0.2, le=60)] = 4.0
    """Most frames a second for data; keys are shown at once."""
    programs: Annotated[tuple[Program, ...], Meta(min_length=1)] = ("runqslower", "execsnoop", "unlinksnoop")
    """Programs to load."""
    transport: Literal["auto", "ringbuf", "perfbuf"] = "auto"
    """``auto``: the ring buffer where the kernel has it."""
    buffer: Size | None = None
    """Buffer of each program, bytes (perf buffers: of each CPU); None: the collector's choice."""
    wakeup: Annotated[str, Meta(pattern=r"^(timer|adaptive|every|batch:[1-9][0-9]{0,5})$")] = "timer"
    """When the kernel wakes the reader: timer, adaptive, every or batch:N."""
    min_us: Annotated[int, Meta(ge=0, le=10**9)] | None = None
    """Shortest wait that runqslower reports, microseconds; None: 10,000, or what the capture filter says of latency."""
    merge_ms: Annotated[int, Meta(ge=0, le=1000)] = 5
    """Events are held so long, to be put in time order over all CPUs."""
    emit: sizes.Emit = "output"
    """How events get into the ring buffer."""
    mouse: bool = True
    ascii: bool = False
    """Bars, borders and sparklines in ASCII."""
    recordings: str = "."
    """Folder that `R` records into."""
    keep_state: bool = True
    """Keep columns, theme, last filters and filter history between runs."""


def config_file() -> Path:
    """Where the config file is looked for."""
    return user_config_path("ringtop") / "config.toml"


def themes_dir(file: Path | None = None) -> Path:
    """Where a user's own themes are: beside the config *file*."""
    return (file or config_file()).parent / "themes"


def size(text: str | int) -> Size:
    """Bytes in '64 MiB', '256K' or 65536. Raises ValueError."""
    match = _SIZE.match(str(text)) if not isinstance(text, bool) else None
    if match is None:
        raise ValueError(f"{str(text)!r:.40} is not a size; write '64 MiB' or a number of bytes")
    return Size(float(match[1]) * _SCALE[(match[2] or "b")[0].lower()])


def load(file: Path | None = None) -> Config:
    """The options in *file*; without one, of the default file, which may be missing. Raises ConfigError."""
    if file is None and not config_file().exists():
        return Config()
    try:
        doc = toml.read(file or config_file())
        try:
            config = _convert(doc.data)
        except _Wrong as e:
            raise doc.error(e.text, *e.key) from None
        _check(doc, config)
    except toml.TomlError as e:
        raise ConfigError(e.file, e.text, e.key, e.line) from None
    return config


def override(config: Config, **flags: Any) -> Config:
    """*config* with every flag that is not None. Raises ValueError naming the flag."""
    try:
        return _convert({**msgspec.structs.asdict(config), **{k: v for k, v in flags.items() if v is not None}})
    except _Wrong as e:
        flag = "--" + ".".join(e.key).replace("_", "-")
        raise ValueError(f"{flag}: {e.text}") from None


class _Wrong(Exception):
    def __init__(self, key: list[str], text: str) -> None:
        super().__init__(text)
        self.key = key
        self.text = text


def _convert(data: dict[str, Any]) -> Config:
    try:
        return msgspec.convert(data, Config, dec_hook=_hook)
    except msgspec.ValidationError as e:
        text, key = str(e), []
        if at := _AT.search(text):
            key = [part for part in re.split(r"[.\[\]]+", at[1]) if part and not part.isdigit() and part != "..."]
            text = text[: at.start()]
        if unknown := _UNKNOWN.match(text):
            options = Config.__struct_fields__
            near = difflib.get_close_matches(unknown[1], options, 1)
            cure = f"did you mean {near[0]!r}?" if near else f"the options are {', '.join(options)}"
            raise _Wrong([*key, unknown[1][:200]], f"no such option; {cure}") from None
        raise _Wrong(key, text.replace("`", "")[:200] + _example(key)) from None


def _hook(kind: type, value: object) -> object:
    if kind is Size and isinstance(value, int | str):
        return size(value)
    raise ValueError(f"{value!r:.40} is not a size; write '64 MiB' or a number of bytes")


def _example(key: list[str]) -> str:
    value = getattr(Config(), key[0], None) if key else None
    if value in (None, "", {}) or isinstance(value, Size):
        return ""
    return f"; for example {key[0]} = {msgspec.json.encode(value).decode()}"


def _check(doc: toml.Document, config: Config) -> None:
    """What the types do not tell: filters, the buffer's size, names of columns. Raises TomlError."""
    for option in ("filter", "capture"):
        try:
            language.parse(getattr(config, option))
        except language.FilterError as e:
            raise doc.error(str(e), option) from None
    if config.buffer is not None:
        try:
            sizes.parse_size(str(int(config.buffer)))
        except ValueError as e:
            raise doc.error(str(e), "buffer") from None
    for program, names in config.columns.items():
        known = [f.name for f in SCHEMAS[program].fields]
        for name in names:
            if name not in known:
                text = f"no column {name[:64]!r}; {program} has {', '.join(known)}"
                raise doc.error(text, "columns", program)
