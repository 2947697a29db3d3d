"""A credential in the form in which it goes into one place or another. The one renderer that shows a secret.

Sources: OpenTelemetry specification protocol/exporter.md (headers), curl's manual (`--config`), POSIX and PowerShell
quoting. A Basic value holds letters, digits, `+`, `/`, `=` and one space, so single quotes hold it everywhere.
"""

from __future__ import annotations

import enum
import json
from urllib.parse import quote

from otelctl.secret import Secret

VARIABLE = "OTEL_EXPORTER_OTLP_HEADERS"


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


def render(value: Secret, form: As) -> str:
    """Return one line that carries the value of Authorization (`Basic …`) to where `form` says."""
    basic = value.reveal()
    headers = f"Authorization={basic}"
    return {
        As.OTLP_HEADERS: headers,
        As.PERCENT_ENCODED: f"Authorization={quote(basic, safe='')}",
        As.HTTP_HEADER: f"Authorization: {basic}",
        As.DOTENV: f'{VARIABLE}="{headers}"',
        As.SHELL: f"export {VARIABLE}='{headers}'",
        As.POWERSHELL: f"$env:{VARIABLE} = '{headers}'",
        # For `curl --config FILE`: on the command line every user of the machine could read it.
        As.CURL: f'header = "Authorization: {basic}"',
        As.JSON: json.dumps({VARIABLE.lower(): headers}),
    }[form]
