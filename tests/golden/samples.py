"""Fixed reports and what each format makes of them; `python -m tests.golden.samples` writes the files anew.

The rows are of their own, so that a better word in the catalogue changes no file here.
"""

from __future__ import annotations

from pathlib import Path

from otelctl.engine import crash
from otelctl.model import Certainty, CheckResult, Diagnosis, Finding, Report, Severity, Status, Step
from otelctl.render import github, json, junit, markdown, page, text

HERE = Path(__file__).parent

REVERSED = Diagnosis(
    code="AUTH-REVERSED",
    title="The token stands before the instance ID",
    severity=Severity.ERROR,
    summary="The decoded value starts with an access policy token and ends with {instance_id}.",
    cause="The gateway reads `instance ID:token`; in the other order the token reads as an unknown user.",
    fix=(
        Step("Build the header in the right order.", "otelctl encode-auth {instance_id}"),
        Step("Store it for the service.", "otelctl push-secret --secret-id {secret}"),
        Step("Start a new deployment: a running one keeps the old value."),
    ),
    references=("https://opentelemetry.io/docs/specs/otel/protocol/exporter/", "RFC 7617, section 2"),
)
PLAINTEXT = Diagnosis(
    code="URL-PLAINTEXT",
    title="The credential goes over plain HTTP",
    severity=Severity.WARNING,
    summary="The endpoint {url} has no TLS.",
    cause="Everyone on the way can read the token.",
    fix=(Step("Write https:// in OTEL_EXPORTER_OTLP_ENDPOINT."),),
)
RETIRED = Diagnosis(
    code="AUTH-OLD",
    title="Nobody sees this any more",
    severity=Severity.NOTICE,
    summary="It was.",
    cause="It is not.",
    fix=(),
    retired=True,
)
TARGET = "https://otlp-gateway-prod-eu-west-2.grafana.net/otlp"


def reversed_pair() -> Finding:
    """Return the flagship finding."""
    where = "OTEL_EXPORTER_OTLP_HEADERS, .env:3"
    return REVERSED.found(Certainty.CERTAIN, where, instance_id="123456", secret="prod/my app")


def plaintext() -> Finding:
    """Return a warning that is not proven."""
    return PLAINTEXT.found(Certainty.LIKELY, "OTEL_EXPORTER_OTLP_ENDPOINT", url="http://collector.example/a|b?<c>")


def _report(*results: CheckResult, **facts: str) -> Report:
    return Report("check-endpoint", "0.1.0", TARGET, results, {k.replace("_", " "): v for k, v in facts.items()})


REPORTS = {
    "healthy": _report(
        CheckResult("url", "the endpoint is an OTLP address", Status.PASSED),
        CheckResult("dns", "the host resolves", Status.PASSED, seconds=0.0031, detail="34.120.177.193 and 3 more"),
        CheckResult("tls", "the certificate is trusted", Status.SKIPPED, reason="plain HTTP has no handshake"),
        trace_ID="4bf92f3577b34da6a3ce929d0e0e4736",
        TraceQL='{ resource.service.name = "otelctl" && name = "a name that is long enough for any line to break" }',
    ),
    "failed": _report(
        CheckResult("url", "the endpoint is an OTLP address", Status.WARNED, (plaintext(),)),
        CheckResult("header", "the header is well formed", Status.FAILED, (reversed_pair(),), 0.0004),
        CheckResult(
            "http", "the gateway accepts the credential", Status.SKIPPED, reason="waits for: the header is well formed"
        ),
    ),
    "warned": _report(
        CheckResult("url", "the endpoint is an OTLP address", Status.WARNED, (plaintext(),), 1.25),
        CheckResult("http", "the gateway accepts the credential", Status.PASSED, detail="HTTP 200, nothing rejected"),
    ),
    "crashed": _report(
        CheckResult("dns", "the host resolves", Status.CRASHED, (crash(KeyError("x"), str),), 0.001, reason="KeyError"),
    ),
}


def outputs() -> dict[str, str]:
    """Return every golden file's text by its name."""
    files: dict[str, str] = {}
    for name, report in REPORTS.items():
        files[f"{name}.txt"] = text.plain(report)
        files[f"{name}.json"] = json.dump(json.document(report))
    failed = REPORTS["failed"]
    files["failed.ascii.txt"] = text.plain(failed, ascii_only=True, verbose=True)
    files["failed.junit.xml"] = junit.render(failed)
    files["failed.github.txt"] = github.render(failed)
    files["failed.md"] = markdown.render(failed)
    files["page.txt"] = page.text(REVERSED)
    files["page.md"] = page.markdown(REVERSED)
    return files


if __name__ == "__main__":
    for name, content in outputs().items():
        (HERE / name).write_text(content, encoding="utf-8")
