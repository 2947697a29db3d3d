"""A trace drawn for a terminal: a row a span, children below their parent, with a bar for when it ran."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from otelctl.backend import Span, document_spans
from otelctl.render.line import Line, Style, columns
from otelctl.render.wording import printable

MOST = 100
"""How many spans are drawn; how many there are besides is said."""

_DEEPEST = 8
_BAR, _LEAST_BAR = 20, 8
_SERVICE = 16
_DURATION = 7


def lines(document: Mapping[str, Any], *, width: int = 80, ascii_only: bool = False) -> list[Line]:
    """Return a trace in OTLP JSON as styled lines of at most `width` columns.

    Names are anybody's text: they are cleaned of what steers a terminal, put on one line, and cut to their column.
    """
    spans = list(document_spans(document))
    if not spans:
        return []
    begin = min(span.start_ns for span in spans)
    whole = max(max(span.end_ns, span.start_ns) for span in spans) - begin
    rows = list(_in_order(spans))[:MOST]
    services = {span.service for span in spans}
    longest = max(columns(_plain(name, ascii_only=ascii_only)) for name in services)
    size = min(_SERVICE, longest) if len(services) > 1 else 0
    bar = _BAR if width >= 72 else _LEAST_BAR
    fixed = 4 + 2 + _DURATION + 2 + bar + (size + 2 if size else 0)
    room = max(width - fixed, 12)
    out = [
        _row(
            span,
            depth,
            room,
            size,
            _bar(span, begin, whole, bar, ascii_only=ascii_only),
            orphan=orphan,
            ascii_only=ascii_only,
        )
        for span, depth, orphan in rows
    ]
    if len(spans) > len(rows):
        out.append(((f"    … and {len(spans) - len(rows)} more spans", Style.FAINT),))
    return out


def _row(span: Span, depth: int, room: int, size: int, bar: str, *, orphan: bool, ascii_only: bool) -> Line:
    sign = ("✗", Style.BAD) if span.error else (" ", Style.PLAIN)
    cut = "~" if ascii_only else "…"
    name = _plain(span.name, ascii_only=ascii_only) or "(no name)"
    label = "  " * min(depth, _DEEPEST) + (f"{cut} " if orphan else "") + name
    style = Style.BAD if span.error else Style.PLAIN
    service = f"  {_fit(_plain(span.service, ascii_only=ascii_only) or '-', size, cut)}" if size else ""
    took = f"  {_took(span.end_ns - span.start_ns, ascii_only=ascii_only):>{_DURATION}}  "
    return (
        ("  ", Style.PLAIN),
        sign,
        (f" {_fit(label, room, cut)}", style),
        (service, Style.FAINT),
        (took, Style.PLAIN),
        (bar.rstrip(), Style.BAD if span.error else Style.GOOD),
    )


def _in_order(spans: Sequence[Span]) -> Iterator[tuple[Span, int, bool]]:
    """Yield every span once, parents first, siblings by time: with its depth, and whether its parent is missing.

    Spans that are their own ancestors, which only a broken or hostile trace has, come last, as if they had no parent.
    """
    ordered = sorted(range(len(spans)), key=lambda place: (spans[place].start_ns, place))
    ids = {span.span_id for span in spans}
    children: dict[str, list[int]] = defaultdict(list)
    for place in ordered:
        children[spans[place].parent_id].append(place)
    tops = [place for place in ordered if spans[place].parent_id not in ids]
    seen: set[int] = set()
    for top in [*tops, *ordered]:
        waiting = [(top, 0)]
        while waiting:
            place, depth = waiting.pop()
            if place in seen:
                continue
            seen.add(place)
            span = spans[place]
            yield span, depth, depth == 0 and bool(span.parent_id)
            waiting += [(child, depth + 1) for child in reversed(children[span.span_id])]


def _bar(span: Span, begin: int, whole: int, width: int, *, ascii_only: bool) -> str:
    if whole <= 0:
        return ("#" if ascii_only else "█") * width
    start = min((span.start_ns - begin) * width // whole, width - 1)
    end = max(start + 1, -(-(span.end_ns - begin) * width // whole))
    return " " * start + ("#" if ascii_only else "█") * (min(end, width) - start)


def _took(duration: int, *, ascii_only: bool) -> str:
    """Return a duration in nanoseconds for people, in at most seven columns."""
    if duration < 0:
        return "?"
    if duration >= 100_000 * 1_000_000_000:
        return "> 1 day"
    for unit, size in (("s", 1_000_000_000), ("ms", 1_000_000), ("us" if ascii_only else "µs", 1_000)):
        if duration >= size:
            value = duration / size
            return f"{value:.0f} {unit}" if value >= 9.95 else f"{value:.1f} {unit}"
    return f"{duration} ns"


def _plain(text: str, *, ascii_only: bool = False) -> str:
    line = " ".join(printable(text[:400]).split())
    return line.encode("ascii", "backslashreplace").decode("ascii") if ascii_only else line


def _fit(text: str, width: int, cut: str) -> str:
    """Return a text in exactly so many columns, cut with a sign where it is longer."""
    if columns(text) <= width:
        return text + " " * (width - columns(text))
    while text and columns(text) > width - 1:
        text = text[:-1]
    return text + cut + " " * (width - 1 - columns(text))
