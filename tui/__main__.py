"""``python -m ringtop.tui``: the same as the command ``ringtop``."""

from ringtop.tui.cli.main import main

main()
