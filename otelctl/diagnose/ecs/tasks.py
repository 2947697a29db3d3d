"""Judges what runs: counts, revisions, the value that a task has, why tasks stopped, and how a deployment ends."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from otelctl.catalog import ecs as rows
from otelctl.diagnose.ecs.place import (
    CERTAIN,
    DENIAL,
    LIKELY,
    POSSIBLE,
    UNKNOWN_ARN,
    Place,
    bounded,
    short,
)
from otelctl.diagnose.ecs.wiring import parsed
from otelctl.ecs import (
    revision,
    role_name,
)
from otelctl.facts.ecs import (
    EcsDeployment,
    EcsService,
    EcsTask,
    SecretVersions,
)
from otelctl.facts.store import StoredSecret
from otelctl.model import Diagnosis, Finding

_ARN = re.compile(r"arn:[\w-]+:secretsmanager:[\w-]+:\d+:secret:[\w/+=.@!-]+")

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


def judge_counts(service: EcsService, place: Place, *, told: bool) -> tuple[Finding, ...]:
    """Return whether fewer tasks run than should, or tasks of the newest deployment fail to start.

    `told` says that a reason was found already: that some are missing goes without saying then, that all are does not.
    """
    primary = next((one for one in service.deployments if one.status == "PRIMARY"), None)
    failed = primary.failed if primary else 0
    counts = {"running": service.running, "desired": service.desired, "failed": failed}
    if service.desired and not service.running:
        return (place.found(rows.NO_TASK_RUNS, CERTAIN, service.name, **counts),)
    if not told and (service.running < service.desired or failed):
        return (place.found(rows.TASKS_SHORT, CERTAIN, service.name, **counts),)
    return ()


def judge_revisions(tasks: Sequence[EcsTask], definition: str, place: Place) -> tuple[Finding, ...]:
    """Return whether running tasks are of another revision than the one whose variables were looked at."""
    running = [task for task in tasks if task.started is not None]
    others = sorted({revision(one.task_definition) for one in running if one.task_definition != definition})
    if not others:
        return ()
    count = sum(one.task_definition != definition for one in running)
    evidence = {"count": count, "running": len(running), "others": bounded(", ".join(others)), "other": others[0]}
    return (place.found(rows.TASKS_REVISION, CERTAIN, place.service, **evidence),)


def same_values(current: object, previous: object, keys: Iterable[str]) -> bool | None:
    """Tell whether two versions of a secret hold the same under these keys; None where either cannot be read."""
    texts = [one.text if isinstance(one, StoredSecret) else None for one in (current, previous)]
    if texts[0] is None or texts[1] is None:
        return None
    if texts[0] == texts[1]:
        return True
    now, before = parsed(texts[0]), parsed(texts[1])
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
    evidence: dict[str, object] = {"running": len(running), "secret": short(versions.arn), "made": _moment(current)}
    old = [task for task in running if task.started is not None and task.started < current]
    if same and versions.previous is not None:
        old = [task for task in old if task.started is not None and task.started < versions.previous]
    if old:
        certainty = CERTAIN if same is False else LIKELY
        return (place.found(rows.TASKS_STALE, certainty, place.service, count=len(old), **evidence),)
    if same:
        return ()
    unsure = [task for task in running if _around(task, current) or _before_return(task, versions)]
    if unsure:
        return (place.found(rows.TASKS_UNSURE, POSSIBLE, place.service, count=len(unsure), **evidence),)
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
    denial = DENIAL.search(text)
    json_key = re.search(r"json key (\S+)", text)
    assumed = re.search(r"arn:[\w-]+:iam::\d+:role/[\w+=,.@/-]+", text)
    which = assumed[0] if assumed else role
    evidence = {
        "count": f"{len(tasks)} task{'' if len(tasks) == 1 else 's'}",
        "text": bounded(text),
        "arn": (named[0] if named else arn) or UNKNOWN_ARN,
        "json_key": json_key[1].rstrip(".;,") if json_key else "that valueFrom names",
        "principal": denial["principal"] if denial else "The role",
        "action": denial["action"] if denial else "secretsmanager:GetSecretValue",
        "role": which or "ROLE",
        "role_name": role_name(which) or "ROLE",
        "exit_code": tasks[0].exit_code,
        "task_definition": revision(tasks[0].task_definition) or place.task_definition,
    }
    return place.found(row, CERTAIN, tasks[0].arn.rpartition("/")[2], **evidence)


# Deployments


def judge_deployments(deployments: Sequence[EcsDeployment], place: Place) -> tuple[Finding, ...]:
    """Return the deployments that ECS has given up."""
    return tuple(judge_failed(one, place) for one in deployments if one.rollout == "FAILED")


def judge_failed(deployment: EcsDeployment, place: Place) -> Finding:
    """Return that ECS, or the number of tasks that did not start, has decided a deployment."""
    text = bounded(deployment.reason) or f"{deployment.failed} tasks did not start"
    return place.found(rows.DEPLOY_FAILED, CERTAIN, text=text, task_definition=revision(deployment.task_definition))


def judge_unsettled(place: Place, seconds: float, state: str) -> tuple[Finding, ...]:
    """Return that a deployment was watched for `seconds` and is neither done nor failed."""
    return (place.found(rows.DEPLOY_UNSETTLED, CERTAIN, seconds=f"{seconds:.0f}", state=state),)


def _moment(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M:%S %Z").strip()
