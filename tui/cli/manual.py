"""The manual page, made of what ``--help`` says (man(7))."""

from __future__ import annotations

import os
import textwrap
import time
from collections.abc import Iterator
from inspect import cleandoc

import click

from ringtop.bpf import VERSION

_WIDTH = 70
_AS_IT_IS = "\b"
"""With this, click's texts begin a paragraph whose lines are kept."""
_SEE_ALSO = "ssh(1), bpf(2), perf_event_open(2), proc(5)"


def page(program: click.Group) -> str:
    """The page of *program* with all its commands. Its date is that of SOURCE_DATE_EPOCH, or today."""
    day = time.strftime("%Y-%m-%d", time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))))
    return "\n".join([f'.TH RINGTOP 1 {day} "ringtop {VERSION}"', *_page(program)]) + "\n"


def _page(program: click.Group) -> Iterator[str]:
    context = click.Context(program, info_name="ringtop")
    about, _, more = (program.help or "").partition("\n\n")
    yield from (".SH NAME", f"ringtop \\- {_safe(about.partition('.')[0])}")
    yield from (".SH SYNOPSIS", *_usage(program, context))
    yield from (".SH DESCRIPTION", *_text(about), *_next(more))
    yield from (".SH OPTIONS", *_options(program, context))
    yield ".SH COMMANDS"
    ending = program.epilog or ""
    for name in program.list_commands(context):
        command = program.get_command(context, name)
        assert command is not None
        own = click.Context(command, info_name=name, parent=context)
        yield f".SS {_safe(name)}"
        yield from (*_usage(command, own), *_next(command.help or ""), *_options(command, own))
        yield from _next((command.epilog or "").replace(ending, ""))
    yield from (".SH EXIT STATUS", *_text(ending.replace("Exit status:\n", "")))
    yield from (".SH SEE ALSO", *_text(_SEE_ALSO))


def _usage(command: click.Command, context: click.Context) -> list[str]:
    words = [context.command_path, *command.collect_usage_pieces(context)]
    return [f".B {_safe(words[0])}", *_text(" ".join(words[1:]))]


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context) if isinstance(parameter, click.Option) else None
        if record is not None:
            names, about = record
            yield from (".TP", f".B {_safe(names)}", *_text(about))


def _next(text: str) -> list[str]:
    """*text* as further paragraphs."""
    return [".PP", *_text(text)] if text.strip() else []


def _text(text: str) -> list[str]:
    """Paragraphs, which are apart by an empty line."""
    lines: list[str] = []
    for paragraph in cleandoc(text).split("\n\n"):
        if lines:
            lines.append(".PP")
        if paragraph.startswith(_AS_IT_IS):
            kept = paragraph.removeprefix(_AS_IT_IS).strip("\n").splitlines()
            lines += [".nf", *map(_safe, kept), ".fi"]
        else:
            lines += map(_safe, textwrap.wrap(" ".join(paragraph.split()), _WIDTH, break_on_hyphens=False))
    return lines


def _safe(line: str) -> str:
    """*line* as text: nothing in it is a request or an escape. A long one goes on behind a backslash."""
    parts = [line[at : at + _WIDTH] for at in range(0, len(line.rstrip()), _WIDTH)]
    escaped = "\\\n".join(part.replace("\\", "\\e").replace("-", "\\-") for part in parts).rstrip()
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
