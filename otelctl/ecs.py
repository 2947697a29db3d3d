"""Amazon ECS: how a task definition names a secret, and what a role's policies say of reading it. Pure.

Sources: the ECS developer guide, "Pass Secrets Manager secrets through Amazon ECS environment variables" (the form of
valueFrom, platform versions); amazon-ecs-agent, agent/taskresource/asmsecret (a resource of one part or of four); the
IAM user guide, "Policy evaluation logic" and "IAM JSON policy elements".
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from otelctl.facts.ecs import EcsContainer, EcsTaskDefinition
from otelctl.secret import Secret
from otelctl.settings import API_TOKEN, GRAFANA_ENDPOINT, INSTANCE_ID

ENDPOINTS = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
)
"""The variables that take an endpoint, the generic one first."""

HEADERS = tuple(name.replace("_ENDPOINT", "_HEADERS") for name in ENDPOINTS)
"""The variables that take headers, the generic one first."""

CREDENTIALS = (*HEADERS, API_TOKEN)
"""The variables that hold a credential."""

WIRED = (*ENDPOINTS, *HEADERS, GRAFANA_ENDPOINT, INSTANCE_ID, API_TOKEN)
"""Every variable by which an endpoint or a credential gets into a container."""

_REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-\d+")
_SUFFIX = re.compile(r"-[A-Za-z0-9]{6}$")
_ROLE = re.compile(r"arn:[\w-]+:iam::\d{12}:role/(?:.*/)?(?P<name>[\w+=,.@-]+)")
_AFTER_NAME = 3
_SHORTEST_ARN = 6


class Store(enum.StrEnum):
    """What a valueFrom reads."""

    SECRETS_MANAGER = "Secrets Manager"
    PARAMETER_STORE = "Parameter Store"


class ValueFromError(ValueError):
    """A valueFrom that ECS cannot use; the message goes on after "it …".

    `mended` is the form that was meant, where the colons alone are wrong; otherwise it is empty.
    """

    def __init__(self, problem: str, mended: str = "") -> None:
        super().__init__(problem)
        self.mended = mended


@dataclass(frozen=True, slots=True)
class Reference:
    """A valueFrom, read. `arn` is the secret's own, without what ECS adds; a parameter's bare name has none."""

    text: str
    store: Store
    region: str
    account: str
    name: str
    arn: str
    json_key: str = ""
    stage: str = ""
    version: str = ""

    @property
    def suffixed(self) -> bool:
        """Whether the name ends as the six random characters do; a word of six letters looks the same."""
        return bool(_SUFFIX.search(self.name))

    @property
    def given_name(self) -> str:
        """The name that somebody gave the secret: without the hyphen and the six characters."""
        return _SUFFIX.sub("", self.name)

    @property
    def pinned(self) -> str:
        """What holds it to one version or to another label than AWSCURRENT; empty where nothing does."""
        stage = self.stage if self.stage != "AWSCURRENT" else ""
        return " and ".join(f"{what} {value}" for what, value in (("stage", stage), ("version", self.version)) if value)

    @property
    def extended(self) -> bool:
        """Whether it uses JSON key, stage or version, which old platforms cannot read."""
        return bool(self.json_key or self.stage or self.version)


def read_value_from(text: str) -> Reference:
    """Read a valueFrom; raises ValueFromError.

    `arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-AbCdEf`, alone or with exactly `:json-key:stage:version`, each
    of which may be empty. What is no ARN is the name of a parameter in the Parameter Store of the task's region.
    """
    if not text or any(char.isspace() or not char.isprintable() for char in text):
        raise ValueFromError("is empty or holds white space")
    if not text.startswith("arn:"):
        return _parameter(text)
    parts = text.split(":")
    if len(parts) < _SHORTEST_ARN:
        raise ValueFromError("is an ARN that ends too early")
    _, partition, service, region, account, *resource = parts
    if service not in {"secretsmanager", "ssm"}:
        raise ValueFromError(f"names the service {service[:30]!r}; ECS reads secretsmanager and ssm")
    if not _REGION.fullmatch(region):
        raise ValueFromError(f"names the region {region[:30]!r}, which is none")
    if not re.fullmatch(r"\d{12}", account):
        raise ValueFromError(f"names the account {account[:30]!r}; an account is twelve digits")
    if service == "ssm":
        if len(resource) != 1 or not resource[0].startswith("parameter/"):
            raise ValueFromError("names a parameter in another form than ...:parameter/NAME")
        return Reference(text, Store.PARAMETER_STORE, region, account, resource[0].removeprefix("parameter/"), text)
    kind, *rest = resource
    if kind != "secret" or not rest or not rest[0]:
        raise ValueFromError("names no secret: after the account must follow :secret:NAME-AbCdEf")
    name, *after = rest
    arn = f"arn:{partition}:{service}:{region}:{account}:{kind}:{name}"
    if len(after) not in {0, _AFTER_NAME}:
        meant = [*after, "", ""][: max(_AFTER_NAME, len(":".join(after).rstrip(":").split(":")))]
        mended = f"{arn}:{':'.join(meant)}" if any(meant) else arn
        colons = "1 colon" if len(after) == 1 else f"{len(after)} colons"
        problem = f"has {colons} after the secret's name, where ECS takes none or three"
        raise ValueFromError(problem, mended if len(meant) == _AFTER_NAME else "")
    json_key, stage, version = after or ("", "", "")
    return Reference(text, Store.SECRETS_MANAGER, region, account, name, arn, json_key, stage, version)


def _parameter(text: str) -> Reference:
    if ":" in text:
        raise ValueFromError("has colons and is no ARN; JSON key, stage and version follow a full ARN only")
    if not re.fullmatch(r"[\w./-]+", text, re.ASCII):
        raise ValueFromError("is no ARN, and the name of a parameter has letters, digits and ._-/ alone")
    return Reference(text, Store.PARAMETER_STORE, "", "", text, "")


@dataclass(frozen=True, slots=True)
class Use:
    """One variable of one container that is read from a secret.

    `reference` is None where its valueFrom cannot be read; `problem` then says why, and `mended` what was meant.
    """

    container: str
    variable: str
    text: str
    reference: Reference | None
    problem: str = ""
    mended: str = ""


def uses(definition: EcsTaskDefinition) -> tuple[Use, ...]:
    """Return what the containers of a task definition, sidecars too, take from secrets of what export needs."""
    found = []
    for container in definition.containers:
        for variable, text in container.secrets:
            if variable not in WIRED:
                continue
            try:
                found.append(Use(container.name, variable, text, read_value_from(text)))
            except ValueFromError as error:
                found.append(Use(container.name, variable, text, None, str(error), error.mended))
    return tuple(found)


def plain(container: EcsContainer, variable: str) -> Secret | None:
    """Return the value that a container is given in plain text, or None."""
    return dict(container.environment).get(variable)


def region_of(arn: str) -> str:
    """Return the region that an ARN names; empty for a text that is no ARN."""
    return (arn.split(":") + [""] * 4)[3] if arn.startswith("arn:") else ""


def task_region(definition: EcsTaskDefinition) -> str:
    """Return the region of a task definition, by its ARN."""
    return region_of(definition.arn)


def task_account(definition: EcsTaskDefinition) -> str:
    """Return the account of a task definition, by its ARN."""
    return (definition.arn.split(":") + [""] * 5)[4]


def revision(arn: str) -> str:
    """Return `family:revision` of a task definition's ARN."""
    return arn.rpartition("/")[2]


def value_from(arn: str, json_key: str) -> str:
    """Return the valueFrom that reads one JSON key of a secret's current version."""
    return f"{arn}:{json_key}::"


def role_name(arn: str) -> str:
    """Return the name of a role without its path; an ARN that is no role's comes back whole."""
    match = _ROLE.fullmatch(arn)
    return match["name"] if match else arn


def reads_json_keys(family: str, version: str) -> bool:
    """Tell whether a Fargate platform reads JSON key, stage and version: Linux from 1.4.0, Windows always."""
    if "windows" in family.lower():
        return True
    numbers = re.findall(r"\d+", version)
    return not numbers or tuple(int(number) for number in numbers[:3]) >= (1, 4, 0)


class Decision(enum.StrEnum):
    """What policies say of one action on one resource; DEPENDS where a condition decides."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"
    DEPENDS = "depends"


def decide(documents: Iterable[str], action: str, resource: str) -> Decision:
    """Return what the policy documents of one identity say together: a deny beats every allow.

    A statement with a condition that would decide gives DEPENDS, and so does a document that is no JSON.
    """
    allowed = depends = False
    for document in documents:
        statements = _statements(document)
        if statements is None:
            depends = True
            continue
        for statement in statements:
            if not _covers(statement, action, resource):
                continue
            denies = statement.get("Effect") == "Deny"
            if statement.get("Condition"):
                depends = True
            elif denies:
                return Decision.EXPLICIT_DENY
            else:
                allowed = True
    if depends:
        return Decision.DEPENDS
    return Decision.ALLOWED if allowed else Decision.IMPLICIT_DENY


def trusts(document: str, service: str) -> bool:
    """Tell whether a role's trust policy lets a service assume it."""
    statements = _statements(document)
    if statements is None:
        return True
    for statement in statements:
        principal = statement.get("Principal")
        services = _texts(principal.get("Service")) if isinstance(principal, Mapping) else _texts(principal)
        actions = [one.lower() for one in _texts(statement.get("Action"))]
        assumes = any(_matches(one, "sts:assumerole") for one in actions)
        if statement.get("Effect") == "Allow" and assumes and {service, "*"} & set(services):
            return True
    return False


def _statements(document: str) -> list[Mapping[str, object]] | None:
    try:
        statements = json.loads(document)["Statement"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return [one for one in (statements if isinstance(statements, list) else [statements]) if isinstance(one, Mapping)]


def _covers(statement: Mapping[str, object], action: str, resource: str) -> bool:
    def named(element: str, wanted: str, *, lower: bool) -> bool:
        patterns = [one.lower() if lower else one for one in _texts(statement.get(element))]
        return any(_matches(pattern, wanted.lower() if lower else wanted) for pattern in patterns)

    acts = "NotAction" not in statement and named("Action", action, lower=True)
    acts = acts or ("NotAction" in statement and not named("NotAction", action, lower=True))
    if "NotResource" in statement:
        return acts and not named("NotResource", resource, lower=False)
    return acts and named("Resource", resource, lower=False)


def _texts(value: object) -> list[str]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def _matches(pattern: str, text: str) -> bool:
    wild = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)
    return re.fullmatch(wild, text, re.DOTALL) is not None
