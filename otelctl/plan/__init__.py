"""Wanted keys against a stored text: what to write, what that changes, or why the text is left alone. Pure.

A module a format: `json_object`, `dotenv`, `manifest`. Each splices values into the text that is there, so that nothing
else of it can change, and reads the result again before it is shown.
"""

from otelctl.plan.change import Action, Change, Plan, Planner, alike, shown
from otelctl.plan.json_object import MAX_BYTES, difference, plan, plan_exactly

__all__ = ["MAX_BYTES", "Action", "Change", "Plan", "Planner", "alike", "difference", "plan", "plan_exactly", "shown"]
