"""The values of parameters: what is taken as it is must be what typer would have made of it."""

from __future__ import annotations

import enum
import os
from typing import Any

import pytest
import typer

from otelctl.cli.app import COMMANDS, build

VALUES: tuple[Any, ...] = (
    None,
    "",
    "text",
    " x ",
    "10",
    "no-such",
    True,
    False,
    (),
    [],
    ("a",),
    ["a", "b"],
    ("a", 1),
    7,
    __file__,
    "/",
    "-",
    "a\0b",
    os.devnull,
)


def _outcome(process: Any, context: Any, value: Any) -> tuple[type, Any]:
    """Return the value that comes of it with its type, or the complaint."""
    try:
        made = process(context, value)
    except typer.TyperException as error:
        return type(error), error.format_message()
    return type(made), made


@pytest.mark.parametrize("name", COMMANDS)
def test_a_value_is_taken_as_typer_would_take_it(name: str) -> None:
    """For each parameter and each kind of value, right or wrong, ours and typer's own way come to the same."""
    command: Any = build()
    command = command.get_command(None, name)
    context = typer.Context(command, info_name=name)
    compared = 0
    for param in command.get_params(context):
        if param.callback is not None:
            continue  # what --help does is tested by its output
        kind = param.type_descriptor.annotation
        members = list(kind) if isinstance(kind, type) and issubclass(kind, enum.Enum) else []
        for value in (*VALUES, param.default, *members, *(one.value for one in members)):
            ours = _outcome(param.process_value, context, value)
            theirs = _outcome(lambda *given, param=param: type(param).process_value(param, *given), context, value)
            assert ours == theirs, (param.name, value)
            compared += 1
    assert compared > 10
    assert all("process_value" in vars(param) for param in command.get_params(context))
