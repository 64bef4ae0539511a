"""The config file: every option, typed, with errors that name the file, the line, the key and the cure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.bpf.options.kinds import Choice, DisplayFilter, Flag, Memory, Number, Text
from ringtop.bpf.options.option import Option, option, options
from ringtop.tui.settings import toml

TIMES = ("clock", "relative", "uptime")
"""The ways of showing a time."""


class ConfigError(toml.TomlError):
    """A config file that cannot be used. The text names the file, the line and the key, and says the cure."""


class _Inside(ValueError):
    """A value is a table and is wrong at one of its own keys."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.key = key


@dataclass(frozen=True, slots=True)
class Columns:
    """The kind of option that lists, for each program, the columns of its table."""

    metavar: str = ""
    limits: str = ""

    def read(self, given: object) -> dict[str, list[str]]:
        """Return the lists of columns by program. Raises ValueError."""
        if not isinstance(given, dict):
            raise ValueError(f"{given!r:.40} is not a table with a list of columns for each program")
        found = {}
        for program, names in given.items():
            known = [f.name for f in SCHEMAS[Choice(SCHEMAS).read(program)].fields]
            if not isinstance(names, list):
                raise _Inside(program, f"{names!r:.40} is not a list of columns")
            for name in names:
                if name not in known:
                    raise _Inside(
                        program, f"there is no column {name!r:.64}; the columns of {program} are {', '.join(known)}"
                    )
            found[program] = names
        return found


@dataclass(frozen=True, slots=True)
class Keys:
    """The kind of option that gives keys by the id of a binding."""

    metavar: str = ""
    limits: str = ""

    def read(self, given: object) -> dict[str, str]:
        """Return the keys by id of a binding. Raises ValueError."""
        if not isinstance(given, dict) or not all(isinstance(keys, str) for keys in given.values()):
            raise ValueError(f'{given!r:.40} is not a table of keys by id; for example quit = "q,ctrl+q"')
        return given


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Every option with its default. The config file overrides the defaults, and command line flags override both."""

    theme: str = option(
        "",
        Text("NAME"),
        "Theme: the name of a built-in theme or of your own theme file.",
        shown="dark; ansi where the terminal has 16 colours",
    )
    """For a user's own theme, the FILE of FILE.toml in ``themes_dir()``."""
    history: int = option(64 << 20, Memory(), "Memory for the history of all tables together.", shown="64 MiB")
    """The memory in bytes."""
    time: str = option(
        "clock",
        Choice(TIMES),
        "Show times by the wall clock, as an age, or by the kernel's own clock.",
    )
    columns: dict[str, list[str]] = option(
        dict, Columns(), "Columns of each table, in order. A table left out shows its defaults.", only="config"
    )
    keys: dict[str, str] = option(dict, Keys(), "The keys of each command, by its id.", only="config")
    filter: str = option("", DisplayFilter(), "Display filter at the start: which events are shown.")
    fps: float = option(4.0, Number(float, 0.2, 60), "Frames per second for data, at most. Keys take effect at once.")
    mouse: bool = option(True, Flag("no-mouse"), "Use the mouse.")
    ascii: bool = option(False, Flag("unicode"), "Draw bars, borders and sparklines in ASCII or in Unicode.")
    recordings: str = option(".", Text("FOLDER"), "Folder that the key R writes recordings to.")
    nice: int = option(
        10,
        Number(int, 0, 19),
        "Lower the priority of what prints, and of the viewer from its first frame on, by so much, as nice does: other "
        "tasks come first. The collector keeps its own, so that no events are lost.",
    )
    keep_state: bool = option(True, Flag("no-keep-state"), "Remember columns, theme and filters for the next start.")
    collector: CollectorOptions = field(default_factory=CollectorOptions)
    document: toml.Document = field(default=toml.Document(Path("config.toml"), {}, {}), compare=False, repr=False)
    """The config file, for errors about what only the viewer can check."""


def known_options() -> dict[str, Option]:
    """Return every option that a config file can set, by its key."""
    return {name: one for name, one in _all_options().items() if one.only in ("", "config")}


def _all_options() -> dict[str, Option]:
    return options(Config) | options(CollectorOptions)


def config_file() -> Path:
    """Return the path of the default config file."""
    from platformdirs import user_config_path

    return user_config_path("ringtop") / "config.toml"


def themes_dir(file: Path | None = None) -> Path:
    """Return the folder of the user's own themes, which is beside the config *file*."""
    return (file or config_file()).parent / "themes"


def load(file: Path | None = None) -> Config:
    """Return the options in *file*, by default those in the default file, which may be missing. Raises ConfigError."""
    if file is None and not config_file().exists():
        return Config()
    try:
        doc = toml.read(file or config_file())
        return override(Config(document=doc), **{key: _value(doc, key, given) for key, given in doc.data.items()})
    except toml.TomlError as e:
        raise ConfigError(e.file, e.text, e.key, e.line) from None


def _value(doc: toml.Document, key: str, given: object) -> Any:
    """Return the value of option *key*, which a document has as *given*. Raises TomlError."""
    known = known_options()
    if key not in known:
        import difflib  # takes long to import

        near = difflib.get_close_matches(key, known, 1)
        cure = f"did you mean {near[0]!r}?" if near else f"the options are {', '.join(known)}"
        raise doc.error(f"no such option; {cure}", key[:200])
    try:
        return known[key].read(given)
    except _Inside as e:
        raise doc.error(str(e), key, e.key) from None
    except ValueError as e:
        raise doc.error(f"{e}{_example(known[key])}", key) from None


def _example(one: Option) -> str:
    if one.shown or not one.default:
        return ""
    import msgspec

    return f"; for example {one.name} = {msgspec.json.encode(one.default).decode()}"


def override(config: Config, **given: Any) -> Config:
    """Return *config* with the values *given* by name, None excepted. Raises ValueError, which names the flag."""
    known, values = _all_options(), {}
    for name, value in given.items():
        if value is None:
            continue
        try:
            values[name] = known[name].read(value)
        except ValueError as e:
            raise ValueError(f"{known[name].flag}: {e}") from None
    own = options(Config)
    collector = replace(config.collector, **{n: v for n, v in values.items() if n not in own})
    return replace(config, collector=collector, **{n: v for n, v in values.items() if n in own})
