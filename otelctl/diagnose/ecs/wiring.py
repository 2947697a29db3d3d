"""Judges what a task definition wires into its containers: valueFrom, what it reads, and the variables beside it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from otelctl.catalog import ecs as rows
from otelctl.credential import looks_like_token, read_header
from otelctl.diagnose import aws as aws_judge
from otelctl.diagnose import credential as credential_judge
from otelctl.diagnose import endpoint as endpoint_judge
from otelctl.diagnose.ecs.place import (
    CERTAIN,
    LIKELY,
    UNKNOWN_ARN,
    Place,
    bounded,
    guessed,
    judge_fault,
    names_of,
    short,
    subject,
)
from otelctl.ecs import (
    CREDENTIALS,
    ENDPOINTS,
    HEADERS,
    WIRED,
    Reference,
    Store,
    Use,
    plain,
    reads_json_keys,
    task_region,
    value_from,
)
from otelctl.endpoint import Endpoint, EndpointError, GrafanaHost, parse
from otelctl.facts.ecs import (
    EcsContainer,
    EcsService,
    EcsTaskDefinition,
    SecretVersions,
)
from otelctl.facts.store import Refusal, RefusalReason, SecretAbsent, StoredSecret, StoreFault
from otelctl.model import Certainty, Diagnosis, Finding, Severity
from otelctl.secret import Secret
from otelctl.settings import GRAFANA_ENDPOINT, Protocol, Setting, Signal, Source, SourceKind, signal_variable

_SWITCHES: Mapping[str, frozenset[str]] = {
    "OTEL_SDK_DISABLED": frozenset({"true"}),
    "OTEL_ENABLED": frozenset({"false", "0", "no", "off"}),
    "OTEL_TRACES_EXPORTER": frozenset({"none"}),
    "OTEL_METRICS_EXPORTER": frozenset({"none"}),
    "OTEL_LOGS_EXPORTER": frozenset({"none"}),
    "OTEL_TRACES_SAMPLER": frozenset({"always_off", "parentbased_always_off"}),
}
_RATIOS = {"traceidratio", "parentbased_traceidratio"}


# valueFrom


def judge_use(use: Use, place: Place, definition: EcsTaskDefinition) -> tuple[Finding, ...]:
    """Return what the text of a valueFrom shows by itself."""
    named = names_of(use)
    if use.reference is None or pasted(use):
        # Masked where it is shown: whoever asks has told the redactor.
        problem = "is a credential, where the ARN of the secret that holds it belongs" if pasted(use) else use.problem
        evidence = {**named, "problem": problem, "value_from": bounded(use.text), "mended": use.mended}
        row = rows.ARN_COLONS if use.mended else rows.ARN_FORM
        return (place.found(row, CERTAIN, subject(use), **evidence),)
    reference, found = use.reference, []
    ours = task_region(definition)
    if reference.region and ours and reference.region != ours:
        evidence = {**named, "secret_region": reference.region, "region": ours, "arn": reference.arn}
        found.append(place.found(rows.SECRET_REGION, CERTAIN, subject(use), **evidence))
    if reference.pinned:
        mended = value_from(reference.arn, reference.json_key)
        evidence = {**named, "pinned": reference.pinned, "mended": mended}
        found.append(place.found(rows.VERSION_PINNED, CERTAIN, subject(use), **evidence))
    return tuple(found)


def pasted(use: Use) -> bool:
    """Tell whether a valueFrom is no name at all, but what the secret should hold."""
    if use.text.startswith("arn:"):
        return False
    header = read_header(use.text)
    known = header.numeric or (header.token is not None and looks_like_token(header.token.reveal()))
    return known or header.wire is not None or bool(header.other)


def judge_name(use: Use, fact: SecretVersions | SecretAbsent | StoreFault, place: Place) -> tuple[Finding, ...]:
    """Return what Secrets Manager makes of the name in a valueFrom: another ARN, or a secret where none was named."""
    reference = use.reference
    if reference is None or not isinstance(fact, SecretVersions):
        return ()
    if reference.store is Store.PARAMETER_STORE:
        evidence = {**names_of(use), "value_from": use.text, "mended": value_from(fact.arn, guessed(use.variable))}
        return (place.found(rows.SECRET_NAME, LIKELY, subject(use), **evidence),)
    if fact.arn == reference.arn:
        return ()
    mended = fact.arn + use.text.removeprefix(reference.arn)
    evidence = {**names_of(use), "named": reference.name, "arn": fact.arn, "mended": mended}
    return (place.found(rows.ARN_PARTIAL, CERTAIN, subject(use), **evidence),)


def judge_unread_name(use: Use, place: Place) -> tuple[Finding, ...]:
    """Return whether an ARN, of which the secret could not be asked, looks as if it lacked its last six characters."""
    reference = use.reference
    if reference is None or reference.store is Store.PARAMETER_STORE or reference.suffixed:
        return ()
    arn = f"{reference.arn}-AbCdEf"
    evidence = {
        **names_of(use),
        "named": reference.name,
        "arn": f"likely {reference.name}-AbCdEf, with other letters",
        "mended": arn + use.text.removeprefix(reference.arn),
    }
    return (place.found(rows.ARN_PARTIAL, LIKELY, subject(use), **evidence),)


def judge_platform(service: EcsService, uses: Sequence[Use], place: Place) -> tuple[Finding, ...]:
    """Return whether the platform is too old for what valueFrom asks of it."""
    extended = next((use for use in uses if use.reference is not None and use.reference.extended), None)
    if extended is None or not service.fargate or reads_json_keys(service.platform_family, service.platform_version):
        return ()
    evidence = {"platform": service.platform_version, "variable": extended.variable}
    return (place.found(rows.PLATFORM, CERTAIN, service.name, **evidence),)


# What the secret holds


def judge_parameter(
    use: Use, fact: StoredSecret | SecretAbsent | StoreFault, place: Place
) -> tuple[tuple[Finding, ...], Secret | None]:
    """Return what is wrong with a parameter that a valueFrom names, and the value that the container gets."""
    reference = use.reference
    assert reference is not None  # noqa: S101  what cannot be read is not asked for
    if isinstance(fact, StoreFault):
        return judge_fault(fact, place, f"whether the parameter holds what {use.variable} asks for"), None
    if isinstance(fact, SecretAbsent):
        region = reference.region or place.region
        evidence = {**names_of(use), "name": fact.identity, "region": region, "arn": UNKNOWN_ARN}
        return (place.found(rows.PARAMETER_ABSENT, CERTAIN, subject(use), **evidence),), None
    return (), fact.text


def judge_secret(
    use: Use,
    fact: StoredSecret | SecretAbsent | StoreFault,
    place: Place,
    namesake: SecretVersions | SecretAbsent | StoreFault | None = None,
) -> tuple[tuple[Finding, ...], Secret | None]:
    """Return what is wrong with what a valueFrom reads, and the value that the container gets.

    `namesake` is what was found under the name alone of a secret whose ARN leads to nothing.
    """
    reference = use.reference
    assert reference is not None  # noqa: S101  what cannot be read is not asked for
    if isinstance(fact, SecretAbsent) and isinstance(namesake, SecretVersions) and _remade(reference, namesake):
        evidence = {
            "name": reference.given_name,
            "there": namesake.arn,
            "mended": namesake.arn + reference.text.removeprefix(reference.arn),
        }
        return (_about(rows.SECRET_REMADE, use, reference, place, **evidence),), None
    if isinstance(fact, StoreFault):
        question = f"whether the secret holds what {use.variable} asks for"
        return judge_fault(fact, place, question, reference.arn), None
    if isinstance(fact, SecretAbsent) and fact.empty and reference.pinned:
        evidence = {"pinned": reference.pinned, "mended": value_from(reference.arn, reference.json_key)}
        return (_about(rows.VERSION_ABSENT, use, reference, place, **evidence),), None
    if isinstance(fact, SecretAbsent) or fact.text is None:
        names = {"secret_id": reference.arn, "subject": subject(use), "region": reference.region}
        return aws_judge.judge_store(fact, **names), None
    document = parsed(fact.text)
    if not reference.json_key:
        if isinstance(document, dict):
            mended = value_from(reference.arn, guessed(use.variable))
            return (_about(rows.WHOLE_SECRET, use, reference, place, mended=mended),), None
        return (), fact.text
    if not isinstance(document, dict):
        refusal = document
        if not isinstance(document, Refusal):
            refusal = Refusal(RefusalReason.NOT_OBJECT, _kind(document))
        return aws_judge.judge_refusal(refusal, secret_id=reference.arn, subject=subject(use)), None
    if reference.json_key not in document:
        mend = _key_command(use, reference, document)
        evidence = {"json_key": reference.json_key, "names": _names(document), "mend_command": mend}
        return (_about(rows.KEY_MISSING, use, reference, place, **evidence),), None
    value = document[reference.json_key]
    if isinstance(value, bool) or (isinstance(value, int | float) and (value == 0 or 1e-4 <= abs(value) < 1e6)):
        # Go, in which ECS's agent is written, prints these as they stand, and the rest with an exponent: 1.234567e+06.
        return (), Secret(json.dumps(value).removesuffix(".0"))
    if not isinstance(value, str):
        evidence = {
            "json_key": reference.json_key,
            "kind": _kind(value),
            "mend_command": _put_command(use, reference),
        }
        return (_about(rows.KEY_NOT_TEXT, use, reference, place, **evidence),), None
    return (), Secret(value)


def _remade(reference: Reference, namesake: SecretVersions) -> bool:
    """Tell whether a secret has the name of another one that is gone: all but the six characters is the same."""
    gone, there = reference.arn, namesake.arn
    return gone != there and gone.rpartition("-")[0] == there.rpartition("-")[0]


def _key_command(use: Use, reference: Reference, document: Mapping[str, object]) -> str:
    """Return the command that mends a key which is not there: the valueFrom with one that is, or a push under it."""
    asked = reference.json_key
    alike = next((key for key in document if key.lower() == asked.lower()), None)
    if alike is not None and _fits(alike):
        return f"printf '%s\\n' {shlex.quote(value_from(reference.arn, alike))}"
    return _put_command(use, reference)


def _put_command(use: Use, reference: Reference) -> str:
    """Return the push that puts a value under the key asked for; for what no push writes, what shows the keys."""
    asked = reference.json_key
    options = {ENDPOINTS[0]: "--endpoint-key", HEADERS[0]: "--headers-key"}
    if use.variable not in options:
        shown = f"aws secretsmanager get-secret-value --secret-id {shlex.quote(reference.arn)} --query SecretString"
        return f"{shown} --output text | jq keys"  # the names alone
    named = "" if asked == guessed(use.variable) else f" {options[use.variable]} {shlex.quote(asked)}"
    return f"otelctl push-secret --secret-id {shlex.quote(reference.arn)}{named}"


def _fits(key: str) -> bool:
    """Tell whether a key can stand in a valueFrom, whose parts are parted by colons."""
    return ":" not in key and key.isprintable()


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def parsed(text: Secret) -> Any:
    """Return what a text is as JSON, or a Refusal; NaN and Infinity, which Python would read, are none to ECS."""
    try:
        return json.loads(text.reveal(), parse_constant=_no_constant)
    except ValueError as error:
        return Refusal(RefusalReason.NOT_JSON, f"it stops being JSON at character {getattr(error, 'pos', 0)}")
    except RecursionError:
        return Refusal(RefusalReason.TOO_DEEP, "it is nested beyond reading")


def writing_command(use: Use, uses: Sequence[Use], place: Place, options: str = "") -> str:
    """Return the push-secret that writes to where a container's endpoint and headers come from; empty where none does.

    push-secret stores both and writes AWSCURRENT, so both have to come from there.
    """
    both = {one.variable: one.reference for one in uses if one.container == use.container}
    endpoint, headers = both.get(ENDPOINTS[0]), both.get(HEADERS[0])
    if use.variable not in (ENDPOINTS[0], HEADERS[0]) or endpoint is None or headers is None:
        return ""
    key, other = headers.json_key, endpoint.json_key
    if endpoint.arn != headers.arn or not key or not other or endpoint.pinned or headers.pinned or "," in key:
        return ""
    named = "" if key == guessed(HEADERS[0]) else f" --headers-key {shlex.quote(key)}"
    named += "" if other == guessed(ENDPOINTS[0]) else f" --endpoint-key {shlex.quote(other)}"
    source = shlex.quote(f"{headers.arn}#{key}" + ("" if other == guessed(ENDPOINTS[0]) else f",{other}"))
    # An ARN of the newer form names the cluster too, and region and account.
    arn = place.service.startswith("arn:") and place.service.count("/") == 2
    names = f"{place.cluster.rpartition('/')[2]}/{place.service.rpartition('/')[2]}"
    service = shlex.quote(place.service if arn else names)
    redeploy = f" --redeploy {service}" if place.cluster and place.service else ""
    return (
        f"otelctl push-secret --secret-id {shlex.quote(headers.arn)} --from-secret {source}{named}{redeploy}{options}"
    )


def judge_value(use: Use, value: Secret, endpoint: Endpoint | None, writing: str) -> tuple[Finding, ...]:
    """Return what is wrong with the header or the endpoint that a container gets from a secret.

    Only what its text proves: no answer will come to decide on a suspicion, but for Grafana Cloud's own host names.
    `writing` is the command that writes to where they come from, or empty (see `writing_command`).
    """
    reference = use.reference
    if reference is not None and reference.store is Store.PARAMETER_STORE:
        source = Source(SourceKind.SECRET, use.variable, f"container {use.container}, parameter {reference.name}")
        return _judge_text(use.variable, value, source, endpoint, "otelctl encode-auth --prompt")
    key = f"#{reference.json_key}" if reference and reference.json_key else ""
    arn = reference.arn if reference else use.text
    place = f"container {use.container}, secret {short(arn)}{key}"
    source = Source(SourceKind.SECRET, use.variable, place, f"{writing} --endpoint" if writing else "")
    printing = f"otelctl inspect-auth --fix --from-secret {shlex.quote(arn + key)}"
    return _judge_text(use.variable, value, source, endpoint, f"{writing} --fix" if writing else printing)


def _judge_text(
    variable: str, value: Secret, source: Source, endpoint: Endpoint | None, mend: str
) -> tuple[Finding, ...]:
    if variable in HEADERS:
        grafana = None if endpoint is None or endpoint.loopback else endpoint.grafana is not GrafanaHost.NONE
        judged = credential_judge.judge_header(read_header(value.reveal()), source, mend, grafana=grafana)
    elif variable in (*ENDPOINTS, GRAFANA_ENDPOINT):
        setting = Setting(value.reveal(), source)
        try:
            parsed = parse(value.reveal())
        except EndpointError as error:
            return endpoint_judge.judge_unreadable(setting, str(error))
        signal = next((one for one in Signal if signal_variable(one, "ENDPOINT") == variable), None)
        judged = endpoint_judge.judge_endpoint(
            setting, parsed, signal or Signal.TRACES, per_signal=signal is not None, credential=True
        )
        if parsed.grafana is GrafanaHost.NONE:
            judged = tuple(one for one in judged if one.certainty is CERTAIN)
    else:
        return ()
    return tuple(one for one in judged if one.severity is not Severity.NOTICE)


# The variables of the containers


def judge_variables(
    definition: EcsTaskDefinition, values: Mapping[tuple[str, str], Secret], place: Place, arn: str
) -> tuple[Finding, ...]:
    """Return what is wrong with the variables beside each other.

    `values` holds what was read from secrets, by container and variable; `arn` is a secret for the commands.
    """
    containers = definition.containers
    if not any(_names_of(one) & set(WIRED) for one in containers):
        sure = len(containers) == 1 and not containers[0].env_files
        first = containers[0].name if containers else "CONTAINER"
        names = ", ".join(one.name for one in containers) or "none"
        evidence = {"containers": names, "container": first, "arn": arn or UNKNOWN_ARN}
        return (place.found(rows.NOT_WIRED, CERTAIN if sure else LIKELY, **evidence),)
    found: list[Finding] = []
    for container in containers:
        found += _judge_container(container, values, place, arn or UNKNOWN_ARN)
    return tuple(found)


def _judge_container(
    container: EcsContainer, values: Mapping[tuple[str, str], Secret], place: Place, arn: str
) -> list[Finding]:
    def found(row: Diagnosis, certainty: Certainty, variable: str, **evidence: object) -> Finding:
        subject = f"{variable}, container {container.name}"
        return place.found(row, certainty, subject, container=container.name, variable=variable, arn=arn, **evidence)

    names = _names_of(container)
    out: list[Finding] = []
    for name in (*ENDPOINTS, *HEADERS):
        value = plain(container, name)
        if value is not None and value.reveal().strip():
            source = Source(SourceKind.TASK_DEFINITION, name, f"container {container.name}, in plain text")
            known = endpoint_of(container, values)
            out += _judge_text(name, value, source, known, "otelctl encode-auth --prompt")
    secrets = [name for name, _ in container.secrets]
    plain_names = [name for name, _ in container.environment]
    twice = [name for name in WIRED if name in secrets and name in plain_names]
    bare = [name for name in CREDENTIALS if name in plain_names and _holds_credential(container, name)]
    out += [found(rows.VARIABLE_TWICE, CERTAIN, name) for name in twice]
    out += [found(rows.HEADERS_PLAIN, CERTAIN, name) for name in bare]
    out += [found(rows.SDK_OFF, CERTAIN, name, value=value) for name, value in _switched_off(container)]
    credential = next((one for one in CREDENTIALS if one in names), None)
    endpoint = endpoint_of(container, values)
    has_endpoint = bool(names & {*ENDPOINTS, GRAFANA_ENDPOINT})
    if credential in HEADERS and not has_endpoint and not container.env_files:
        out.append(found(rows.ENDPOINT_MISSING, LIKELY, credential))
    gateway = endpoint is not None and endpoint.grafana is GrafanaHost.GATEWAY
    if gateway and endpoint is not None:
        # A variable that no SDK reads is read by a program that may well take its credential from elsewhere too.
        if credential is None and not container.env_files and names & {*ENDPOINTS}:
            out.append(found(rows.HEADERS_MISSING, LIKELY, "OTEL_EXPORTER_OTLP_HEADERS", host=endpoint.host))
        for name, value in container.environment:
            if re.fullmatch(r"OTEL_EXPORTER_OTLP(_[A-Z]+)?_PROTOCOL", name) and value.reveal().strip() == Protocol.GRPC:
                out.append(found(rows.GRPC_GATEWAY, LIKELY, name, host=endpoint.host))
    return out


def endpoint_of(container: EcsContainer, values: Mapping[tuple[str, str], Secret]) -> Endpoint | None:
    """Return the endpoint that a container exports to, where it is known and a URL."""
    for name in (*ENDPOINTS, GRAFANA_ENDPOINT):
        value = values.get((container.name, name)) or plain(container, name)
        if value:
            try:
                return parse(value.reveal())
            except EndpointError:
                return None
    return None


def _holds_credential(container: EcsContainer, variable: str) -> bool:
    """Tell whether a plain value holds a credential: headers of other names may be harmless."""
    value = plain(container, variable)
    if not value:
        return False
    header = read_header(value.reveal())
    return variable not in HEADERS or header.wire is not None or header.token is not None


def _switched_off(container: EcsContainer) -> list[tuple[str, str]]:
    found = []
    for name, off in _SWITCHES.items():
        value = plain(container, name)
        if value and value.reveal().strip().lower() in off:
            found.append((name, value.reveal().strip()))
    sampler, ratio = plain(container, "OTEL_TRACES_SAMPLER"), plain(container, "OTEL_TRACES_SAMPLER_ARG")
    by_ratio = sampler is not None and sampler.reveal().strip().lower() in _RATIOS
    if by_ratio and ratio and re.fullmatch(r"0*\.?0*", ratio.reveal().strip()):
        found.append(("OTEL_TRACES_SAMPLER_ARG", ratio.reveal().strip()))
    return found


# Words


def _about(row: Diagnosis, use: Use, reference: Reference, place: Place, **evidence: object) -> Finding:
    known = {**names_of(use), "secret": short(reference.arn), "arn": reference.arn}
    return place.found(row, CERTAIN, subject(use), **known, **evidence)


def _names_of(container: EcsContainer) -> set[str]:
    """Return what a container is given; an empty value counts as none, as the SDKs' specification has it."""
    given = {name for name, value in container.environment if value.reveal().strip()}
    return given | {name for name, _ in container.secrets}


def _names(document: Mapping[str, object]) -> str:
    return bounded(", ".join(document)) or "no key"


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    kinds = ((dict, "an object"), (list, "a list"), (str, "a text"), (int | float, "a number"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "something else")
