"""The signals that ask a process to end, and the names of all signals."""

from __future__ import annotations

import signal

_FAULTS = {signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGTRAP, signal.SIGSYS}
_HARMLESS = {
    signal.SIGKILL, signal.SIGSTOP,  # cannot be caught
    signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH,  # ignored by default
    signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU,  # stop the process
    signal.SIGPIPE, signal.SIGXFSZ,  # Python turns these two into errors
}  # fmt: skip
ENDING = tuple(sorted(signal.valid_signals() - _FAULTS - _HARMLESS))
"""All signals whose default action ends the process (signal(7)), without those that report a fault of the program. A
process that is ended by one of them in the middle of its work would leave a terminal or a recording as it is then."""


def name(number: int) -> str:
    """The name of a signal; that of a real-time signal is its distance from the first, as for kill(1)."""
    if signal.SIGRTMIN < number <= signal.SIGRTMAX:
        return f"SIGRTMIN+{number - signal.SIGRTMIN}"
    return signal.Signals(number).name if number in signal.valid_signals() else f"signal {number}"


def numbers() -> dict[str, int]:
    """The numbers of all signals by ``name``."""
    return {name(number): number for number in sorted(signal.valid_signals())}
