"""In the guest: all checks, or those named. A line of JSON on standard output for each trial, for people on standard
error. A new check is a function that yields its trials, and a name in CHECKS."""

from __future__ import annotations

import sys

import msgspec

from tests.kernels import rungs, storms, viewer

CHECKS = {"rungs": rungs.check, "storms": storms.check, "viewer": viewer.check}


def main() -> int:
    failed = 0
    for name in sys.argv[1:] or CHECKS:
        for trial in CHECKS[name]():
            failed += not trial.ok
            print(msgspec.json.encode(trial).decode(), flush=True)
            print(
                "ok  " if trial.ok else "FAIL",
                *trial.what.values(),
                trial.result,
                sep="  ",
                file=sys.stderr,
                flush=True,
            )
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
