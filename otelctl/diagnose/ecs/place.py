"""The place that was looked at, and what can be said of it before anything of the service is judged."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from otelctl.catalog import ecs as rows
from otelctl.diagnose import aws as aws_judge
from otelctl.ecs import Use
from otelctl.facts.ecs import EcsAbsent
from otelctl.facts.store import StoreFault
from otelctl.model import Certainty, Diagnosis, Finding

CERTAIN, LIKELY, POSSIBLE = Certainty.CERTAIN, Certainty.LIKELY, Certainty.POSSIBLE

UNKNOWN_ARN = "SECRET_ARN"
"""What stands in an advised command where no secret is known yet."""

# The same in a command of ours, which is to run as it stands.
_FIND_ARN = '"$(aws secretsmanager describe-secret --secret-id otel/exporter --query ARN --output text)"'

_SHOWN = 300

_DENIED = {"AccessDeniedException", "AccessDenied", "UnauthorizedOperation", "UnauthorizedException"}
DENIAL = re.compile(r"(?:User: )?(?P<principal>arn:\S+) is not authorized to perform: (?P<action>[\w:*-]+)")
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


def judge_absent(absent: EcsAbsent, place: Place) -> tuple[Finding, ...]:
    """Return what is not there: the cluster, the service or the task definition."""
    named = {"cluster": rows.CLUSTER_NOT_FOUND, "service": rows.SERVICE_NOT_FOUND}
    row = named.get(absent.kind, rows.DEFINITION_NOT_FOUND)
    return (place.found(row, CERTAIN, **{absent.kind.replace(" ", "_"): absent.name}),)


def judge_fault(fault: StoreFault, place: Place, question: str, secret_id: str = "") -> tuple[Finding, ...]:
    """Return what a refusal means. A missing permission leaves `question` open, and is no failure of the service."""
    service = fault.detail.get("service", "ecs")
    if fault.code in _DENIED:
        denial = DENIAL.search(fault.message)
        action = denial["action"] if denial else f"{service}:{fault.operation}"
        if not denial and "kms" in fault.message.lower():
            action = "kms:Decrypt"
        principal = denial["principal"] if denial else "The caller"
        return (place.found(rows.NOT_PERMITTED, CERTAIN, principal=principal, action=action, question=question),)
    if fault.code in _OF_THE_CALLER or (service == _SECRETS_MANAGER and fault.code not in _UNREACHABLE):
        subject = secret_id or place.service or place.task_definition
        return aws_judge.judge_store(fault, secret_id=secret_id or subject, subject=subject, region=place.region)
    said = {
        "operation": fault.operation,
        "code": fault.code or f"HTTP {fault.status}",
        "text": bounded(fault.message) or "no message",
        "endpoint": fault.detail.get("endpoint") or service,
    }
    return (place.found(rows.UNREACHABLE if fault.code in _UNREACHABLE else rows.API_FAULT, CERTAIN, **said),)


def names_of(use: Use) -> dict[str, object]:
    """Return the names that words about one variable of a container need."""
    return {"variable": use.variable, "container": use.container}


def subject(use: Use) -> str:
    """Return where a finding about one variable of a container lies."""
    return f"{use.variable}, container {use.container}"


def guessed(variable: str) -> str:
    """Return the JSON key under which push-secret stores what a variable takes."""
    return variable.lower()


def short(arn: str) -> str:
    """Return the name in a secret's ARN, its six characters included."""
    return arn.rpartition(":secret:")[2]


def bounded(text: str) -> str:
    """Return a text of AWS's or of the user's at a length that fits a report."""
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
