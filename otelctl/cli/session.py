"""One invocation: its streams, its secrets, and how it ends."""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TextIO

from otelctl import __version__
from otelctl.adapters.terminal import Terminal
from otelctl.cli.errors import UsageError
from otelctl.model import CheckResult, Finding, Report
from otelctl.secret import Redactor, Secret, mask_tokens

if TYPE_CHECKING:
    from otelctl.ports import World


_SECRET_VARIABLE = re.compile(
    r"GRAFANA_(?:API|TEMPO)_TOKEN|OTEL_EXPORTER_OTLP_(?:[A-Z]+_)?HEADERS|AWS_(?:\w+_)?(?:KEY|TOKEN)"
)


class Session:
    """What a command has in its hands: streams, variables, the redactor, and the world, wired when first asked for."""

    def __init__(
        self,
        stdin: TextIO | None,
        stdout: TextIO | None,
        stderr: TextIO | None,
        variables: Mapping[str, str],
        arguments: list[str],
        command: str,
    ) -> None:
        self.stdin = stdin
        self.variables = variables
        self.arguments = arguments
        self.command = command
        self.terminal = Terminal(stdout, stderr, variables)
        # Whatever goes wrong before these are asked for, it must not show them.
        self._redactor = Redactor(Secret(text) for name, text in variables.items() if _SECRET_VARIABLE.fullmatch(name))
        self._noted: set[str] = set()
        self._world: World | None = None
        self._offline: World | None = None

    @property
    def redactor(self) -> Redactor:
        """The redactor of everything that this invocation learned to be secret."""
        return self._redactor

    @property
    def wants_json(self) -> bool:
        """Whether results go out as JSON, told from the bare arguments since errors come before they are parsed."""
        return self.given("--format") == "json"

    def given(self, option: str) -> str:
        """Return the last value that the bare arguments give an option, or an empty text."""
        found = ""
        for argument, value in zip(self.arguments, [*self.arguments[1:], ""], strict=True):
            name, equals, inline = argument.partition("=")
            if name == option:
                found = inline if equals else value
        return found

    @property
    def world(self) -> World:
        """The real world: adapters behind the ports."""
        if self._world is None:
            from otelctl.adapters.network import SystemNetwork  # noqa: PLC0415  httpcore takes 20 ms
            from otelctl.adapters.otlp_grpc import GrpcRpc  # noqa: PLC0415  as above; grpcio waits for a call
            from otelctl.adapters.proxies import SystemProxies  # noqa: PLC0415  as above; urllib.request takes 6

            self._world = dataclasses.replace(
                self.offline, network=SystemNetwork(), proxies=SystemProxies(), rpc=GrpcRpc(f"otelctl/{__version__}")
            )
        return self._world

    @property
    def offline(self) -> World:
        """The world of what sends nothing: a clock, randomness and variables, and no way out."""
        if self._offline is None:
            from otelctl.adapters.machine import Nowhere, SystemClock, SystemEntropy  # noqa: PLC0415  explain needs none
            from otelctl.ports import World  # noqa: PLC0415  as above

            out = Nowhere()
            self._offline = World(out, out, SystemClock(), SystemEntropy(), self.variables, out)
        return self._offline

    def learn(self, secret: Secret) -> Secret:
        """Never show this one, in any form."""
        self._redactor.add(secret)
        return secret

    def learn_argument(self, argument: str) -> None:
        """Never show what looks like a token in an argument: it has no business there, and errors quote arguments."""
        if mask_tokens(argument) != argument:
            self.learn(Secret(argument))

    def clean(self, text: str) -> str:
        """Return a text without anything secret."""
        return mask_tokens(self._redactor(text))

    def note(self, *findings: Finding) -> None:
        """Say on standard error what is worth knowing beside the result."""
        for finding in findings:
            said = f"note: {finding.summary} ({finding.code})"
            if said not in self._noted:
                self._noted.add(said)
                self.say(said)

    def say(self, text: str) -> None:
        """Write one line to standard error."""
        from otelctl.render.wording import printable  # noqa: PLC0415  most runs have nothing to say here

        self.terminal.tell([((printable(self.clean(text)), ""),)])

    def redacted(self, report: Report) -> Report:
        """Return a report with every text in it cleaned: the last gate before a renderer."""

        def finding(one: Finding) -> Finding:
            evidence = {name: self.clean(value) for name, value in one.evidence.items()}
            return dataclasses.replace(
                one,
                evidence=evidence,
                subject=self.clean(one.subject),
                options=self.clean(one.options),
                instead=self.clean(one.instead),
            )

        def result(one: CheckResult) -> CheckResult:
            return dataclasses.replace(
                one,
                check=self.clean(one.check),
                title=self.clean(one.title),
                findings=tuple(finding(each) for each in one.findings),
                detail=self.clean(one.detail),
                reason=self.clean(one.reason),
            )

        return dataclasses.replace(
            report,
            target=self.clean(report.target),
            results=tuple(result(one) for one in report.results),
            facts={self.clean(name): self.clean(value) for name, value in report.facts.items()},
            trace=self._cleaned(report.trace),
        )

    def _cleaned(self, value: Any) -> Any:
        """Return JSON with each text in it cleaned."""
        if isinstance(value, str):
            return self.clean(value)
        if isinstance(value, Mapping):
            return {self.clean(key): self._cleaned(item) for key, item in value.items()}
        return [self._cleaned(item) for item in value] if isinstance(value, list) else value

    def usage(self, message: str) -> int:
        """Say in one line what was wrong with the command line; return 2."""
        return self._end(message, 2)

    def interrupted(self) -> int:
        """Say that the command was interrupted; return 130."""
        return self._end("interrupted", 130)

    def crashed(self, error: BaseException) -> int:
        """Say that otelctl itself failed, without a traceback; return 3."""
        from otelctl.engine import crash  # noqa: PLC0415  only a mistake of ours needs it

        finding = crash(error, self.clean)
        return self._end(f"{finding.code}: {finding.title}: {finding.summary}", 3)

    def _end(self, message: str, code: int) -> int:
        message = " ".join(self.clean(message).split())
        try:
            if self.wants_json:
                from otelctl.render import json  # noqa: PLC0415

                self.terminal.raw(json.dump(json.error_document(self.command, __version__, message, code)))
            self.say(f"otelctl: {message}")
        except OSError:
            pass
        return self.finish(code)

    def finish(self, code: int) -> int:
        """Flush what was written, and return the exit code."""
        try:
            sys.stdout.flush()
        except (OSError, ValueError):
            # The reader went away; python would say so once more at exit.
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
        return code


def of(context: Any) -> Session:
    """Return the session of a running command."""
    session = context.find_root().obj
    if not isinstance(session, Session):
        raise UsageError("commands run through otelctl.cli.app.run")
    return session
