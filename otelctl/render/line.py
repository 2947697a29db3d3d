"""A line for people: pieces of text and what each is. How that looks, and how wide it is, a terminal decides."""

from __future__ import annotations

import enum
import unicodedata
from collections.abc import Sequence


class Style(enum.StrEnum):
    """What a piece of text is; the terminal decides how that looks."""

    PLAIN = ""
    GOOD = "good"
    BAD = "bad"
    WARNING = "warning"
    FAINT = "faint"
    COMMAND = "command"
    STRONG = "strong"


Span = tuple[str, Style]
Line = tuple[Span, ...]

_ASCII = str.maketrans(
    {
        "✓": "+",
        "✗": "x",
        "–": "-",
        "—": "-",
        "•": "*",
        "…": "...",
        "→": "->",
        "×": "x",
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
        "\u00a0": " ",
        "\ufffd": "?",
    }
)


def join(styled: Sequence[Line]) -> str:
    """Return lines of styled pieces as text without styles, with a line break after each."""
    return "".join("".join(text for text, _ in line) + "\n" for line in styled)


def in_ascii(line: Line) -> Line:
    """Return a line in ASCII: our signs by their nearest likeness, anything else escaped."""
    return tuple(
        (text.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii"), style) for text, style in line
    )


def columns(text: str) -> int:
    """Return how many columns of a terminal `text` takes; East Asian wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
