"""What a command line is, without what differs from run to run: ``git -C /a add x.c`` is ``git add ..``.

Pure functions on bytes that anybody may have chosen; nothing here makes them safe to show.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ringtop.tui.top import tools
from ringtop.tui.top.shell_text import first_command

_VERSION = re.compile(rb"[-.]?[0-9][0-9.]*\Z")
_TARGET = re.compile(rb"\A(?:[a-z0-9_]+-){2,3}(?=[a-z+]+[0-9]*\Z)")
_DIGITS = re.compile(rb"[0-9]+")
_ASSIGNMENT = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*=")
BY_DESCRIPTOR = (b"/proc/", b"/dev/fd/")
"""A file that is named so is called by its first argument."""
_DEEPEST = 4
"""Wrappers inside wrappers."""
_NAME_MAX = 255
UNREADABLE = b"(unknown)"
"""Neither its file nor its arguments could be read."""
REST = b".."
"""Stands for all other arguments."""
CODE = b".."


@dataclass(frozen=True, slots=True)
class Command:
    """A command line's key, from coarse to fine."""

    program: bytes
    words: tuple[bytes, ...] = ()
    """What says more of what it does: a subcommand, a script, the program that a wrapper runs."""
    flags: tuple[bytes, ...] = ()
    """Names of its options, in order, each once."""
    more: bool = False
    """It has other arguments."""

    def labels(self) -> tuple[bytes, bytes, bytes]:
        """As program; with subcommand; and with the names of options."""
        named = b" ".join((self.program, *self.words))
        return self.program, named, b" ".join((named, *self.flags, *([REST] if self.more else [])))


def base(path: bytes) -> bytes:
    """The last part of a path."""
    return path.rpartition(b"/")[2][:_NAME_MAX]


def stem(name: bytes) -> bytes:
    """The name of a program without version and target: ``gcc`` of ``x86_64-linux-gnu-gcc-12``."""
    return _TARGET.sub(b"", _VERSION.sub(b"", name)) or name


def is_compiler(name: bytes) -> bool:
    """Whether a program called *name* has a compiler's or a linker's options."""
    return name in tools.COMPILERS or stem(name) in tools.COMPILERS


def is_deep(filename: bytes, called: Sequence[bytes]) -> bool:
    """Whether more of its arguments than the names of options makes the key of *filename*, *called* so (one name, or
    none): a script may be behind another name, and only its arguments tell."""
    _, name = names(filename, called)
    return (bool(called) and base(called[0]) != base(filename)) or _known(name) or _known(stem(name))


def names(filename: bytes, args: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The name of a program as it is shown, and the one it was called by, which tells how it takes its arguments."""
    file, called = base(filename), base(args[0]) if args else b""
    plain = called.removeprefix(b"-")
    if not called or called == file:
        return file or UNREADABLE, file
    if not file or filename.startswith(BY_DESCRIPTOR):
        return called, plain
    return b"%s as %s" % (file, called), plain if _known(plain) or is_compiler(plain) else file


def script(filename: bytes, args: Sequence[bytes]) -> int:
    """Where *filename* stands among *args* because the kernel put it there behind the interpreter that its first line
    names, and perhaps an option; else 0."""
    file = base(filename)
    if not file or not args or base(args[0]) == file:
        return 0
    return next((at for at, arg in enumerate(args[1:3], 1) if base(arg) == file), 0)


def command(filename: bytes, args: Sequence[bytes], depth: int = 0) -> Command:
    """The key of the exec of *filename* with *args*, the first of which is its own name."""
    if at := script(filename, args):
        return _options(base(filename), (), args[at + 1 :])
    shown, name = names(filename, args)
    rest = list(args[1:])
    known = name if _known(name) else stem(name)
    if known in tools.SHELLS:
        return _shell(shown, rest)
    if (interpreter := tools.INTERPRETERS.get(known)) is not None:
        return _script(shown, rest, interpreter, known in tools.AWKS)
    if (tool := tools.TOOLS.get(known)) is not None:
        return _subcommand(shown, rest, tool)
    if (wrapper := tools.WRAPPERS.get(known)) is not None and depth < _DEEPEST:
        return _wrapped(shown, rest, wrapper, depth)
    return _options(shown, (), rest, is_compiler(name))


def _known(name: bytes) -> bool:
    return any(name in table for table in (tools.INTERPRETERS, tools.TOOLS, tools.WRAPPERS, tools.SHELLS))


def _options(program: bytes, words: tuple[bytes, ...], args: Sequence[bytes], compiler: bool = False) -> Command:
    flags, more = set(), False
    for arg in args:
        if len(arg) < 2 or not arg.startswith(b"-"):
            more = True
        elif arg != b"--":
            flags.add(_flag(arg, compiler))
    return Command(program, words, tuple(sorted(flags)), more)


def _flag(arg: bytes, compiler: bool) -> bytes:
    """The name of an option: without a value that is behind a ``=``, or is a number, or an argument of a compiler's."""
    if compiler and arg[1:2] in tools.CUT:
        return arg[:2]
    name = arg.partition(b"=")[0]
    return name if name.startswith(b"--") else _DIGITS.sub(b"N", name)


def _shell(program: bytes, args: list[bytes]) -> Command:
    text = skip = False
    for at, arg in enumerate(args):
        if skip:
            skip = False
        elif arg[:1] in (b"-", b"+") and len(arg) > 1:
            short = arg[:2] != b"--"
            text = text or (short and arg[:1] == b"-" and b"c" in arg)
            skip = (short and arg[-1:] in (b"o", b"O")) or arg in (b"--rcfile", b"--init-file")
        elif text:
            return Command(program, (b"-c", first_command(arg)), (), True)
        else:
            return _options(program, (base(arg),), args[at + 1 :])
    return _options(program, (), args)


def _script(program: bytes, args: list[bytes], kind: tools.Interpreter, code: bool) -> Command:
    skip = False
    before: list[bytes] = []
    for at, arg in enumerate(args):
        if skip:
            skip = False
        elif arg in kind.module and at + 1 < len(args):
            return _options(program, (arg, base(args[at + 1])), args[at + 2 :])
        elif arg in kind.code:
            return Command(program, (arg, CODE))
        elif arg in kind.valued:
            skip = True
        elif arg.startswith(b"-") and len(arg) > 1:
            before.append(arg)
        elif code:
            return Command(program, (CODE,))
        else:
            return _options(program, (base(arg),), args[at + 1 :])
    return _options(program, (), before)


def _subcommand(program: bytes, args: list[bytes], tool: tools.Tool) -> Command:
    words: list[bytes] = []
    skip = False
    for at, arg in enumerate(args):
        if skip:
            skip = False
        elif arg.startswith(b"-"):
            if words:  # its own option, where a second word would have been
                return _options(program, tuple(words), args[at:])
            skip = arg in tool.valued
        else:
            words.append(arg)
            if len(words) == tool.depth:
                return _options(program, tuple(words), args[at + 1 :])
    return _options(program, tuple(words), [] if words else args)


def _wrapped(program: bytes, args: list[bytes], kind: tools.Wrapper, depth: int) -> Command:
    skip, own = False, kind.words
    for at, arg in enumerate(args):
        if skip:
            skip = False
        elif arg.startswith(b"-") and len(arg) > 1:
            skip = arg in kind.valued
        elif kind.assigns and _ASSIGNMENT.match(arg):
            continue
        elif own:
            own -= 1
        else:
            inner = command(arg, [arg, *args[at + 1 :]], depth + 1)
            return Command(program, (inner.program, *inner.words), inner.flags, inner.more)
    return _options(program, (), args)
