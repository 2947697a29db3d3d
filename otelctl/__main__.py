"""The program: `otelctl`, or `python -m otelctl`."""

from __future__ import annotations

import os
import sys
import threading


def main() -> None:
    """Run the command line of this process and exit with its code."""
    _open_streams()
    # What a thread leaves unhandled would be printed as it is, with whatever secret it holds.
    threading.excepthook = _silent
    try:
        code = _version() if sys.argv[1:] == ["--version"] else _run()
    except KeyboardInterrupt:
        # Before the first line, or after the last one, of what would have said so.
        sys.stderr.write("otelctl: interrupted\n")
        code = 130
    sys.exit(code)


def _run() -> int:
    import gc  # noqa: PLC0415  the version does without these
    import signal  # noqa: PLC0415

    # What a start loads stays: a collector that looks through it every 700 objects takes a tenth of a short run.
    gc.set_threshold(200_000)

    from otelctl.cli.app import run  # noqa: PLC0415

    code = run(sys.argv[1:])
    # The memory goes back as it is: the interpreter's own end would look through all of it once more, whether the
    # collector is enabled or not, which takes as long as loading a third of it did.
    gc.freeze()
    # All is said and the code is known: an interrupt now would end in a traceback of the interpreter's own end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return code


def _version() -> int:
    """Say the version: the one answer that needs no command; loading them would take longer than giving it."""
    from otelctl import __version__  # noqa: PLC0415
    from otelctl.adapters.terminal import Terminal, Unwritable  # noqa: PLC0415

    terminal = Terminal(sys.stdout, sys.stderr, {})
    try:
        terminal.raw(f"otelctl {__version__}\n")
    except Unwritable as error:
        terminal.tell([((f"otelctl: the output cannot be written: {error.strerror}", ""),)])
        return 3
    return 0


def _open_streams() -> None:
    """Point streams that are closed (`>&-`) nowhere: else the next file or socket that is opened takes their place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - for the process's life


def _silent(arguments: threading.ExceptHookArgs) -> None:
    del arguments


if __name__ == "__main__":
    main()
