"""``python -m ringtop.tui``: the same as the command ``ringtop``."""

from ringtop.tui.cli import main

main()
