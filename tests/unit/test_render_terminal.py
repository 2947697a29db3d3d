"""The terminal, on real streams: pipes, files, closed ends and a pseudo-terminal."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO

import pytest

from otelctl.adapters import terminal
from otelctl.adapters.terminal import Terminal
from otelctl.render import text
from otelctl.render.line import Style
from tests.golden.samples import REPORTS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")

LINES = text.lines(REPORTS["failed"])
PLAIN = text.plain(REPORTS["failed"])
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Screen:
    """A pseudo-terminal: a stream that is a TTY, and what was written to it."""

    def __init__(self, encoding: str = "utf-8") -> None:
        self._ours, theirs = os.openpty()
        self.stream: TextIO = os.fdopen(theirs, "w", encoding=encoding)

    def shown(self) -> str:
        """Close the stream and return what reached the screen, with plain line breaks."""
        self.stream.flush()
        os.set_blocking(self._ours, False)
        got = b""
        while True:
            try:
                got += os.read(self._ours, 65536)
            except BlockingIOError:
                break
        self.close()
        return got.decode().replace("\r\n", "\n")

    def close(self) -> None:
        """Give both ends back."""
        if not self.stream.closed:
            self.stream.close()
            os.close(self._ours)


@pytest.fixture
def screen() -> Iterator[Screen]:
    """A screen of 80 columns or so, closed in the end."""
    made = Screen()
    yield made
    made.close()


def _file(encoding: str = "utf-8") -> tuple[io.BytesIO, TextIO]:
    raw = io.BytesIO()
    return raw, io.TextIOWrapper(raw, encoding=encoding, newline="\n")


def test_a_file_gets_the_text_alone() -> None:
    """What is no screen gets exactly the plain text, in the encoding of the stream."""
    raw, stream = _file()
    Terminal(stream, None, {}).write(LINES)
    assert raw.getvalue().decode() == PLAIN


def test_every_style_of_the_renderer_is_known() -> None:
    """The terminal knows how each style looks that the text renderer hands out."""
    assert {style.value for style in Style} == set(terminal._STYLES)


def test_a_screen_gets_the_same_text_coloured(screen: Screen) -> None:
    """Colours are added to the text and change nothing else: no line is cut, wrapped or read as markup."""
    long = [(("  otelctl encode-auth [/red][bold] :smile: 'x' " + "y" * 200, "command"),)]
    Terminal(screen.stream, None, {"TERM": "xterm-256color"}).write([*LINES, *long])
    shown = screen.shown()
    assert "\x1b[1;31m✗" in shown
    assert ANSI.sub("", shown) == PLAIN + long[0][0][0] + "\n"


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1", "FORCE_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_screen_without_colours(screen: Screen, variables: Mapping[str, str]) -> None:
    """NO_COLOR and a dumb terminal get the text without a single escape."""
    Terminal(screen.stream, screen.stream, variables).write(LINES)
    assert screen.shown() == PLAIN


def test_colours_can_be_forced() -> None:
    """FORCE_COLOR colours what goes to a pipe."""
    raw, stream = _file()
    Terminal(stream, None, {"FORCE_COLOR": "1", "TERM": "xterm"}).write(LINES)
    assert b"\x1b[" in raw.getvalue()
    assert ANSI.sub("", raw.getvalue().decode()) == PLAIN


@pytest.mark.parametrize("encoding", ["ascii", "cp437", "latin-1"])
def test_an_encoding_that_lacks_our_signs(encoding: str) -> None:
    """Such an output is known, and what cannot be written is escaped, never an error."""
    raw, stream = _file(encoding)
    out = Terminal(stream, None, {})
    assert out.ascii_only
    out.write(LINES)
    assert raw.getvalue().startswith(b"\\u2717 AUTH-REVERSED")


def test_lone_surrogates_can_be_written() -> None:
    """An argument that was no valid UTF-8 comes back escaped instead of ending the run."""
    raw, stream = _file()
    out = Terminal(stream, None, {})
    assert not out.ascii_only
    out.raw("\udcff\n")
    assert raw.getvalue() == b"\\udcff\n"


def test_progress_is_seen_and_wiped(screen: Screen) -> None:
    """On a screen the check under way is shown, as data and not as markup, and the line is empty in the end."""
    out = Terminal(None, screen.stream, {"TERM": "xterm"})
    with out.progress() as progress:
        progress.start("the host resolves")
        progress.start("TCP [/red] connects")
    shown = screen.shown()
    assert "TCP [/red] connects" in shown
    assert "\x1b[?25h" in shown
    assert shown.endswith("\r\x1b[1A\x1b[2K")


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"CI": "true"}])
def test_progress_is_silent_where_it_would_be_noise(screen: Screen, variables: Mapping[str, str]) -> None:
    """A dumb terminal and a CI log see no animation."""
    with Terminal(None, screen.stream, variables).progress() as progress:
        progress.start("the host resolves")
    assert screen.shown() == ""


def _run(code: str, tail: str = "") -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[2]
    return subprocess.run(
        ["sh", "-c", f'"$0" -c "$1" {tail}', sys.executable, code],
        capture_output=True,
        text=True,
        cwd=root,
        check=False,
        timeout=30,
    )


WRITE = "import sys; from otelctl.adapters.terminal import Terminal; t = Terminal(sys.stdout, sys.stderr, {});"


def test_a_reader_that_went_away_is_no_error() -> None:
    """`| head -1` gives one line, and no complaint from us or from the interpreter."""
    done = _run(WRITE + "[t.raw('x' * 99 + chr(10)) for _ in range(9999)]; assert t.closed", "| head -1")
    assert (done.stdout, done.stderr) == ("x" * 99 + "\n", "")


def test_closed_output_is_no_error() -> None:
    """A closed standard output (`>&-`) is nothing to write to, and nothing to complain about."""
    done = _run(WRITE + "t.raw('x'); t.tell([[('said', 'bad')]])", ">&-")
    assert (done.returncode, done.stderr) == (0, "said\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is a Linux device")
def test_a_full_disk_is_raised() -> None:
    """Results that were not written are an error: the command must not end with 0."""
    done = _run(WRITE + "\ntry: t.raw('x')\nexcept OSError as error: sys.exit(7)", ">/dev/full")
    assert done.returncode == 7


def test_rich_is_not_loaded_for_a_pipe() -> None:
    """Cold start: without a screen rich is not imported, whether we write, tell or show progress."""
    done = _run(
        WRITE + "t.write([[('a', 'bad')]]); t.tell([[('b', 'bad')]])\nwith t.progress() as p: p.start('c')\n"
        "print('rich' in sys.modules)"
    )
    assert (done.stdout, done.stderr) == ("a\nFalse\n", "b\n")
