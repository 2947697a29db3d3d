"""Judges the way of a secret into a container of Amazon ECS: facts in, findings out. Pure."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from otelctl.catalog import ecs as rows
from otelctl.credential import looks_like_token, read_header
from otelctl.diagnose import aws as aws_judge
from otelctl.diagnose import credential as credential_judge
from otelctl.diagnose import endpoint as endpoint_judge
from otelctl.ecs import (
    CREDENTIALS,
    ENDPOINTS,
    HEADERS,
    WIRED,
    Decision,
    Reference,
    Store,
    Use,
    decide,
    plain,
    reads_json_keys,
    revision,
    role_name,
    task_region,
    trusts,
    value_from,
)
from otelctl.endpoint import Endpoint, EndpointError, GrafanaHost, parse
from otelctl.facts.ecs import (
    EcsAbsent,
    EcsContainer,
    EcsDeployment,
    EcsService,
    EcsTask,
    EcsTaskDefinition,
    RoleAbsent,
    RolePolicies,
    SecretVersions,
    Simulated,
)
from otelctl.facts.store import Refusal, RefusalReason, SecretAbsent, StoredSecret, StoreFault
from otelctl.model import Certainty, Diagnosis, Finding, Severity
from otelctl.secret import Secret
from otelctl.settings import GRAFANA_ENDPOINT, Protocol, Setting, Signal, Source, SourceKind, signal_variable

_CERTAIN, _LIKELY, _POSSIBLE = Certainty.CERTAIN, Certainty.LIKELY, Certainty.POSSIBLE

UNKNOWN_ARN = "SECRET_ARN"
_FIND_ARN = '"$(aws secretsmanager describe-secret --secret-id otel/exporter --query ARN --output text)"'
"""What stands in an advised command where no secret is known yet."""

_SHOWN = 300
_ECS_TASKS = "ecs-tasks.amazonaws.com"

_DENIED = {"AccessDeniedException", "AccessDenied", "UnauthorizedOperation", "UnauthorizedException"}
_DENIAL = re.compile(r"(?:User: )?(?P<principal>arn:\S+) is not authorized to perform: (?P<action>[\w:*-]+)")
_ARN = re.compile(r"arn:[\w-]+:secretsmanager:[\w-]+:\d+:secret:[\w/+=.@!-]+")
_SECRETS_MANAGER = "secretsmanager"

# What botocore says of itself, whatever service was called: AWS-* rows say it in words that fit them all.
_OF_THE_CALLER = {
    "NoCredentials",
    "PartialCredentials",
    "CredentialRetrieval",
    "MissingDependency",
    "SsoToken",
    "NoRegion",
    "InvalidRegion",
    "ProfileNotFound",
    "Config",
    "InvalidEndpoint",
    "Tls",
    "ExpiredToken",
    "ExpiredTokenException",
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "MissingAuthenticationTokenException",
    "RequestTimeTooSkewed",
    "RequestExpired",
}
_UNREACHABLE = {"EndpointConnection", "ConnectTimeout", "ReadTimeout", "ConnectionClosed", "ProxyConnection"}

_SWITCHES: Mapping[str, frozenset[str]] = {
    "OTEL_SDK_DISABLED": frozenset({"true"}),
    "OTEL_ENABLED": frozenset({"false", "0", "no", "off"}),
    "OTEL_TRACES_EXPORTER": frozenset({"none"}),
    "OTEL_METRICS_EXPORTER": frozenset({"none"}),
    "OTEL_LOGS_EXPORTER": frozenset({"none"}),
    "OTEL_TRACES_SAMPLER": frozenset({"always_off", "parentbased_always_off"}),
}
_RATIOS = {"traceidratio", "parentbased_traceidratio"}

_PULLING = r"(unable to pull|secret|\basm\b|\bssm\b|registry auth)"

# The first that fits names the reason. Sources: amazon-ecs-agent (agent/asm), the ECS guide's stopped task errors.
_STOPS: tuple[tuple[re.Pattern[str], Diagnosis], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), row)
    for pattern, row in (
        (r"did not contain json key", rows.STOP_KEY),
        (r"invalid character .* (looking for|after|in) |cannot unmarshal|unexpected end of json", rows.STOP_NOT_JSON),
        (r"invalid arn format|arn: (invalid prefix|not enough sections)", rows.STOP_ARN),
        (r"access to kms is not allowed|kms:decrypt|kmsaccessdenied", rows.STOP_KMS),
        (r"unable to assume .*role|proper trust relationship", rows.STOP_ROLE),
        (r"marked (for deletion|deleted)|scheduled for deletion", rows.STOP_DELETED),
        (r"secret value for (staging label|version)|\bVersionId\b", rows.STOP_VERSION),
        (r"CannotPull\w*Error|not authorized to perform: ecr:", rows.STOP_IMAGE),
        (r"(secret|\basm\b|\bssm\b|registry auth).*AccessDenied", rows.STOP_DENIED),
        (r"not authorized to perform: (secretsmanager|ssm):", rows.STOP_DENIED),
        (r"can.t (find|retrieve) the (specified )?secret", rows.STOP_NOT_FOUND),
        (r"(secret|\basm\b).*ResourceNotFoundException|invalid ssm parameters|ParameterNotFound", rows.STOP_NOT_FOUND),
        (rf"{_PULLING}.*(i/o timeout|context deadline exceeded|RequestCanceled|no such host)", rows.STOP_NETWORK),
        (rf"{_PULLING}.*(pull command failed|connection refused|unreachable)", rows.STOP_NETWORK),
        (r"connection issue between|check your task network configuration", rows.STOP_NETWORK),
    )
)
# What a task needs to start besides secrets and images fails in the same words, and is not for otelctl to mend.
_ELSEWHERE = re.compile(r"log (group|stream)|logger args|\befs\b|env(ironment)? files?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """What was asked for, and with it every name that words about it may need.

    `target_command` are the options of `check-ecs` that ask the same again, quoted for a shell.
    """

    region: str
    cluster: str = ""
    service: str = ""
    task_definition: str = ""
    target_command: str = ""

    def found(self, row: Diagnosis, certainty: Certainty, subject: str = "", **evidence: object) -> Finding:
        """Return the finding; of what is known of the place it takes what the row's words ask for."""
        known: dict[str, object] = {
            "region": self.region or "REGION",
            "cluster": self.cluster or "CLUSTER",
            "service": self.service or "SERVICE",
            "task_definition": self.task_definition or "TASK_DEFINITION",
            "target_command": self.target_command,
        } | evidence
        arn = str(known.get("arn") or UNKNOWN_ARN)
        # The name that push-secret is advised to use stands in for a secret that is not known.
        known["arn_command"] = _FIND_ARN if arn == UNKNOWN_ARN else shlex.quote(arn)
        where = subject or self.service or self.task_definition
        return row.found(certainty, where, **{name: known[name] for name in row.placeholders})


def target_command(cluster: str, service: str, task_definition: str, options: str = "") -> str:
    """Return the options of `check-ecs` that name the same thing again."""
    if task_definition:
        return f"--task-definition {shlex.quote(task_definition)}{options}"
    return f"--cluster {shlex.quote(cluster)} --service {shlex.quote(service)}{options}"


# Reading


def judge_absent(absent: EcsAbsent, place: Place) -> tuple[Finding, ...]:
    """Return what is not there: the cluster, the service or the task definition."""
    named = {"cluster": rows.CLUSTER_NOT_FOUND, "service": rows.SERVICE_NOT_FOUND}
    row = named.get(absent.kind, rows.DEFINITION_NOT_FOUND)
    return (place.found(row, _CERTAIN, **{absent.kind.replace(" ", "_"): absent.name}),)


def judge_fault(fault: StoreFault, place: Place, question: str, secret_id: str = "") -> tuple[Finding, ...]:
    """Return what a refusal means. A missing permission leaves `question` open, and is no failure of the service."""
    service = fault.detail.get("service", "ecs")
    if fault.code in _DENIED:
        denial = _DENIAL.search(fault.message)
        action = denial["action"] if denial else f"{service}:{fault.operation}"
        if not denial and "kms" in fault.message.lower():
            action = "kms:Decrypt"
        principal = denial["principal"] if denial else "The caller"
        return (place.found(rows.NOT_PERMITTED, _CERTAIN, principal=principal, action=action, question=question),)
    if fault.code in _OF_THE_CALLER or (service == _SECRETS_MANAGER and fault.code not in _UNREACHABLE):
        subject = secret_id or place.service or place.task_definition
        return aws_judge.judge_store(fault, secret_id=secret_id or subject, subject=subject, region=place.region)
    said = {
        "operation": fault.operation,
        "code": fault.code or f"HTTP {fault.status}",
        "text": _bounded(fault.message) or "no message",
        "endpoint": fault.detail.get("endpoint") or service,
    }
    return (place.found(rows.UNREACHABLE if fault.code in _UNREACHABLE else rows.API_FAULT, _CERTAIN, **said),)


# valueFrom


def judge_use(use: Use, place: Place, definition: EcsTaskDefinition) -> tuple[Finding, ...]:
    """Return what the text of a valueFrom shows by itself."""
    named = _named(use)
    if use.reference is None or pasted(use):
        # Masked where it is shown: whoever asks has told the redactor.
        problem = "is a credential, where the ARN of the secret that holds it belongs" if pasted(use) else use.problem
        evidence = {**named, "problem": problem, "value_from": use.text[:_SHOWN], "mended": use.mended}
        row = rows.ARN_COLONS if use.mended else rows.ARN_FORM
        return (place.found(row, _CERTAIN, _subject(use), **evidence),)
    reference, found = use.reference, []
    ours = task_region(definition)
    if reference.region and ours and reference.region != ours:
        evidence = {**named, "secret_region": reference.region, "region": ours, "arn": reference.arn}
        found.append(place.found(rows.SECRET_REGION, _CERTAIN, _subject(use), **evidence))
    if reference.pinned:
        mended = value_from(reference.arn, reference.json_key)
        evidence = {**named, "pinned": reference.pinned, "mended": mended}
        found.append(place.found(rows.VERSION_PINNED, _CERTAIN, _subject(use), **evidence))
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
        evidence = {**_named(use), "value_from": use.text, "mended": value_from(fact.arn, _guessed(use.variable))}
        return (place.found(rows.SECRET_NAME, _LIKELY, _subject(use), **evidence),)
    if fact.arn == reference.arn:
        return ()
    mended = fact.arn + use.text.removeprefix(reference.arn)
    evidence = {**_named(use), "named": reference.name, "arn": fact.arn, "mended": mended}
    return (place.found(rows.ARN_PARTIAL, _CERTAIN, _subject(use), **evidence),)


def judge_unread_name(use: Use, place: Place) -> tuple[Finding, ...]:
    """Return whether an ARN, of which the secret could not be asked, looks as if it lacked its last six characters."""
    reference = use.reference
    if reference is None or reference.store is Store.PARAMETER_STORE or reference.suffixed:
        return ()
    arn = f"{reference.arn}-AbCdEf"
    evidence = {
        **_named(use),
        "named": reference.name,
        "arn": f"likely {reference.name}-AbCdEf, with other letters",
        "mended": arn + use.text.removeprefix(reference.arn),
    }
    return (place.found(rows.ARN_PARTIAL, _LIKELY, _subject(use), **evidence),)


def judge_platform(service: EcsService, uses: Sequence[Use], place: Place) -> tuple[Finding, ...]:
    """Return whether the platform is too old for what valueFrom asks of it."""
    extended = next((use for use in uses if use.reference is not None and use.reference.extended), None)
    if extended is None or not service.fargate or reads_json_keys(service.platform_family, service.platform_version):
        return ()
    evidence = {"platform": service.platform_version, "variable": extended.variable}
    return (place.found(rows.PLATFORM, _CERTAIN, service.name, **evidence),)


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
        evidence = {**_named(use), "name": fact.identity, "region": region, "arn": UNKNOWN_ARN}
        return (place.found(rows.PARAMETER_ABSENT, _CERTAIN, _subject(use), **evidence),), None
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
        names = {"secret_id": reference.arn, "subject": _subject(use), "region": reference.region}
        return aws_judge.judge_store(fact, **names), None
    document = _parsed(fact.text)
    if not reference.json_key:
        if isinstance(document, dict):
            mended = value_from(reference.arn, _guessed(use.variable))
            return (_about(rows.WHOLE_SECRET, use, reference, place, mended=mended),), None
        return (), fact.text
    if not isinstance(document, dict):
        refusal = document
        if not isinstance(document, Refusal):
            refusal = Refusal(RefusalReason.NOT_OBJECT, _kind(document))
        return aws_judge.judge_refusal(refusal, secret_id=reference.arn, subject=_subject(use)), None
    if reference.json_key not in document:
        mend = _key_command(use, reference, document)
        evidence = {"json_key": reference.json_key, "names": _names(document), "mend_command": mend}
        return (_about(rows.KEY_MISSING, use, reference, place, **evidence),), None
    value = document[reference.json_key]
    if isinstance(value, bool) or (isinstance(value, int | float) and (value == 0 or 1e-4 <= abs(value) < 1e6)):
        # Go, in which ECS's agent is written, prints these as they stand, and the rest with an exponent: 1.234567e+06.
        return (), Secret(json.dumps(value).removesuffix(".0"))
    if not isinstance(value, str):
        evidence = {"json_key": reference.json_key, "kind": _kind(value)}
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
    options = {ENDPOINTS[0]: "--endpoint-key", HEADERS[0]: "--headers-key"}
    if use.variable not in options:
        return f"aws secretsmanager get-secret-value --secret-id {shlex.quote(reference.arn)} --query SecretString"
    named = "" if asked == _guessed(use.variable) else f" {options[use.variable]} {shlex.quote(asked)}"
    return f"otelctl push-secret --secret-id {shlex.quote(reference.arn)}{named}"


def _fits(key: str) -> bool:
    """Tell whether a key can stand in a valueFrom, whose parts are parted by colons."""
    return ":" not in key and key.isprintable()


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def _parsed(text: Secret) -> Any:
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
    named = "" if key == _guessed(HEADERS[0]) else f" --headers-key {shlex.quote(key)}"
    named += "" if other == _guessed(ENDPOINTS[0]) else f" --endpoint-key {shlex.quote(other)}"
    source = shlex.quote(f"{headers.arn}#{key}" + ("" if other == _guessed(ENDPOINTS[0]) else f",{other}"))
    service = shlex.quote(f"{place.cluster}/{place.service}")
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
    place = f"container {use.container}, secret {_short(arn)}{key}"
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
            judged = tuple(one for one in judged if one.certainty is _CERTAIN)
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
        return (place.found(rows.NOT_WIRED, _CERTAIN if sure else _LIKELY, **evidence),)
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
    out += [found(rows.VARIABLE_TWICE, _CERTAIN, name) for name in twice]
    out += [found(rows.HEADERS_PLAIN, _CERTAIN, name) for name in bare]
    out += [found(rows.SDK_OFF, _CERTAIN, name, value=value) for name, value in _switched_off(container)]
    credential = next((one for one in CREDENTIALS if one in names), None)
    endpoint = endpoint_of(container, values)
    has_endpoint = bool(names & {*ENDPOINTS, GRAFANA_ENDPOINT})
    if credential in HEADERS and not has_endpoint and not container.env_files:
        out.append(found(rows.ENDPOINT_MISSING, _LIKELY, credential))
    gateway = endpoint is not None and endpoint.grafana is GrafanaHost.GATEWAY
    if gateway and endpoint is not None:
        # A variable that no SDK reads is read by a program that may well take its credential from elsewhere too.
        if credential is None and not container.env_files and names & {*ENDPOINTS}:
            out.append(found(rows.HEADERS_MISSING, _LIKELY, "OTEL_EXPORTER_OTLP_HEADERS", host=endpoint.host))
        for name, value in container.environment:
            if re.fullmatch(r"OTEL_EXPORTER_OTLP(_[A-Z]+)?_PROTOCOL", name) and value.reveal().strip() == Protocol.GRPC:
                out.append(found(rows.GRPC_GATEWAY, _LIKELY, name, host=endpoint.host))
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


# The execution role


@dataclass(frozen=True, slots=True)
class Permission:
    """One thing that the execution role must be able to do; `kms` tells that a key's own policy has a say."""

    action: str
    resource: str
    arn: str
    kms: bool = False


def judge_no_role(place: Place, arn: str, container: str) -> tuple[Finding, ...]:
    """Return that a task definition reads secrets, one of them for `container`, and names no execution role."""
    return (place.found(rows.ROLE_MISSING, _CERTAIN, arn=arn or UNKNOWN_ARN, container=container),)


def judge_role(role: str, fact: RolePolicies | RoleAbsent | StoreFault, place: Place, arn: str) -> tuple[Finding, ...]:
    """Return whether the role is there and lets ECS use it; a role that could not be read gives nothing here."""
    if isinstance(fact, RoleAbsent):
        return (place.found(rows.ROLE_ABSENT, _CERTAIN, role, role=role, arn=arn or UNKNOWN_ARN),)
    if isinstance(fact, RolePolicies) and fact.trust and not trusts(fact.trust, _ECS_TASKS):
        return (place.found(rows.ROLE_TRUST, _CERTAIN, role, role=role, role_name=role_name(role)),)
    return ()


def judge_permission(
    role: str,
    wanted: Permission,
    place: Place,
    *,
    simulated: Simulated | StoreFault,
    policies: RolePolicies | RoleAbsent | StoreFault,
    resource_policy: str | StoreFault,
) -> tuple[Finding, ...]:
    """Return whether the role may do what is wanted: by IAM's simulation, else by the policies that could be read.

    A denial is CERTAIN where IAM gave it, knew every condition's value, and neither the secret's nor a key's own policy
    can allow what it denies.
    """
    if isinstance(simulated, Simulated):
        if simulated.decision == Decision.ALLOWED:
            return ()
        explicit = simulated.decision == Decision.EXPLICIT_DENY
        if simulated.missing:
            why = f"the policies decide by {', '.join(simulated.missing)}, which a simulation does not know"
            return (_denied(role, wanted, place, why, _POSSIBLE),)
        if explicit:
            return (_refused(role, wanted, place),)
        alone = resource_policy == "" and not wanted.kms
        return (_denied(role, wanted, place, _NO_ALLOW, _CERTAIN if alone else _LIKELY),)
    if isinstance(policies, RolePolicies):
        decision = decide(policies.documents, wanted.action, wanted.resource)
        if decision is Decision.ALLOWED:
            return ()
        if decision is Decision.EXPLICIT_DENY:
            return (_refused(role, wanted, place),)
        if decision is Decision.IMPLICIT_DENY and policies.whole:
            return (_denied(role, wanted, place, _NO_ALLOW, _LIKELY),)
    return judge_fault(simulated, place, f"whether {role} may do {wanted.action}")


_NO_ALLOW = "no policy of the role allows it"


def _refused(role: str, wanted: Permission, place: Place) -> Finding:
    evidence = {"role": role, "action": wanted.action, "secret": wanted.resource}
    return place.found(rows.ROLE_DENY, _CERTAIN, role, **evidence)


def _denied(role: str, wanted: Permission, place: Place, why: str, certainty: Certainty) -> Finding:
    parameter = wanted.action.startswith("ssm:")
    row = rows.ROLE_KMS if wanted.kms else rows.ROLE_PARAMETER if parameter else rows.ROLE_DENIED
    evidence = {
        "role": role,
        "action": wanted.action,
        "secret": wanted.resource,
        "kms_key": wanted.resource,
        "arn": wanted.arn or UNKNOWN_ARN,
        "why": why,
        "statement": json.dumps({"Effect": "Allow", "Action": wanted.action, "Resource": wanted.resource}),
    }
    return place.found(row, certainty, role, **evidence)


# Running and stopped tasks


def judge_counts(service: EcsService, place: Place, *, told: bool) -> tuple[Finding, ...]:
    """Return whether fewer tasks run than should, or tasks of the newest deployment fail to start.

    `told` says that a reason was found already: that some are missing goes without saying then, that all are does not.
    """
    primary = next((one for one in service.deployments if one.status == "PRIMARY"), None)
    failed = primary.failed if primary else 0
    counts = {"running": service.running, "desired": service.desired, "failed": failed}
    if service.desired and not service.running:
        return (place.found(rows.NO_TASK_RUNS, _CERTAIN, service.name, **counts),)
    if not told and (service.running < service.desired or failed):
        return (place.found(rows.TASKS_SHORT, _CERTAIN, service.name, **counts),)
    return ()


def judge_revisions(tasks: Sequence[EcsTask], definition: str, place: Place) -> tuple[Finding, ...]:
    """Return whether running tasks are of another revision than the one whose variables were looked at."""
    running = [task for task in tasks if task.started is not None]
    others = sorted({revision(one.task_definition) for one in running if one.task_definition != definition})
    if not others:
        return ()
    count = sum(one.task_definition != definition for one in running)
    evidence = {"count": count, "running": len(running), "others": _bounded(", ".join(others)), "other": others[0]}
    return (place.found(rows.TASKS_REVISION, _CERTAIN, place.service, **evidence),)


def same_values(current: object, previous: object, keys: Iterable[str]) -> bool | None:
    """Tell whether two versions of a secret hold the same under these keys; None where either cannot be read."""
    texts = [one.text if isinstance(one, StoredSecret) else None for one in (current, previous)]
    if texts[0] is None or texts[1] is None:
        return None
    if texts[0] == texts[1]:
        return True
    now, before = _parsed(texts[0]), _parsed(texts[1])
    if not isinstance(now, dict) or not isinstance(before, dict):
        return False
    return all(key and now.get(key) == before.get(key) for key in keys)


def judge_tasks(
    tasks: Sequence[EcsTask], versions: SecretVersions, place: Place, *, same: bool | None = None
) -> tuple[Finding, ...]:
    """Return whether running tasks have an older value than the secret's current one.

    A task that started before the version was made cannot have it. One that was on its way just then may have either;
    so may one from before a return to an older version, which leaves the newer one under AWSPREVIOUS. `same` tells
    that what the containers take was the same in the version before (None: not known): other keys changed alone.
    """
    current = versions.current
    running = [task for task in tasks if task.started is not None]
    if current is None or not running:
        return ()
    evidence: dict[str, object] = {"running": len(running), "secret": _short(versions.arn), "made": _moment(current)}
    old = [task for task in running if task.started is not None and task.started < current]
    if same and versions.previous is not None:
        old = [task for task in old if task.started is not None and task.started < versions.previous]
    if old:
        certainty = _CERTAIN if same is False else _LIKELY
        return (place.found(rows.TASKS_STALE, certainty, place.service, count=len(old), **evidence),)
    if same:
        return ()
    unsure = [task for task in running if _around(task, current) or _before_return(task, versions)]
    if unsure:
        return (place.found(rows.TASKS_UNSURE, _POSSIBLE, place.service, count=len(unsure), **evidence),)
    return ()


def _around(task: EcsTask, current: datetime) -> bool:
    """Tell whether the version was made while the task was on its way."""
    return task.created is not None and task.created < current


def _before_return(task: EcsTask, versions: SecretVersions) -> bool:
    current, previous, changed, started = versions.current, versions.previous, versions.changed, task.started
    if current is None or previous is None or changed is None or started is None:
        return False
    return previous > current and previous <= started < changed


def judge_stops(
    stopped: Sequence[EcsTask], running: Sequence[EcsTask], place: Place, arn: str, role: str
) -> tuple[Finding, ...]:
    """Return why tasks of late did not start or did not stay, each reason once, the newest first.

    What a later start of the same or of a newer revision has overtaken is over. Tasks that a deployment, a person or
    the scheduler stopped are no failures.
    """
    groups: dict[str, tuple[Diagnosis, list[EcsTask]]] = {}
    for task in sorted(stopped, key=lambda one: one.created.timestamp() if one.created else 0.0, reverse=True):
        row = _stop_row(task)
        if row is not None and not any(_overtakes(later, task) for later in running):
            groups.setdefault(row.code, (row, []))[1].append(task)
    return tuple(_stop(row, tasks, place, arn, role) for row, tasks in groups.values())


def judge_event(text: str, place: Place, arn: str, role: str) -> tuple[Finding, ...]:
    """Return what a deployment's own words say of its cause, where they name one that is known."""
    task = EcsTask("", place.task_definition, "STOPPED", reasons=(text,))
    row = _stop_row(task)
    return () if row is None else (_stop(row, [task], place, arn, role),)


def _stop_row(task: EcsTask) -> Diagnosis | None:
    said = "; ".join(task.reasons)
    if not _ELSEWHERE.search(said):
        for pattern, row in _STOPS:
            if pattern.search(said):
                return row
    if task.stop_code == "TaskFailedToStart":
        return rows.STOP_OTHER
    if task.stop_code == "EssentialContainerExited" and task.exit_code:
        return rows.STOP_EXITED
    return None


def _overtakes(later: EcsTask, task: EcsTask) -> bool:
    if later.started is None or later.created is None or task.created is None:
        return False
    family, _, number = revision(later.task_definition).rpartition(":")
    other, _, failed = revision(task.task_definition).rpartition(":")
    if family == other and number.isdigit() and failed.isdigit() and int(number) != int(failed):
        return int(number) > int(failed)
    return later.created > task.created


def _stop(row: Diagnosis, tasks: Sequence[EcsTask], place: Place, arn: str, role: str) -> Finding:
    text = "; ".join(tasks[0].reasons) or "no reason given"
    named = _ARN.search(text)
    denial = _DENIAL.search(text)
    json_key = re.search(r"json key (\S+)", text)
    assumed = re.search(r"arn:[\w-]+:iam::\d+:role/[\w+=,.@/-]+", text)
    which = assumed[0] if assumed else role
    evidence = {
        "count": f"{len(tasks)} task{'' if len(tasks) == 1 else 's'}",
        "text": _bounded(text),
        "arn": (named[0] if named else arn) or UNKNOWN_ARN,
        "json_key": json_key[1].rstrip(".;,") if json_key else "that valueFrom names",
        "principal": denial["principal"] if denial else "The role",
        "action": denial["action"] if denial else "secretsmanager:GetSecretValue",
        "role": which or "ROLE",
        "role_name": role_name(which) or "ROLE",
        "exit_code": tasks[0].exit_code,
        "task_definition": revision(tasks[0].task_definition) or place.task_definition,
    }
    return place.found(row, _CERTAIN, tasks[0].arn.rpartition("/")[2], **evidence)


# Deployments


def judge_deployments(deployments: Sequence[EcsDeployment], place: Place) -> tuple[Finding, ...]:
    """Return the deployments that ECS has given up."""
    return tuple(judge_failed(one, place) for one in deployments if one.rollout == "FAILED")


def judge_failed(deployment: EcsDeployment, place: Place) -> Finding:
    """Return that ECS, or the number of tasks that did not start, has decided a deployment."""
    text = _bounded(deployment.reason) or f"{deployment.failed} tasks did not start"
    return place.found(rows.DEPLOY_FAILED, _CERTAIN, text=text, task_definition=revision(deployment.task_definition))


def judge_unsettled(place: Place, seconds: float, state: str) -> tuple[Finding, ...]:
    """Return that a deployment was watched for `seconds` and is neither done nor failed."""
    return (place.found(rows.DEPLOY_UNSETTLED, _CERTAIN, seconds=f"{seconds:.0f}", state=state),)


# Words


def _about(row: Diagnosis, use: Use, reference: Reference, place: Place, **evidence: object) -> Finding:
    known = {**_named(use), "secret": _short(reference.arn), "arn": reference.arn}
    return place.found(row, _CERTAIN, _subject(use), **known, **evidence)


def _named(use: Use) -> dict[str, object]:
    return {"variable": use.variable, "container": use.container}


def _subject(use: Use) -> str:
    return f"{use.variable}, container {use.container}"


def _guessed(variable: str) -> str:
    """Return the JSON key under which push-secret stores what a variable takes."""
    return variable.lower()


def _short(arn: str) -> str:
    """Return the name in a secret's ARN, its six characters included."""
    return arn.rpartition(":secret:")[2]


def _names_of(container: EcsContainer) -> set[str]:
    """Return what a container is given; an empty value counts as none, as the SDKs' specification has it."""
    given = {name for name, value in container.environment if value.reveal().strip()}
    return given | {name for name, _ in container.secrets}


def _names(document: Mapping[str, object]) -> str:
    return _bounded(", ".join(document)) or "no key"


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    kinds = ((dict, "an object"), (list, "a list"), (str, "a text"), (int | float, "a number"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "something else")


def _moment(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M:%S %Z").strip()


def _bounded(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
