"""`otelctl render`: the snippet that wires the secret's two keys into a container."""

from __future__ import annotations

import enum
import re
from typing import Annotated

import typer

from otelctl.cli import session as sessions
from otelctl.cli import sources
from otelctl.cli.errors import UsageError
from otelctl.ecs import Store, ValueFromError, read_value_from
from otelctl.render.ecs import Wiring, as_json, as_terraform

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_ROLE = re.compile(r"(?:arn:[\w-]+:iam::\d{12}:role/(?:[\x21-\x7e]+/)?)?[\w+=,.@-]{1,64}", re.ASCII)
_KMS = re.compile(r"arn:[\w-]+:kms:[\w-]+:\d{12}:key/[\w-]+", re.ASCII)
_EXAMPLE = "arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-AbCdEf"
_CONTAINER = re.compile(r"[A-Za-z0-9_-]{1,255}")


class What(enum.StrEnum):
    """What is rendered."""

    ECS_TERRAFORM = "ecs-terraform"
    ECS_JSON = "ecs-json"


@app.command("render", short_help="Print the snippet that wires a secret into ECS.")
def render(
    context: typer.Context,
    what: Annotated[What, typer.Argument(metavar="WHAT", help="ecs-terraform or ecs-json.")],
    secret_arn: Annotated[
        str,
        typer.Option("--secret-arn", metavar="ARN", help="The secret's whole ARN, its last six characters included."),
    ],
    endpoint_key: Annotated[
        str, typer.Option("--endpoint-key", metavar="KEY", help="The key that holds the endpoint.")
    ] = sources.ENDPOINT_KEY,
    headers_key: Annotated[
        str, typer.Option("--headers-key", metavar="KEY", help="The key that holds the headers.")
    ] = sources.HEADERS_KEY,
    container: Annotated[str, typer.Option("--container", metavar="NAME", help="The container that exports.")] = "app",
    role: Annotated[str, typer.Option("--role", metavar="NAME", help="Name or ARN of the task's execution role.")] = "",
    kms_key: Annotated[
        str, typer.Option("--kms-key", metavar="ARN", help="The KMS key of the secret, where it is one of your own.")
    ] = "",
) -> None:
    """Print the snippet that wires endpoint and headers from a secret into an ECS container.

    ecs-json holds the part of the task definition and the policy of the execution role; ecs-terraform the same as HCL.
    """
    session = sessions.of(context)
    if not _CONTAINER.fullmatch(container):
        raise UsageError(f"--container: {container[:40]!r} is no container's name; use letters, digits, _ and -")
    if role and not _ROLE.fullmatch(role):
        raise UsageError(f"--role: {role[:80]!r} is no role; give its name, or arn:aws:iam::ACCOUNT:role/NAME")
    if kms_key and not _KMS.fullmatch(kms_key):
        raise UsageError(f"--kms-key: {kms_key[:80]!r} is no key's ARN; give arn:aws:kms:REGION:ACCOUNT:key/ID")
    wiring = Wiring(
        _whole_arn(secret_arn),
        _json_key(endpoint_key, "--endpoint-key"),
        _json_key(headers_key, "--headers-key"),
        container,
        role,
        kms_key,
    )
    if endpoint_key == headers_key:
        raise UsageError("--endpoint-key and --headers-key: give two different names")
    session.terminal.raw(session.clean(as_json(wiring) if what is What.ECS_JSON else as_terraform(wiring)))


def _whole_arn(text: str) -> str:
    try:
        reference = read_value_from(text)
    except ValueFromError as error:
        raise UsageError(f"--secret-arn: it {error}; give {_EXAMPLE}") from None
    if reference.store is not Store.SECRETS_MANAGER:
        raise UsageError(f"--secret-arn: {text[:80]!r} is no secret's ARN; give {_EXAMPLE}")
    if reference.arn != text:
        raise UsageError("--secret-arn: it goes on after the secret's name; JSON key, stage and version are added here")
    if not reference.suffixed:
        raise UsageError(
            "--secret-arn: it lacks the hyphen and six characters at its end; aws secretsmanager describe-secret "
            f"--secret-id {reference.name} --query ARN shows it whole"
        )
    return text


def _json_key(text: str, option: str) -> str:
    if not text or ":" in text or not text.isprintable() or text != text.strip():
        raise UsageError(f"{option}: {text[:40]!r} cannot stand in valueFrom; give a name without colons")
    return text
