"""A credential in the form in which it goes into one place or another. The one renderer that shows a secret.

Sources: OpenTelemetry specification protocol/exporter.md (headers), curl's manual (`--config`), POSIX and PowerShell
quoting. A Basic value holds letters, digits, `+`, `/`, `=` and one space, so single quotes hold it everywhere.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Sequence
from urllib.parse import quote

from otelctl.secret import Secret

VARIABLE = "OTEL_EXPORTER_OTLP_HEADERS"
_PLAIN = "/:@._~+-"


class As(enum.StrEnum):
    """Where a credential goes."""

    OTLP_HEADERS = "otlp-headers"
    PERCENT_ENCODED = "percent-encoded"
    HTTP_HEADER = "http-header"
    DOTENV = "dotenv"
    SHELL = "shell"
    POWERSHELL = "powershell"
    CURL = "curl"
    JSON = "json"


def render(value: Secret, form: As, others: Sequence[tuple[str, Secret]] = ()) -> str:
    """Return what carries the value of Authorization (`Basic …`), and the headers beside it, to where `form` says.

    The forms for HTTP and for curl are a line for each header, the others one line in all.
    """
    basic = value.reveal()
    beside = [(name, text.reveal()) for name, text in others]
    # Encoded, a value holds no comma, quote or `=` that a parser or a shell could stumble over.
    tail = "".join(f",{name}={quote(text, safe=_PLAIN)}" for name, text in beside)
    headers = f"Authorization={basic}{tail}"
    lines = [("Authorization", basic), *beside]
    return {
        As.OTLP_HEADERS: headers,
        As.PERCENT_ENCODED: f"Authorization={quote(basic, safe='')}{tail}",
        As.HTTP_HEADER: "\n".join(f"{name}: {text}" for name, text in lines),
        As.DOTENV: f'{VARIABLE}="{headers}"',
        As.SHELL: f"export {VARIABLE}='{headers}'",
        As.POWERSHELL: f"$env:{VARIABLE} = '{headers}'",
        # For `curl --config FILE`: on the command line every user of the machine could read it.
        As.CURL: "\n".join(f'header = "{name}: {_escaped(text)}"' for name, text in lines),
        As.JSON: json.dumps({VARIABLE.lower(): headers}),
    }[form]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
