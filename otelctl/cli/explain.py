"""`otelctl explain`: the page of a code, offline."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

from otelctl import catalog
from otelctl.cli import session as sessions
from otelctl.cli.errors import UsageError
from otelctl.render import page

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class PageFormat(enum.StrEnum):
    """How a page goes out."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


@app.command("explain", short_help="Show the page of a code.")
def explain(
    context: typer.Context,
    code: Annotated[
        str | None, typer.Argument(metavar="CODE", help="The code, as AUTH-REVERSED; none lists all.")
    ] = None,
    output: Annotated[PageFormat, typer.Option("--format", help="How the page goes out.")] = PageFormat.TEXT,
) -> None:
    """Show the whole page of a code: what is seen, why, and what mends it. Without a code, list all."""
    session = sessions.of(context)
    terminal = session.terminal
    if code is None:
        every = catalog.every()
        if output is PageFormat.JSON:
            from otelctl.render import json  # noqa: PLC0415  each format is loaded only to be used

            terminal.raw(json.dump(page.index_document(every.values())))
        elif output is PageFormat.MARKDOWN:
            terminal.raw(page.index_markdown({area: catalog.rows(area) for area in catalog.AREAS}))
        else:
            terminal.write(page.index_lines(every.values(), width=terminal.width, ascii_only=terminal.ascii_only))
        return
    diagnosis = catalog.lookup(code.strip())
    if diagnosis is None:
        raise UsageError(_unknown(code))
    if output is PageFormat.JSON:
        from otelctl.render import json  # noqa: PLC0415  as above

        terminal.raw(json.dump(page.document(diagnosis)))
    elif output is PageFormat.MARKDOWN:
        terminal.raw(page.markdown(diagnosis))
    else:
        terminal.write(page.lines(diagnosis, width=terminal.width, ascii_only=terminal.ascii_only))


def _unknown(code: str) -> str:
    import difflib  # noqa: PLC0415  only a mistake needs it

    codes = list(catalog.every())
    wanted = code.upper().replace("_", "-")
    near = difflib.get_close_matches(wanted, codes, n=3, cutoff=0.5)
    if wanted and not near:
        near = [one for one in codes if wanted in one][:3]
    hint = f"did you mean {' or '.join(near)}?" if near else "otelctl explain lists all of them"
    return f"there is no code {code[:40]!r}; {hint}"
