"""A command that ringtop launches, to follow it from its first instruction.

The command's process exists before anything is traced, and waits: the collector gets its id, and it becomes the command
once all hooks are in. Its parent is a keeper, a process of the same user, for ringtop itself may become a user who may
not signal the command. The keeper waits for the command's end, and ends the command when ringtop is gone.
"""

from __future__ import annotations

import errno
import os
import select
import shutil
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from ringtop.bpf.common.signals import ENDING
from ringtop.tui.cli.account import Account

_NOT_STARTED, _NOT_FOUND = 126, 127
"""Exit statuses, as of a shell."""
_WHY = {
    errno.ENOENT: "there is no such command",
    errno.ENOEXEC: "it is neither a program of this machine nor a script with a first line such as #!/bin/sh",
    errno.ELIBACC: "the interpreter that its first line, or the program itself, asks for is missing",
}
_BY_A_PROCESS = 0
"""``si_code`` of a signal that a process has sent is at most this (sigaction(2))."""


class CannotLaunch(Exception):
    """The command was not started, or nobody knows its end; the text, which is not yet safe to show, says why.
    ``status`` is the exit status for that."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


def _not_started(command: str, number: int) -> CannotLaunch:
    why = _WHY.get(number) or os.strerror(number)
    return CannotLaunch(f"{command} cannot be started: {why}", _NOT_FOUND if number == errno.ENOENT else _NOT_STARTED)


def _unwatched(name: str) -> CannotLaunch:
    """The keeper of the command *name* has ended before the command: somebody killed it."""
    what = f"the process that waits for {name} was killed"
    return CannotLaunch(f"{what}: the exit status of {name} is not known, and it may still run", 1)


class Command:
    """The process that becomes the command *words*, run by *user* (None: by the user of this process). With *output*,
    the file descriptor of a file for all that it prints, it has no terminal; otherwise it has that of this process.

    Forks, so this process must have only one thread. Raises CannotLaunch when there is no such command.
    """

    def __init__(self, words: Sequence[str], user: Account | None = None, output: int | None = None) -> None:
        self.name = Path(words[0]).name
        self._word = words[0]
        self._status = 1
        self._over = threading.Event()
        start, self._start = os.pipe2(os.O_CLOEXEC)
        requests, self._requests = os.pipe2(os.O_CLOEXEC)
        told, tells = os.pipe2(os.O_CLOEXEC)
        try:
            self.keeper = os.fork()
        except OSError as e:
            raise _not_started(words[0], e.errno or errno.EAGAIN) from e
        """The id of the keeper."""
        if self.keeper == 0:
            for mine in (self._start, self._requests, told):
                os.close(mine)
            _Keeper(words, user, output, start, requests, tells).run()
        for theirs in (start, requests, tells):
            os.close(theirs)
        self._told = os.fdopen(told)
        self.failure: CannotLaunch | None = None
        """Why it could not be started after all, or why its status is not known."""
        self.pid = self._hear("waits") or 0
        """The id of the command."""
        if self.failure is not None or not self.pid:
            raise self.failure or _not_started(words[0], errno.ECHILD)

    def _hear(self, wanted: str) -> int | None:
        """The number that the keeper tells under the word *wanted*, or under "failed", which is a failure; None when it
        has gone."""
        for line in self._told:
            word, number = line.split()
            if word == "failed":
                self.failure = _not_started(self._word, int(number))
            if word in (wanted, "failed"):
                return int(number)
        return None

    def watch(self, ended: Callable[[], object]) -> None:
        """Call *ended*, in a thread of its own, once the command has ended."""

        def wait() -> None:
            status = self._hear("ended")
            if status is None:
                self.failure = _unwatched(self.name)
            else:
                self._status = 128 - status if status < 0 else status
            if self.failure is not None:
                self._status = self.failure.status
            os.waitpid(self.keeper, 0)
            self._over.set()
            ended()

        threading.Thread(target=wait, name="command", daemon=True).start()

    def start(self) -> None:
        """Let it become the command."""
        self._write(self._start, 1)

    def tell(self, number: int) -> None:
        """Send it a signal, or send it to its whole session if it has one of its own."""
        self._write(self._requests, number)

    @staticmethod
    def _write(fd: int, number: int) -> None:
        with suppress(BrokenPipeError):  # it has ended
            os.write(fd, bytes((number,)))

    def pass_signals_on(self) -> None:
        """From now on, pass on the signals that would end this process: it will end after the command. Those from the
        terminal, such as Ctrl+C's, the command has already: it belongs to the same job."""
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)

        def pass_on() -> None:
            while True:
                got = signal.sigwaitinfo(ENDING)
                if got.si_code <= _BY_A_PROCESS:
                    self.tell(got.si_signo)

        threading.Thread(target=pass_on, name="signals", daemon=True).start()

    def wait(self, timeout: float | None = None) -> int | None:
        """Return the exit status, which is 128 + N after signal N, or None when it has not ended after *timeout*
        seconds. Call ``watch`` before."""
        return self._status if self._over.wait(timeout) else None


@dataclass
class _Keeper:
    """The parent of the command."""

    words: Sequence[str]
    user: Account | None
    output: int | None
    start: int
    requests: int
    tells: int

    def run(self) -> NoReturn:
        """Fork the command, keep it, and end after it."""
        try:
            Path("/proc/self/comm").write_text("ringtop command")
            command = os.fork()
            if command == 0:
                self._become_the_command()
            os.close(self.start)
            self._keep(command)
        finally:
            os._exit(1)

    def _tell(self, word: str, number: int) -> None:
        with suppress(BrokenPipeError):  # ringtop is gone
            os.write(self.tells, f"{word} {number}\n".encode())

    def _become_the_command(self) -> NoReturn:
        try:
            self._prepare()
            word = self.words[0]
            path = shutil.which(word)
            if path is None:
                raise OSError(errno.EACCES if "/" in word and Path(word).exists() else errno.ENOENT, "")
            self._tell("waits", os.getpid())
            if os.read(self.start, 1):
                try:
                    os.execv(path, list(self.words))  # noqa: S606
                except FileNotFoundError as e:  # not of the command, which was found
                    raise OSError(errno.ELIBACC, "") from e
        except OSError as e:
            self._tell("failed", e.errno or errno.EINVAL)
        finally:
            os._exit(_NOT_STARTED)

    def _prepare(self) -> None:
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores
            signal.signal(number, signal.SIG_DFL)
        if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        Path("/proc/self/comm").write_bytes(os.fsencode(Path(self.words[0]).name))  # the collector calls it by that
        if self.output is not None:
            os.setsid()
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(self.output, 1)
            os.dup2(self.output, 2)
        if self.user is not None:
            _become(self.user)

    def _keep(self, command: int) -> None:
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)
        if self.user is not None:
            _become(self.user)
        awake, wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        send = os.kill if self.output is None else os.killpg
        while True:
            ended, status = os.waitpid(command, os.WNOHANG)
            if ended:
                if self.output is not None and not os.fstat(self.output).st_size:
                    with suppress(OSError):  # somebody has moved it
                        Path(f"/proc/self/fd/{self.output}").readlink().unlink()
                self._tell("ended", os.waitstatus_to_exitcode(status))
                return
            ready = select.select((self.requests, awake), (), ())[0]
            if awake in ready:
                os.read(awake, 256)
            if self.requests in ready:
                numbers = os.read(self.requests, 256)
                with suppress(ProcessLookupError, PermissionError):  # it is another user's by now
                    for one in numbers or (signal.SIGTERM,):
                        send(command, one)
                if not numbers:
                    return  # ringtop is gone


def _become(user: Account) -> None:
    """Be *user*, as after a login. ``privilege.drop`` would forbid the command to call sudo."""
    if user.name == str(user.uid):
        os.setgroups([user.gid])
    else:
        os.initgroups(user.name, user.gid)
    os.setresgid(user.gid, user.gid, user.gid)
    os.setresuid(user.uid, user.uid, user.uid)
    for name in [name for name in os.environ if name.startswith("SUDO_")]:
        del os.environ[name]
    os.environ |= {"HOME": user.home, "USER": user.name, "LOGNAME": user.name}
