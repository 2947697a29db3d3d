"""What ECS, Secrets Manager and IAM say of a service, its secrets and its role. Times are of day, in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from otelctl.secret import Secret


@dataclass(frozen=True, slots=True)
class EcsContainer:
    """One container of a task definition: its plain variables, and its `secrets` as (name, valueFrom).

    `env_files` are the objects in S3 from which it reads more variables; what they hold is not known.
    """

    name: str
    environment: tuple[tuple[str, Secret], ...] = ()
    secrets: tuple[tuple[str, str], ...] = ()
    env_files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EcsTaskDefinition:
    """One revision of a task definition; `execution_role` is empty where it has none."""

    arn: str
    family: str
    revision: int
    containers: tuple[EcsContainer, ...]
    execution_role: str = ""
    fargate: bool = False


@dataclass(frozen=True, slots=True)
class EcsDeployment:
    """One deployment of a service. `rollout` is IN_PROGRESS, COMPLETED, FAILED, or empty where ECS tells none."""

    id: str
    status: str
    task_definition: str
    rollout: str = ""
    reason: str = ""
    desired: int = 0
    running: int = 0
    pending: int = 0
    failed: int = 0
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class EcsService:
    """A service as ECS describes it; `task_definition` is the ARN of the revision that it is to run."""

    arn: str
    name: str
    cluster: str
    status: str
    task_definition: str
    desired: int = 0
    running: int = 0
    platform_version: str = ""
    platform_family: str = ""
    fargate: bool = False
    deployments: tuple[EcsDeployment, ...] = ()


@dataclass(frozen=True, slots=True)
class EcsTask:
    """A task: running (`started` is set), on its way, or stopped with the reasons that ECS gives.

    `reasons` are the task's own and those of its containers; `exit_code` is the first that is not 0.
    """

    arn: str
    task_definition: str
    status: str
    created: datetime | None = None
    started: datetime | None = None
    deployment: str = ""
    stop_code: str = ""
    reasons: tuple[str, ...] = ()
    exit_code: int | None = None
    platform_version: str = ""


@dataclass(frozen=True, slots=True)
class EcsAbsent:
    """ECS answered and knows no such thing: `kind` is `cluster`, `service` or `task definition`."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class SecretVersions:
    """What Secrets Manager says of a secret besides its value.

    `arn` is the whole one; `kms_key` is empty for the key of the service. `current` and `previous` tell when the
    versions under AWSCURRENT and AWSPREVIOUS were made; `changed` when anything of the secret was last changed.
    """

    arn: str
    kms_key: str = ""
    current: datetime | None = None
    previous: datetime | None = None
    changed: datetime | None = None


@dataclass(frozen=True, slots=True)
class RoleAbsent:
    """IAM answered and knows no such role."""

    role: str


@dataclass(frozen=True, slots=True)
class RolePolicies:
    """What could be read of a role: its trust policy and the documents of its policies, as JSON.

    `whole` is False where a boundary, or a policy that could not be read, may change the outcome.
    """

    role: str
    trust: str
    documents: tuple[str, ...]
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Simulated:
    """IAM's own verdict on one action: `allowed`, `explicitDeny` or `implicitDeny`.

    `missing` are the condition keys that the policies ask for and that IAM was given no value of.
    """

    action: str
    resource: str
    decision: str
    missing: tuple[str, ...] = ()
