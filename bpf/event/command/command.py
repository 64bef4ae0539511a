"""The key of a command line, without the parts that differ from run to run: ``git -C /a add x.c`` is ``git add ..``.

These are pure functions on untrusted bytes; their results are untrusted, too, and must be made safe before display.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ringtop.bpf.event.args import split_args
from ringtop.bpf.event.command import tools
from ringtop.bpf.event.command.shell_text import first_command

_VERSION = re.compile(rb"[-.]?[0-9][0-9.]*\Z")
_TARGET = re.compile(rb"\A(?:[a-z0-9_]+-){2,3}(?=[a-z+]+[0-9]*\Z)")
_DIGITS = re.compile(rb"[0-9]+")
_ASSIGNMENT = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*=")
BY_DESCRIPTOR = (b"/proc/", b"/dev/fd/")
"""Prefixes of files that are named by a descriptor; such a program is named after its first argument instead."""
_DEEPEST = 4
"""Deepest nesting of wrappers that is followed."""
_NAME_MAX = 255
LONGEST = 256
"""Longest label, bytes."""
UNREADABLE = b"(unknown)"
"""The program of an exec whose file and arguments could not be read."""
REST = b".."
"""The mark that stands for all other arguments."""
CODE = b".."


@dataclass(frozen=True, slots=True)
class Command:
    """A command line's key, from coarse to fine."""

    program: bytes
    words: tuple[bytes, ...] = ()
    """Words that narrow the program down: a subcommand, a script, or the program that a wrapper runs."""
    flags: tuple[bytes, ...] = ()
    """Names of its options, sorted, each once."""
    more: bool = False
    """Whether it has other arguments."""

    def labels(self) -> tuple[bytes, bytes, bytes]:
        """The labels of the three levels: the program; with its subcommand; with the names of its options, too."""
        named = b" ".join((self.program, *self.words))
        return self.program, named, b" ".join((named, *self.flags, *([REST] if self.more else [])))


def line_labels(filename: bytes, argv: bytes) -> tuple[bytes, bytes, bytes]:
    """The labels of an exec with the arguments *argv*, each ended by a NUL; a last one that was cut is left out.

    Each label is at most LONGEST bytes, without a NUL.
    """
    whole = argv[: argv.rfind(b"\0") + 1]
    program, named, full = command(filename, split_args(whole, whole.count(b"\0"))).labels()
    return shown(program), shown(named), shown(full)


def shown(label: bytes) -> bytes:
    """*label* as a row shows it: at most LONGEST bytes, without a NUL."""
    return label[:LONGEST].replace(b"\0", b" ")


def base(path: bytes) -> bytes:
    """The last name of a path, at most 255 bytes of it."""
    return path.rpartition(b"/")[2][:_NAME_MAX]


def stem(name: bytes) -> bytes:
    """The name of a program without version and target: ``gcc`` of ``x86_64-linux-gnu-gcc-12``."""
    return _TARGET.sub(b"", _VERSION.sub(b"", name)) or name


def is_compiler(name: bytes) -> bool:
    """Whether a program called *name* has a compiler's or a linker's options."""
    return name in tools.COMPILERS or stem(name) in tools.COMPILERS


def is_deep(filename: bytes, called: Sequence[bytes]) -> bool:
    """Whether the key of an exec depends on more arguments than the names of its options. *called* holds the name that
    *filename* was called by, or nothing. A name that differs from the file's may hide a script, which only the
    arguments show."""
    _, name = names(filename, called)
    return (bool(called) and base(called[0]) != base(filename)) or _known(name) or _known(stem(name))


def names(filename: bytes, args: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The name of a program as it is shown, and the name that decides how its arguments are parsed."""
    file, called = base(filename), base(args[0]) if args else b""
    plain = called.removeprefix(b"-")
    if not called or called == file:
        return file or UNREADABLE, file
    if not file or filename.startswith(BY_DESCRIPTOR):
        return called, plain
    return b"%s as %s" % (file, called), plain if _known(plain) or is_compiler(plain) else file


def script(filename: bytes, args: Sequence[bytes]) -> int:
    """The index of *filename* in *args* when it is a script with a ``#!`` line: the kernel puts it behind the
    interpreter and at most one option. 0 when it is no such script."""
    file = base(filename)
    if not file or not args or base(args[0]) == file:
        return 0
    return next((at for at, arg in enumerate(args[1:3], 1) if base(arg) == file), 0)


def command(filename: bytes, args: Sequence[bytes], depth: int = 0) -> Command:
    """The key of the exec of *filename* with *args*; the first argument is the program's own name."""
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
    """The name of an option without its value: text behind ``=``, a number, or the argument of a compiler's option."""
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
            if words:  # an option in place of a second word belongs to the subcommand
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
