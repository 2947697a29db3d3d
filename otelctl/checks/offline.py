"""The checks that send nothing: the settings, the endpoint and the credential, by what they say."""

from __future__ import annotations

from otelctl.checks.run import Run
from otelctl.credential import Header
from otelctl.diagnose import credential as credential_judge
from otelctl.diagnose import endpoint as endpoint_judge
from otelctl.diagnose import settings as settings_judge
from otelctl.endpoint import Endpoint, EndpointError, GrafanaHost, parse, parse_grpc
from otelctl.engine import Check, Outcome
from otelctl.model import Severity
from otelctl.secret import Secret
from otelctl.settings import GRAFANA_ENDPOINT, Source

PATH_DROPPED = "GRPC-PATH-DROPPED"


def _parse(run: Run) -> Endpoint | None:
    try:
        return _read_endpoint(run)
    except EndpointError:
        return None


def _read_endpoint(run: Run) -> Endpoint:
    """Parse the endpoint as an exporter of the protocol does; raises EndpointError."""
    text, plaintext = run.target.endpoint.value, run.target.plaintext
    if run.grpc or (run.target.detect and "://" not in text):
        return parse_grpc(text, insecure=plaintext is not None and plaintext.value.strip().lower() == "true")
    return parse(text)


def _settings(run: Run) -> Outcome:
    target = run.target
    findings = run.put_aside(settings_judge.judge_protocol(target.protocol, _parse(run)))
    switches = settings_judge.judge_switches(target.disabled, target.exporter)
    said = target.protocol.value
    if run.asked is None:
        said = "to be found out" if target.detect else f"no setting names one, {said} is probed"
    return Outcome((*findings, *switches), said)


def _endpoint(run: Run) -> Outcome:
    target = run.target
    try:
        run.endpoint = _read_endpoint(run)
    except EndpointError as error:
        return Outcome(endpoint_judge.judge_unreadable(target.endpoint, str(error)))
    for secret in (run.endpoint.username, run.endpoint.password, Secret(run.endpoint.query)):
        if secret is not None:
            run.redact.add(secret)
    if run.grpc:
        if around := endpoint_judge.judge_text(target.endpoint, run.endpoint, as_is=True):
            return Outcome(around)
        from otelctl.diagnose import grpc as grpc_judge  # noqa: PLC0415  it brings what is seen of a connection

        findings = grpc_judge.judge_endpoint(target.endpoint, run.endpoint, credential=run.confidential)
        # A path matters only once it is known that gRPC is spoken.
        run.suspicions += [one for one in findings if one.code == PATH_DROPPED]
        findings = tuple(one for one in findings if one.code != PATH_DROPPED)
    else:
        findings = endpoint_judge.judge_endpoint(
            target.endpoint,
            run.endpoint,
            target.signals[0],
            per_signal=target.per_signal,
            credential=run.confidential,
        )
    ours = target.endpoint.source.name == GRAFANA_ENDPOINT and not target.stores
    read = ", which SDKs do not read (they read OTEL_EXPORTER_OTLP_ENDPOINT)" if ours else ""
    return Outcome(run.put_aside(findings), f"{run.url} from {run.subject}{read}")


def grafana_of(endpoint: Endpoint | None) -> bool | None:
    """Return whether Grafana Cloud's rules for credentials apply; None where the host alone cannot tell."""
    if endpoint is None or endpoint.loopback:
        return None
    return endpoint.grafana is not GrafanaHost.NONE


def _credential(run: Run) -> Outcome:
    headers, endpoint = run.target.headers, run.endpoint
    grafana = grafana_of(endpoint)
    if headers is None:
        if endpoint is not None and endpoint.grafana is GrafanaHost.GATEWAY:
            return Outcome(credential_judge.judge_absent(endpoint.host))
        return Outcome(skipped="no OTLP headers are configured")
    header = run.header
    assert header is not None  # noqa: S101  it was read when the run began
    judged = credential_judge.judge_header(header, headers.source, run.target.mend_command, grafana=grafana)
    findings = [one for one in judged if one.severity is not Severity.NOTICE]
    if endpoint is not None:
        findings += credential_judge.judge_region(header.claims, endpoint.zone, str(headers.source))
    return Outcome(run.put_aside(findings), _describe(header, headers.source))


def _describe(header: Header, source: Source) -> str:
    """Say in a few words what a header is, and where it came from, without its secret part."""
    said = [f"instance ID {header.instance_id.reveal()}"] if header.numeric and header.instance_id else []
    claims = header.claims
    said += [f"{label} {value}" for label, value in (("token", claims.name), ("region", claims.region)) if value]
    if not said:
        said = [header.scheme.capitalize() or header.form.value]
    return f"{', '.join(said)} from {source}"


OFFLINE = (
    Check("settings", "the protocol is one that can be checked", (), _settings),
    Check("endpoint", "the endpoint is an OTLP URL", (), _endpoint),
    Check("credential", "the credential is well formed", (), _credential),
)
"""The rows that every table begins with."""
