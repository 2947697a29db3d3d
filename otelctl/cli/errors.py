"""What ends a command before it has a result."""

from __future__ import annotations


class UsageError(Exception):
    """A wrong use of the command line: one sentence that says what was wrong, where, and what to do. Exit code 2."""


class Stop(Exception):  # noqa: N818  it is no error: the command has said all and names its exit code
    """The command has said what there is to say; `code` is its exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code
