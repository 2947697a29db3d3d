"""`otelctl traceparent`: the context of a trace from one carrier's spelling to another's, offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from otelctl import __version__
from otelctl.cli import options as opt
from otelctl.cli import session as sessions
from otelctl.cli import sources
from otelctl.cli.errors import UsageError
from otelctl.cli.output import emit
from otelctl.model import Report
from otelctl.propagation import Carrier, read, write

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_NAMES = {
    Carrier.TRACEPARENT: "traceparent",
    Carrier.XRAY: "X-Ray header",
    Carrier.SQS: "SQS message attributes",
    Carrier.SQS_SYSTEM: "SQS system attributes",
}


@app.command("traceparent", short_help="Convert the context of a trace.")
def traceparent(
    context: typer.Context,
    value: Annotated[
        str | None,
        typer.Argument(
            metavar="CONTEXT", help="A traceparent, an X-Ray header, or JSON of a message; - or none: stdin."
        ),
    ] = None,
    form: Annotated[
        Carrier | None, typer.Option("--as", help="Print this spelling alone, for use in a script.")
    ] = None,
    output: opt.FormatOption = opt.Format.TEXT,
) -> None:
    """Convert the context of a trace: W3C traceparent, X-Ray header, attributes of SQS messages.

    Reads a message as `aws sqs receive-message` prints it or Lambda hands it over, too: where it carries both spellings
    and they name different traces, that is said.
    """
    session = sessions.of(context)
    if value is None or value == "-":
        value, _ = sources.read_file(session, Path("-"), "the context", "CONTEXT")
    try:
        carried = read(value)
    except ValueError as error:
        raise UsageError(f"CONTEXT: {error}") from None
    if form is not None:
        session.terminal.raw(write(carried, form) + "\n")
        return
    sampled = "undecided" if carried.undecided else "yes" if carried.context.sampled else "no"
    facts = {
        "Read from": _NAMES[carried.carrier],
        "Trace ID": carried.context.trace_id,
        "Span ID": carried.context.span_id,
        "Sampled": sampled,
    }
    facts |= {name: write(carried, carrier) for carrier, name in _NAMES.items()}
    raise emit(session, Report("traceparent", __version__, "", (), facts), output, opt.FailOn.ERROR)
