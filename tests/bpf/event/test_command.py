"""What a command line is, without what differs from run to run."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf.event.command.command import Command, command, is_compiler
from ringtop.bpf.event.command.shell_text import COMMENT, NOTHING, first_command
from tests.samples import NASTY, texts


def of(line: str, file: str = "") -> Command:
    """Of a line as one types it; *file*: what is started, if it has another name."""
    args = [word.encode() for word in shlex.split(line)]
    return command(file.encode() if file else b"/usr/bin/" + args[0].rpartition(b"/")[2], args)


@pytest.mark.parametrize(
    ("line", "named", "whole"),
    [
        ("echo u1", "echo", "echo .."),
        ("ls", "ls", "ls"),
        ("rm -rf /tmp/a", "rm", "rm -rf .."),
        ("find . -name x", "find", "find -name .."),
        ("find . -newer x", "find", "find -newer .."),
        ("make -j8 all", "make", "make -jN .."),
        ("head -20 file", "head", "head -N .."),
        ("sha --sha256 --bits=3 x", "sha", "sha --bits --sha256 .."),
        ("git -C /x add y", "git add", "git add .."),
        ("git --git-dir /x -c a=b gc --auto", "git gc", "git gc --auto"),
        ("git --version", "git", "git --version"),
        ("docker compose -f x up", "docker compose", "docker compose -f .."),
        ("ip -br addr show dev lo", "ip addr show", "ip addr show .."),
        ("ip -s link", "ip link", "ip link"),
        ("systemctl --no-pager restart nginx", "systemctl restart", "systemctl restart .."),
        ("python3 /srv/a.py --port 80", "python3 a.py", "python3 a.py --port .."),
        ("python3 b.py", "python3 b.py", "python3 b.py"),
        ("python3.11 -W ignore -m pip install x", "python3.11 -m pip", "python3.11 -m pip .."),
        ("python3 -c 'print(1)' a", "python3 -c ..", "python3 -c .."),
        ("python3 -", "python3 -", "python3 -"),
        ("java -Xmx1g -cp /a:/b -jar /opt/x.jar run", "java -jar x.jar", "java -jar x.jar .."),
        ("java -cp /a org.Main", "java org.Main", "java org.Main"),
        ("perl -e 'print'", "perl -e ..", "perl -e .."),
        ("awk -F: '{print $1}' /etc/passwd", "awk ..", "awk .."),
        ("awk -f x.awk in", "awk -f x.awk", "awk -f x.awk .."),
        ("sh -c 'cd /a && gcc x'", "sh -c gcc", "sh -c gcc .."),
        ("sh -c 'gcc y'", "sh -c gcc", "sh -c gcc .."),
        ("bash -xo pipefail -ec 'exec /bin/foo'", "bash -c foo", "bash -c foo .."),
        ("sh /srv/x.sh -v a", "sh x.sh", "sh x.sh -v .."),
        ("sh -x", "sh", "sh -x"),
        ("env A=1 timeout -k 5 10 git -C /x add y", "env timeout git add", "env timeout git add .."),
        ("sudo -u www -- systemctl stop x", "sudo systemctl stop", "sudo systemctl stop .."),
        ("nice -n 5 make -j8", "nice make", "nice make -jN"),
        ("xargs -0 -n 1 rm -f", "xargs rm", "xargs rm -f"),
        ("timeout 10", "timeout", "timeout .."),
        ("gcc -DA=1 -Iinc -O2 -Wall -m64 -c a.c -o a.o", "gcc", "gcc -D -I -O -W -c -m -o .."),
        ("x86_64-linux-gnu-gcc-12 -fPIC x.c", "x86_64-linux-gnu-gcc-12", "x86_64-linux-gnu-gcc-12 -f .."),
        ("as --64 -I -o x.o", "as", "as --64 -I -o .."),
    ],
)
def test_a_command_line(line: str, named: str, whole: str) -> None:
    program, with_subcommand, with_options = (label.decode() for label in of(line).labels())
    assert (with_subcommand, with_options) == (named, whole)
    assert program == named.split()[0]


@pytest.mark.parametrize(
    ("lines", "rows"),
    [
        ([f"echo u{i}" for i in range(1, 51)], 1),
        (["git add a", "git -C /x add b", "git gc"], 2),
        (["find . -name a", "find . -newer a"], 2),
        (["python3 a.py", "python3 b.py"], 2),
        (["make -j8", "make -j4"], 1),
        (["sh -c 'cd /a && gcc x'", "sh -c 'gcc y'"], 1),
        (["cmd -b -a", "cmd -a -b -a"], 1),
    ],
)
def test_lines_that_are_one_row_and_lines_that_are_not(lines: list[str], rows: int) -> None:
    assert len({of(line).labels()[2] for line in lines}) == rows


@pytest.mark.parametrize(
    ("line", "file", "whole"),
    [
        ("-bash", "/bin/bash", "bash as -bash"),
        ("ls -l", "/bin/busybox", "busybox as ls -l"),
        ("/bin/sh /srv/thumbnail -x 1", "/srv/thumbnail", "thumbnail -x .."),
        ("/usr/bin/python3 -u ./tool.py go", "./tool.py", "tool.py .."),
        ("runc init", "/proc/self/exe", "runc init"),
        ("worker", "/dev/fd/7", "worker"),
        ("sh -c 'make all'", "/bin/dash", "dash as sh -c make .."),
    ],
)
def test_a_program_that_is_called_by_another_name(line: str, file: str, whole: str) -> None:
    assert of(line, file).labels()[2].decode() == whole


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("gcc x", "gcc"),
        ("set -e; A=1 B='c d' exec /usr/bin/gcc x", "gcc"),
        ("cd '/a;b' && gcc", "gcc"),
        ("cd /a || exit 1; gcc", "exit"),
        ("[ -f x ] && foo", "foo"),
        ("if test -x a; then foo; fi", "foo"),
        ("for i in 1 2; do foo $i; done", "foo"),
        ("( umask 077; foo )", "foo"),
        ("! foo", "foo"),
        ("2>/dev/null foo", "foo"),
        ("A=$(b c) foo", "foo"),
        ("'/opt/a b/foo' x", "foo"),
        ("# a comment\n  foo", "foo"),
        ("# only a comment", COMMENT.decode()),
        ("", NOTHING.decode()),
        ("cd /a", "cd"),
        ("$CC -c x.c", "$CC"),
    ],
)
def test_the_first_command_of_a_shell_text(text: str, found: str) -> None:
    assert first_command(text.encode()).decode() == found


@given(
    st.one_of(
        st.sampled_from(NASTY), st.binary(max_size=300), st.text(alphabet="'\"\\$(){};&|<>#! \n=ax/").map(str.encode)
    )
)
def test_no_shell_text_is_too_much(text: bytes) -> None:
    assert len(first_command(text)) <= 64


@given(texts(), st.lists(texts(), max_size=6))
def test_no_bytes_are_too_much(file: bytes, args: list[bytes]) -> None:
    coarse, middle, fine = command(file, args).labels()
    assert middle.startswith(coarse)
    assert fine.startswith(middle)


@pytest.mark.parametrize("length", [4096, 100_000])
def test_long_names_take_no_time(length: int) -> None:
    """Patterns of names would take quadratic time: names are cut, as file names are at 255 bytes."""
    for name in (b"a" * length, b"0" * length + b"x", b"a-" * (length // 2), b"'" * length, b"$(" * length):
        command(b"/" + name, [name, b"-c", name])
        is_compiler(name[:255])
        first_command(name)
