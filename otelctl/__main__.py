"""The program: `otelctl`, or `python -m otelctl`."""

from __future__ import annotations

import sys
import threading


def _silent(arguments: threading.ExceptHookArgs) -> None:
    del arguments


def main() -> None:
    """Run the command line of this process and exit with its code."""
    if sys.argv[1:] == ["--version"]:
        # The one answer that needs no command at all; loading the others would take longer than giving it.
        from otelctl import __version__  # noqa: PLC0415

        sys.stdout.write(f"otelctl {__version__}\n")
        sys.exit(0)
    # What a thread leaves unhandled would be printed as it is, with whatever secret it holds.
    threading.excepthook = _silent
    try:
        from otelctl.cli.app import run  # noqa: PLC0415

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        # Before the first line of ours that can say so.
        sys.stderr.write("otelctl: interrupted\n")
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
