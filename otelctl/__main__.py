"""The program: `otelctl`, or `python -m otelctl`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line of this process and exit with its code."""
    if sys.argv[1:] == ["--version"]:
        # The one answer that needs no command at all; loading the others would take longer than giving it.
        from otelctl import __version__  # noqa: PLC0415

        sys.stdout.write(f"otelctl {__version__}\n")
        sys.exit(0)
    from otelctl.cli.app import run  # noqa: PLC0415

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
