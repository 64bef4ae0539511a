"""Theme files (TOML), their loader and the style sheet."""

from ringtop.themes.loader import (
    COLORS,
    DEFAULT,
    NO_COLOR,
    OWN,
    ThemeError,
    abouts,
    defaults,
    folder,
    install,
    load,
    load_all,
)

__all__ = [
    "COLORS",
    "DEFAULT",
    "NO_COLOR",
    "OWN",
    "ThemeError",
    "abouts",
    "defaults",
    "folder",
    "install",
    "load",
    "load_all",
]
