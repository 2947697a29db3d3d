"""The snippet that wires a secret's two keys into a container of Amazon ECS, as JSON and as Terraform.

Sources: the ECS task definition's parameters (`secrets`, `environment`, `executionRoleArn`), the IAM JSON policy
elements, the native syntax of HCL (quoted templates: `${` and `%{` are doubled).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from otelctl.ecs import role_name, value_from


@dataclass(frozen=True, slots=True)
class Wiring:
    """What goes where. `role` is the execution role's name or ARN, `kms_key` the ARN of a key of the user's own."""

    secret_arn: str
    endpoint_key: str
    headers_key: str
    container: str
    role: str = ""
    kms_key: str = ""

    @property
    def secrets(self) -> tuple[tuple[str, str], ...]:
        """The entries of `secrets`: the variable, and the valueFrom that fills it."""
        return (
            ("OTEL_EXPORTER_OTLP_ENDPOINT", value_from(self.secret_arn, self.endpoint_key)),
            ("OTEL_EXPORTER_OTLP_HEADERS", value_from(self.secret_arn, self.headers_key)),
        )

    @property
    def environment(self) -> tuple[tuple[str, str], ...]:
        """The plain variables: the gateway speaks HTTP, and some SDKs take gRPC when nothing is said."""
        return (("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),)

    @property
    def statements(self) -> tuple[tuple[str, str, str], ...]:
        """What the execution role must be allowed: an ID, an action, a resource."""
        reading = ("ReadOtelSecret", "secretsmanager:GetSecretValue", self.secret_arn)
        return (reading, ("DecryptOtelSecret", "kms:Decrypt", self.kms_key)) if self.kms_key else (reading,)


def as_json(wiring: Wiring) -> str:
    """Return one document: `taskDefinition` to merge into a task definition, `policy` for the execution role."""
    task: dict[str, object] = {"executionRoleArn": wiring.role} if wiring.role.startswith("arn:") else {}
    task["containerDefinitions"] = [
        {
            "name": wiring.container,
            "environment": [{"name": name, "value": value} for name, value in wiring.environment],
            "secrets": [{"name": name, "valueFrom": value} for name, value in wiring.secrets],
        }
    ]
    statements = [
        {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource}
        for sid, action, resource in wiring.statements
    ]
    policy = {"Version": "2012-10-17", "Statement": statements}
    return json.dumps({"taskDefinition": task, "policy": policy}, indent=2) + "\n"


def as_terraform(wiring: Wiring) -> str:
    """Return HCL: locals for the container definition, and the policy of the execution role."""
    lines = [
        f"# In the container {wiring.container} of container_definitions = jsonencode([{{ ... }}]):",
        "#   secrets     = local.otel_secrets",
        "#   environment = local.otel_environment, or concat() it with your own",
        "locals {",
        "  otel_secrets = [",
        *(f"    {{ name = {_quoted(name)}, valueFrom = {_quoted(value)} }}," for name, value in wiring.secrets),
        "  ]",
        "  otel_environment = [",
        *(f"    {{ name = {_quoted(name)}, value = {_quoted(value)} }}," for name, value in wiring.environment),
        "  ]",
        "}",
        "",
    ]
    if not wiring.role:
        lines += [
            'variable "otel_execution_role" {',
            "  type        = string",
            '  description = "Name of the execution role of the task definition"',
            "}",
            "",
        ]
    lines += ['data "aws_iam_policy_document" "otel_secret" {']
    for sid, action, resource in wiring.statements:
        lines += [
            "  statement {",
            f"    sid       = {_quoted(sid)}",
            f"    actions   = [{_quoted(action)}]",
            f"    resources = [{_quoted(resource)}]",
            "  }",
        ]
    role = _quoted(role_name(wiring.role)) if wiring.role else "var.otel_execution_role"
    lines += [
        "}",
        "",
        'resource "aws_iam_role_policy" "otel_secret" {',
        '  name   = "otel-secret"',
        f"  role   = {role}",
        "  policy = data.aws_iam_policy_document.otel_secret.json",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Return a text as a string of HCL."""
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
