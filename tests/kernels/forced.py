"""``python -m tests.kernels.forced 1 trace …``: a ringtop that knows only the given rung (from 0) of each ladder."""

from __future__ import annotations

import sys
from functools import partialmethod
from unittest.mock import patch

from ringtop.bpf import __main__ as root
from ringtop.bpf.kernel import loader
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.ladder import Rung, ladder
from ringtop.tui.cli.main import main
from ringtop.tui.source.client import Client

_number = sys.argv.pop(1)
_collector = (sys.executable, "-m", "tests.kernels.forced", _number, "collect")


def _only(program: str, kernel: Kernel) -> list[Rung]:
    return [ladder(program, kernel)[int(_number)]]


if sys.argv[1] == "collect":
    with patch.object(loader, "ladder", _only):
        sys.exit(root.main(sys.argv[1:]))
# The command starts its collector as another process: this module again.
with patch.object(Client, "__init__", partialmethod(Client.__init__, command=_collector)):
    main()
