"""Changes at set times, for scripts: ``--after 2 transport=other``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ringtop.bpf.common.transports import TRANSPORTS
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.bpf.options.kinds import Choice, Seconds
from ringtop.bpf.options.option import options

if TYPE_CHECKING:
    from ringtop.bpf import stream

_OPTIONS = options(CollectorOptions)


def control(text: str) -> stream.Control:
    """``transport=other``, ``buffer=256K``, ``wakeup=every``, ``capture=pid=1`` or ``compare=10`` as a control message.

    Raises ValueError.
    """
    from ringtop.bpf import stream  # takes long to import

    name, _, value = text.partition("=")
    match name:
        case "transport":
            return stream.Retune(transport=Choice((*TRANSPORTS, "other")).read(value))  # type: ignore[arg-type]
        case "buffer":
            return stream.Retune(buffer_bytes=_OPTIONS[name].read(value))
        case "wakeup":
            return stream.Retune(wakeup=_OPTIONS[name].read(value))
        case "capture":
            return stream.SetCapture(_OPTIONS[name].read(value))
        case "compare":
            return stream.Compare(Seconds().read(value))
    raise ValueError(f"{name!r} is not a change; the changes are transport=, buffer=, wakeup=, capture= and compare=")


class Change(click.ParamType["stream.Control"]):
    """The option type of a change; its value is a control message."""

    name = "change"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> stream.Control:
        """The control message."""
        try:
            return control(value) if isinstance(value, str) else value
        except ValueError as e:
            self.fail(str(e), param, ctx)
