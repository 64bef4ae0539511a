"""Changes at set times, for scripts: ``--after 2 transport=other``."""

from __future__ import annotations

from typing import Any, Literal

import click

from ringtop.bpf import stream
from ringtop.bpf.common import sizes

_TRANSPORTS: dict[str, stream.Transport | Literal["other"]] = {
    "ringbuf": "ringbuf",
    "perfbuf": "perfbuf",
    "other": "other",
}


def control(text: str) -> stream.Control:
    """``transport=other``, ``buffer=256K``, ``wakeup=every``, ``capture=pid=1`` or ``compare=10`` as a control message.

    Raises ValueError.
    """
    name, _, value = text.partition("=")
    match name:
        case "transport" if value in _TRANSPORTS:
            return stream.Retune(transport=_TRANSPORTS[value])
        case "transport":
            raise ValueError(f"{value!r} is not a transport: ringbuf, perfbuf or other")
        case "buffer":
            return stream.Retune(buffer_bytes=sizes.parse_size(value))
        case "wakeup":
            sizes.parse_wakeup(value)
            return stream.Retune(wakeup=value)
        case "capture":
            return stream.SetCapture(value)
        case "compare":
            seconds = float(value) if value.replace(".", "", 1).isdecimal() else 0.0
            if not 0 < seconds <= stream.MOST_SECONDS:
                raise ValueError(f"{value!r} is not a time: seconds, at most {stream.MOST_SECONDS}")
            return stream.Compare(seconds)
    raise ValueError(f"{name!r} cannot be changed: transport, buffer, wakeup and capture can, and compare=SECONDS")


class Change(click.ParamType[stream.Control]):
    """A change; its value is the control message."""

    name = "change"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> stream.Control:
        """The message."""
        try:
            return control(value) if isinstance(value, str) else value
        except ValueError as e:
            self.fail(str(e), param, ctx)
