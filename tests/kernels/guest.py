"""In the guest: all checks, or those named. A new one is a function that yields its lines, and a name in CHECKS."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One combination that was tried."""

    what: str
    problem: str = ""


Check = Callable[[], Iterator[Line]]


def main() -> int:
    from tests.kernels import rungs

    checks: dict[str, Check] = {"rungs": rungs.check}
    failed = 0
    for name in sys.argv[1:] or checks:
        for line in checks[name]():
            failed += bool(line.problem)
            print(f"{'FAIL' if line.problem else 'ok  '}  {line.what}", flush=True)
            if line.problem:
                print(f"      {line.problem}", flush=True)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
