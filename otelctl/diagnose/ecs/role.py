"""Judges the execution role: whether it is there, trusts ECS, and may read what the containers need."""

from __future__ import annotations

import json
from dataclasses import dataclass

from otelctl.catalog import ecs as rows
from otelctl.diagnose.ecs.place import (
    CERTAIN,
    LIKELY,
    POSSIBLE,
    UNKNOWN_ARN,
    Place,
    judge_fault,
)
from otelctl.ecs import (
    Decision,
    decide,
    role_name,
    trusts,
)
from otelctl.facts.ecs import (
    RoleAbsent,
    RolePolicies,
    Simulated,
)
from otelctl.facts.store import StoreFault
from otelctl.model import Certainty, Finding

_ECS_TASKS = "ecs-tasks.amazonaws.com"


@dataclass(frozen=True, slots=True)
class Permission:
    """One thing that the execution role must be able to do; `kms` tells that a key's own policy has a say."""

    action: str
    resource: str
    arn: str
    kms: bool = False


def judge_no_role(place: Place, arn: str, container: str) -> tuple[Finding, ...]:
    """Return that a task definition reads secrets, one of them for `container`, and names no execution role."""
    return (place.found(rows.ROLE_MISSING, CERTAIN, arn=arn or UNKNOWN_ARN, container=container),)


def judge_role(role: str, fact: RolePolicies | RoleAbsent | StoreFault, place: Place, arn: str) -> tuple[Finding, ...]:
    """Return whether the role is there and lets ECS use it; a role that could not be read gives nothing here."""
    if isinstance(fact, RoleAbsent):
        return (place.found(rows.ROLE_ABSENT, CERTAIN, role, role=role, arn=arn or UNKNOWN_ARN),)
    if isinstance(fact, RolePolicies) and fact.trust and not trusts(fact.trust, _ECS_TASKS):
        return (place.found(rows.ROLE_TRUST, CERTAIN, role, role=role, role_name=role_name(role)),)
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
            return (_denied(role, wanted, place, why, POSSIBLE),)
        if explicit:
            return (_refused(role, wanted, place),)
        alone = resource_policy == "" and not wanted.kms
        return (_denied(role, wanted, place, _NO_ALLOW, CERTAIN if alone else LIKELY),)
    if isinstance(policies, RolePolicies):
        decision = decide(policies.documents, wanted.action, wanted.resource)
        if decision is Decision.ALLOWED:
            return ()
        if decision is Decision.EXPLICIT_DENY:
            return (_refused(role, wanted, place),)
        if decision is Decision.IMPLICIT_DENY and policies.whole:
            return (_denied(role, wanted, place, _NO_ALLOW, LIKELY),)
    return judge_fault(simulated, place, f"whether {role} may do {wanted.action}")


_NO_ALLOW = "no policy of the role allows it"


def _refused(role: str, wanted: Permission, place: Place) -> Finding:
    evidence = {"role": role, "action": wanted.action, "secret": wanted.resource}
    return place.found(rows.ROLE_DENY, CERTAIN, role, **evidence)


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
