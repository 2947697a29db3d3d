"""Judges the way of a secret into a container of Amazon ECS: facts in, findings out. Pure."""

from otelctl.diagnose.ecs.place import Place, judge_absent, judge_fault, target_command
from otelctl.diagnose.ecs.role import Permission, judge_no_role, judge_permission, judge_role
from otelctl.diagnose.ecs.tasks import (
    judge_counts,
    judge_deployments,
    judge_event,
    judge_failed,
    judge_revisions,
    judge_stops,
    judge_tasks,
    judge_unsettled,
    same_values,
)
from otelctl.diagnose.ecs.wiring import (
    endpoint_of,
    judge_name,
    judge_parameter,
    judge_platform,
    judge_secret,
    judge_unread_name,
    judge_use,
    judge_value,
    judge_variables,
    pasted,
    writing_command,
)

__all__ = [
    "Permission",
    "Place",
    "endpoint_of",
    "judge_absent",
    "judge_counts",
    "judge_deployments",
    "judge_event",
    "judge_failed",
    "judge_fault",
    "judge_name",
    "judge_no_role",
    "judge_parameter",
    "judge_permission",
    "judge_platform",
    "judge_revisions",
    "judge_role",
    "judge_secret",
    "judge_stops",
    "judge_tasks",
    "judge_unread_name",
    "judge_unsettled",
    "judge_use",
    "judge_value",
    "judge_variables",
    "pasted",
    "same_values",
    "target_command",
    "writing_command",
]
