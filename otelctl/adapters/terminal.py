"""The terminal: where styled lines, data and progress go. rich is loaded only to colour or to animate."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

# The signs of the renderers and the mask of secrets.
_SIGNS = "✓✗–•…"

_STYLES = {
    "": "",
    "good": "green",
    "bad": "bold red",
    "warning": "yellow",
    "faint": "dim",
    "command": "bold cyan",
    "strong": "bold",
}

_COLUMNS = 80


class Unwritable(OSError):  # noqa: N818 - it names what the output is
    """Standard output takes no more, as where the disk is full; `strerror` says why."""


class Terminal:
    """Standard output for results and standard error for the rest, as they are: a screen, a pipe, a file or closed.

    `variables` is the environment: NO_COLOR (no-color.org) and TERM=dumb turn colours off and win over FORCE_COLOR
    (force-color.org), which turns them on where the output is no screen; CI turns the animation off.
    A reader that went away (`| head`) ends the output without a word; any other failure of standard output is raised
    as Unwritable. A message that standard error does not take is lost: there is nowhere else to say it.
    """

    def __init__(self, stdout: TextIO | None, stderr: TextIO | None, variables: Mapping[str, str]) -> None:
        self._stdout = _Output(stdout, variables)
        self._stderr = _Output(stderr, variables)
        self._variables = variables

    @property
    def ascii_only(self) -> bool:
        """Whether the encoding of standard output lacks the signs that the renderers use."""
        return self._stdout.lacks(_SIGNS)

    @property
    def ascii_only_messages(self) -> bool:
        """Whether the encoding of standard error lacks them."""
        return self._stderr.lacks(_SIGNS)

    @property
    def width(self) -> int:
        """The columns to wrap prose to: those of the screen, at most 80."""
        if not self._stdout.screen:
            return _COLUMNS
        return min(_COLUMNS, shutil.get_terminal_size((_COLUMNS, 24)).columns)

    @property
    def closed(self) -> bool:
        """Whether the reader of standard output went away."""
        return self._stdout.closed

    def write(self, lines: Iterable[Sequence[tuple[str, str]]]) -> None:
        """Write styled lines, each made of (text, style), to standard output."""
        self._stdout.lines(lines)

    def raw(self, text: str) -> None:
        """Write a text to standard output as it is."""
        self._stdout.raw(text)

    def tell(self, lines: Iterable[Sequence[tuple[str, str]]]) -> None:
        """Write styled lines to standard error: notices and errors, no results."""
        with suppress(Unwritable):
            self._stderr.lines(lines)

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """Show what is under way on standard error while the block runs, where that is a screen; then wipe it away."""
        shown = self._stderr.screen and self._variables.get("TERM") != "dumb" and not self._variables.get("CI")
        with Progress(self._stderr if shown else None) as progress:
            yield progress


class Progress:
    """A sign of life with the name of what is under way; silent where there is no screen."""

    def __init__(self, output: _Output | None) -> None:
        self._output = output
        self._status: Status | None = None

    def start(self, title: str) -> None:
        """Show that `title` is under way, in place of what was before."""
        if self._output is None:
            return
        from rich.text import Text  # noqa: PLC0415 - 12 ms that only a screen is worth

        text = Text(self._output.encodable(title), overflow="ellipsis", no_wrap=True)
        if self._status is None:
            # In characters that every encoding has, or else drawn.
            spinner = "line" if self._output.lacks("⠋⠙⠹") else "dots"
            self._status = self._output.console().status(text, spinner=spinner)
            self._status.start()
        else:
            self._status.update(text)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()


class _Output:
    """One stream."""

    def __init__(self, stream: TextIO | None, variables: Mapping[str, str]) -> None:
        self._stream = stream
        self._variables = variables
        self.closed = False
        try:
            self.screen = stream is not None and stream.isatty()
        except ValueError:  # closed before we came
            self.screen, self._stream = False, None

    @property
    def coloured(self) -> bool:
        if self._variables.get("NO_COLOR") or self._variables.get("TERM") == "dumb":
            return False
        return self.screen or bool(self._variables.get("FORCE_COLOR"))

    def lacks(self, signs: str) -> bool:
        try:
            signs.encode(self._encoding)
        except (UnicodeEncodeError, LookupError):
            return True
        return False

    def encodable(self, text: str) -> str:
        """Return `text` with what the encoding lacks written as an escape, so that writing it cannot fail."""
        try:
            return text.encode(self._encoding, "backslashreplace").decode(self._encoding)
        except LookupError:
            return text.encode("ascii", "backslashreplace").decode("ascii")

    def console(self) -> Console:
        from rich.console import Console  # noqa: PLC0415 - as above

        return Console(
            file=self._stream,
            force_terminal=True,
            no_color=not self.coloured,
            markup=False,
            highlight=False,
            emoji=False,
            soft_wrap=True,
            _environ=dict(self._variables),
        )

    def lines(self, lines: Iterable[Sequence[tuple[str, str]]]) -> None:
        if not self.coloured or self._stream is None:
            self.raw("".join("".join(text for text, _ in line) + "\n" for line in lines))
            return
        from rich.text import Text  # noqa: PLC0415 - as above

        console = self.console()
        with console.capture() as capture:
            for line in lines:
                pieces = ((self.encodable(text), _STYLES.get(style, "")) for text, style in line)
                console.print(Text.assemble(*pieces), soft_wrap=True)
        self.raw(capture.get())

    def raw(self, text: str) -> None:
        if self._stream is None or self.closed:
            return
        try:
            self._stream.write(self.encodable(text))
            self._stream.flush()
        except OSError as error:
            self.closed = True
            # The interpreter flushes once more at its end, and would complain; docs.python.org/3/library/signal.html.
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self._stream.fileno())
            os.close(null)
            if not isinstance(error, BrokenPipeError):
                raise Unwritable(error.errno, error.strerror) from None

    @property
    def _encoding(self) -> str:
        return getattr(self._stream, "encoding", None) or "utf-8"
