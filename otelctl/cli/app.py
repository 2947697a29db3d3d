"""The application: finds the command, runs it, and turns whatever ends it into one line and an exit code."""

from __future__ import annotations

import contextlib
import enum
import errno
import functools
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import typer
import typer.core
import typer.main

from otelctl import __version__
from otelctl.adapters.terminal import Unwritable
from otelctl.cli.errors import Stop, UsageError
from otelctl.cli.session import Session
from otelctl.secret import mask_tokens

COMMANDS = {
    "encode-auth": "encode_auth",
    "inspect-auth": "inspect_auth",
    "push-secret": "push_secret",
    "check-env": "check_env",
    "check-endpoint": "check_endpoint",
    "send-test-span": "send_test_span",
    "send-test-metric": "send_test_metric",
    "send-test-log": "send_test_log",
    "smoke": "smoke",
    "find-trace": "find_trace",
    "queries": "queries",
    "traceparent": "traceparent",
    "check-ecs": "check_ecs",
    "render": "render",
    "explain": "explain",
}
"""Each command and its module, in the order of a first set-up; only the module of the command that runs is loaded."""


class _Group(typer.core.TyperGroup):
    """The group of all commands, each loaded when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the group's signature
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - the group's signature
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: Any = typer.main.get_command(importlib.import_module(f"otelctl.cli.{module}").app)
        command.name = cmd_name
        command.get_params = functools.partial(_params, command.get_params)
        return command

    def get_params(self, ctx: Any) -> Any:
        return _params(super().get_params, ctx)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        # The names are all that the parent needs to suggest the nearest one.
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise UsageError(f"there is no command {args[0]!r}; {_nearest(args[0])}")
        return super().resolve_command(ctx, args)


def _params(given: Callable[[Any], Any], ctx: Any) -> Any:
    """Return the parameters of a command, each of which takes as it is what is right already.

    Typer puts every value through pydantic, that of a parameter which was not given too, and loading pydantic takes
    40 ms: a third of a short run. What is not plainly right goes that way still, and so does every complaint.
    """
    params = given(ctx)
    for param in params:
        if "process_value" not in vars(param) and hasattr(param, "type_descriptor"):
            param.process_value = functools.partial(_process, param, param.process_value)
    return params


def _process(param: Any, process: Callable[[Any, Any], Any], ctx: Any, value: Any) -> Any:
    kind, several = param.type_descriptor.annotation, param.multiple or param.nargs == -1
    if value is None and not param.required:
        taken: Any = () if several else None
    elif several and kind == list[str] and isinstance(value, tuple | list) and value and set(map(type, value)) == {str}:
        taken = list(value)
    elif not several and kind in (bool, str) and type(value) is kind:
        taken = value
    elif not several and isinstance(kind, type) and issubclass(kind, enum.StrEnum) and value in list(kind):
        taken = kind(value)
    elif not several and kind is Path and isinstance(value, str) and _unobjectionable(value):
        taken = Path(value)
    else:
        return process(ctx, value)
    return taken if param.callback is None else param.callback(ctx, param, taken)


def _unobjectionable(path: str) -> bool:
    """Tell whether typer has nothing against a path; no option of ours asks for more than that it may be read."""
    try:
        return "\0" not in path and (os.access(path, os.R_OK) or not Path(path).exists())
    except OSError:
        return True  # what cannot even be looked at is told where it is read


def _nearest(name: str) -> str:
    import difflib  # noqa: PLC0415  only a mistake needs it

    longer = sorted((one for one in COMMANDS if name and one.startswith(name)), key=lambda one: one != "check-endpoint")
    if longer:
        return f"did you mean {', '.join(longer[:-1])}{' or ' if longer[1:] else ''}{longer[-1]}?"
    near = difflib.get_close_matches(name, COMMANDS, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"the commands are: {', '.join(COMMANDS)}"


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"otelctl {__version__}\n")
        raise typer.Exit


def build() -> Any:
    """Return the group of commands, for running and for the generated documentation."""
    app = typer.Typer(cls=_Group, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

    @app.callback()
    def otelctl(
        version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
    ) -> None:
        """Set up and diagnose OpenTelemetry export to Grafana Cloud, and prove that it works.

        Exit codes: 0 healthy, 1 something was found, 2 wrong use, 3 could not tell, 130 interrupted.
        """

    return typer.main.get_command(app)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code. Nothing is raised, and nothing but results goes to stdout."""
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return last_words("interrupted", 130)
    except Exception as error:  # noqa: BLE001 - the last fence: no traceback reaches a user
        # Saying what went wrong went wrong, redaction perhaps: the exception's own text stays unsaid.
        return last_words(f"INTERNAL-CRASH: otelctl itself failed here: {type(error).__name__}", 3)


def last_words(message: str, code: int) -> int:
    """Write one line to standard error, by nothing that could fail in its turn; return the exit code."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"otelctl: {message}\n")
        sys.stderr.flush()
    return code


def _run(arguments: Sequence[str]) -> int:
    command = next((one for one in arguments if one in COMMANDS), "otelctl")
    variables = dict(os.environ)  # noqa: TID251 - here they enter, once
    session = Session(sys.stdin, sys.stdout, sys.stderr, variables, list(arguments), command)
    for argument in arguments:
        session.learn_argument(argument)
    try:
        try:
            result = build().main(
                args=list(arguments) or ["--help"], prog_name="otelctl", standalone_mode=False, obj=session
            )
        except typer.Exit as exit_:
            result = exit_.exit_code
        # Typer makes this number of Ctrl-C; no command of ours gives it.
        return session.interrupted() if result == 130 else session.finish(result if isinstance(result, int) else 0)
    except Stop as stop:
        return session.finish(stop.code)
    except UsageError as error:
        return session.usage(str(error))
    except typer.TyperException as error:
        return session.usage(_one_line(error.format_message()))
    except (KeyboardInterrupt, typer.Abort):
        return session.interrupted()
    except (BrokenPipeError, SystemExit):
        # Typer's own way out where nobody reads its help to the end.
        return session.finish(0)
    except Exception as error:  # noqa: BLE001 - told as what it is, in a line
        if isinstance(error, Unwritable) or (isinstance(error, OSError) and error.errno == errno.ENOSPC):
            return session.finish(last_words(f"the output cannot be written: {error.strerror}", 3))
        return session.crashed(error)


def _one_line(message: str) -> str:
    text = " ".join(message.replace("Value error, ", "").split())
    text = text[:1].lower() + text[1:].rstrip(".")
    return f"{mask_tokens(text)}; see --help"
