"""The command ``ringtop``, also as ``python -m ringtop.tui``."""

import gc
import signal

# Until all is imported, Ctrl+C ends the process without a traceback; an ignored one stays ignored.
if interruptible := signal.getsignal(signal.SIGINT) == signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def main() -> None:
    """Run the command line and exit."""
    gc.disable()  # nothing of what is imported is garbage
    from ringtop.tui.cli import main as cli

    gc.freeze()
    gc.enable()
    if interruptible:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    cli.main()


if __name__ == "__main__":
    main()
