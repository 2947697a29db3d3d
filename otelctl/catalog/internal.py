"""What goes wrong inside otelctl itself."""

from __future__ import annotations

from otelctl.model import Diagnosis, Severity, Step

CRASH = Diagnosis(
    code="INTERNAL-CRASH",
    title="otelctl itself failed here",
    severity=Severity.UNKNOWN,
    summary="{error} at {place}: {text}",
    cause="This is a mistake in otelctl, not in your set-up; what it was checking is neither good nor bad.",
    fix=(Step("Report it with these lines and the version; the text above holds no secret.", "otelctl --version"),),
)

ROWS = (CRASH,)
