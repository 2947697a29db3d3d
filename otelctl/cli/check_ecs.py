"""`otelctl check-ecs`: whether endpoint and header get from the secret into the container, and which it runs with."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated

import typer

from otelctl import __version__
from otelctl.cli import options as opt
from otelctl.cli import probing, sources
from otelctl.cli import session as sessions
from otelctl.cli.errors import UsageError
from otelctl.cli.output import emit
from otelctl.diagnose import ecs as judge
from otelctl.ecs import CREDENTIALS, Reference, Store, Use, plain, region_of, revision, task_account, task_region, uses
from otelctl.engine import Check, Outcome, run
from otelctl.facts.ecs import (
    EcsAbsent,
    EcsService,
    EcsTask,
    EcsTaskDefinition,
    RoleAbsent,
    RolePolicies,
    SecretVersions,
    Simulated,
)
from otelctl.facts.store import SecretAbsent, StoredSecret, StoreFault
from otelctl.model import CheckResult, Finding, Report
from otelctl.ports import Containers
from otelctl.secret import Secret

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command("check-ecs", short_help="Follow the secret into an ECS service.")
def check_ecs(
    context: typer.Context,
    cluster: Annotated[
        str | None, typer.Option("--cluster", metavar="NAME", help="Name or ARN of the cluster.")
    ] = None,
    service: Annotated[
        str | None, typer.Option("--service", metavar="NAME", help="Name or ARN of the service.")
    ] = None,
    task_definition: Annotated[
        str | None,
        typer.Option(
            "--task-definition", metavar="NAME", help="A family, FAMILY:REVISION or an ARN, in place of a service."
        ),
    ] = None,
    profile: Annotated[str | None, typer.Option("--profile", metavar="NAME", help="AWS profile.")] = None,
    region: Annotated[str | None, typer.Option("--region", metavar="REGION", help="AWS region.")] = None,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="SECONDS", help="Bound of each connection and of each answer.")
    ] = "10",
    output: opt.FormatOption = opt.Format.TEXT,
    fail_on: opt.FailOnOption = opt.FailOn.ERROR,
    verbose: opt.VerboseOption = False,
) -> None:
    """See how an ECS service gets endpoint and headers from the secret, whether it may, and what it runs with.

    Reads task definition, secret, execution role, running and stopped tasks, and changes nothing. What may not be
    read is told as unknown, with the permission that is missing.
    """
    session = sessions.of(context)
    bound = opt.seconds(timeout, "--timeout")
    if task_definition is not None and (cluster is not None or service is not None):
        raise UsageError("--task-definition stands alone: give it, or --cluster with --service")
    if task_definition is None and not ((cluster or "").strip() and (service or "").strip()):
        raise UsageError("no service: give --cluster with --service, or --task-definition")
    if task_definition is not None and not task_definition.strip():
        raise UsageError("--task-definition: the name is empty; give a family, FAMILY:REVISION or an ARN")

    from otelctl.adapters.ecs import AwsContainers  # noqa: PLC0415  botocore takes 70 ms; a wrong option need not wait

    options = opt.words({"--profile": profile, "--region": region})
    asked = Asked(cluster or "", service or "", task_definition or "", options)
    with session.terminal.progress() as progress:
        found = results(session, AwsContainers(profile, region, bound), asked, progress.start)
    target = f"{cluster}/{service}" if service else str(task_definition)
    raise emit(session, Report("check-ecs", __version__, target, tuple(found)), output, fail_on, verbose=verbose)


@dataclass(frozen=True, slots=True)
class Asked:
    """What to look at: a service, or a task definition alone; `options` are repeated in advised commands."""

    cluster: str
    service: str
    task_definition: str
    options: str = ""


def results(
    session: sessions.Session, containers: Containers, asked: Asked, started: Callable[[str], None]
) -> list[CheckResult]:
    """Run the checks and return their results."""
    from otelctl.adapters.machine import SystemClock  # noqa: PLC0415  only a command that measures needs it

    state = _Run(session, containers, asked)
    found = run(TABLE, state, SystemClock(), session.clean, lambda check: started(check.title))
    return [probing.with_options(result, asked.options) for result in found]


@dataclass(slots=True)
class _Run:
    """One run as it goes: what was asked for, and what the checks so far have read."""

    session: sessions.Session
    containers: Containers
    asked: Asked
    service: EcsService | None = None
    definition: EcsTaskDefinition | None = None
    uses: tuple[Use, ...] = ()
    values: dict[tuple[str, str], Secret] = field(default_factory=dict)
    described: dict[str, SecretVersions | SecretAbsent | StoreFault] = field(default_factory=dict)
    running: tuple[EcsTask, ...] | StoreFault | None = None
    read: dict[Reference, StoredSecret | SecretAbsent | StoreFault] = field(default_factory=dict)

    @property
    def place(self) -> judge.Place:
        """The names for the words."""
        asked, definition = self.asked, self.definition
        name = revision(definition.arn) if definition else asked.task_definition
        region = (task_region(definition) if definition else "") or self.containers.region
        command = judge.target_command(asked.cluster, asked.service, asked.task_definition, asked.options)
        return judge.Place(region, asked.cluster, asked.service, name, command)

    @property
    def known(self) -> EcsTaskDefinition:
        """The task definition; the table has every check after the one that reads it."""
        assert self.definition is not None  # noqa: S101  the checks need `definition`
        return self.definition

    @property
    def arn(self) -> str:
        """The ARN of the first secret in use, for commands; empty where there is none."""
        described = (one.arn for one in self.described.values() if isinstance(one, SecretVersions))
        return next(described, next((one.arn for one in self.references(Store.SECRETS_MANAGER)), ""))

    def references(self, store: Store) -> tuple[Reference, ...]:
        """Return what valueFrom names of one store, each reference once."""
        named = [use.reference for use in self.uses if use.reference is not None and use.reference.store is store]
        return tuple(dict.fromkeys(named))

    def versions(self, reference: Reference) -> SecretVersions | SecretAbsent | StoreFault:
        """Describe the secret that a reference names, once."""
        name = reference.arn if reference.store is Store.SECRETS_MANAGER else reference.name
        if name not in self.described:
            self.described[name] = self.containers.versions(name, reference.region)
        return self.described[name]

    def namesake(
        self, reference: Reference, fact: StoredSecret | SecretAbsent | StoreFault
    ) -> SecretVersions | SecretAbsent | StoreFault | None:
        """Look for a secret by name where its whole ARN leads to nothing; None where that is not the question."""
        if not isinstance(fact, SecretAbsent) or fact.empty or not reference.suffixed:
            return None
        return self.containers.versions(reference.given_name, reference.region)

    def parameter(self, reference: Reference) -> StoredSecret | SecretAbsent | StoreFault | None:
        """Read a parameter, once; None where the name is that of a secret."""
        if isinstance(self.described.get(reference.name), SecretVersions):
            return None
        if reference not in self.read:
            name = f"/{reference.name}" if reference.arn and "/" in reference.name else reference.name
            fact = self.containers.parameter(name, reference.region or task_region(self.known))
            if isinstance(fact, StoredSecret) and fact.text is not None:
                sources.learn_values(self.session, fact.text)
            self.read[reference] = fact
        return self.read[reference]

    def stored(self, reference: Reference) -> StoredSecret | SecretAbsent | StoreFault:
        """Read what a reference names, once; its values are never shown from then on."""
        key = dataclasses.replace(reference, text="", json_key="")
        if key not in self.read:
            fact = self.containers.secret(reference.arn, reference.region, reference.stage, reference.version)
            if isinstance(fact, StoredSecret) and fact.text is not None:
                sources.learn_values(self.session, fact.text)
            self.read[key] = fact
        return self.read[key]


def _nothing(state: _Run, reason: str) -> Outcome:
    """Return that there is nothing to look at, for this reason, or for a valueFrom that cannot be read."""
    unread = any(use.reference is None for use in state.uses)
    return Outcome(skipped="what valueFrom names cannot be told" if unread else reason)


def _definition(state: _Run) -> Outcome:
    asked, name = state.asked, state.asked.task_definition
    if asked.service:
        service = state.containers.service(asked.cluster, asked.service)
        if isinstance(service, EcsAbsent):
            return Outcome(judge.judge_absent(service, state.place))
        if isinstance(service, StoreFault):
            return Outcome(judge.judge_fault(service, state.place, "what the service runs"))
        state.service, name = service, service.task_definition
    definition = state.containers.task_definition(name)
    if isinstance(definition, EcsAbsent):
        return Outcome(judge.judge_absent(definition, state.place))
    if isinstance(definition, StoreFault):
        return Outcome(judge.judge_fault(definition, state.place, "what the containers are given"))
    state.definition, state.uses = definition, uses(definition)
    for container in definition.containers:
        for variable in CREDENTIALS:
            if value := plain(container, variable):
                state.session.learn(value)
    for use in state.uses:
        if judge.pasted(use):
            state.session.learn(Secret(use.text))
    # What is no name is not asked for either: AWS keeps what it was asked for in its logs.
    state.uses = tuple(dataclasses.replace(use, reference=None) if judge.pasted(use) else use for use in state.uses)
    return Outcome(detail=f"{revision(definition.arn)}, {', '.join(one.name for one in definition.containers)}")


def _value_from(state: _Run) -> Outcome:
    if not state.uses:
        return Outcome(skipped="nothing that export needs comes from a secret")
    found: list[Finding] = []
    for use in state.uses:
        found += judge.judge_use(use, state.place, state.known)
        if use.reference is None or (use.reference.store is Store.PARAMETER_STORE and use.reference.arn):
            continue
        fact = state.versions(use.reference)
        found += judge.judge_name(use, fact, state.place)
        if isinstance(fact, StoreFault):
            found += judge.judge_unread_name(use, state.place)
    if state.service is not None:
        found += judge.judge_platform(state.service, state.uses, state.place)
    return Outcome(tuple(found), ", ".join(dict.fromkeys(use.variable for use in state.uses)))


def _secret(state: _Run) -> Outcome:
    readable = [use for use in state.uses if use.reference is not None]
    if not readable:
        return _nothing(state, "no secret and no parameter is named")
    found: list[Finding] = []
    refused: set[str] = set()
    for use in readable:
        assert use.reference is not None  # noqa: S101  chosen so
        if use.reference.store is Store.PARAMETER_STORE:
            fact = state.parameter(use.reference)
            # The name of a secret was told as that already.
            findings, value = judge.judge_parameter(use, fact, state.place) if fact is not None else ((), None)
        else:
            fact = state.stored(use.reference)
            findings, value = judge.judge_secret(use, fact, state.place, state.namesake(use.reference, fact))
        if value is not None:
            state.values[use.container, use.variable] = value
        name = use.reference.arn or use.reference.name
        if isinstance(fact, StoredSecret) or name not in refused:
            found += findings
        if not isinstance(fact, StoredSecret):
            refused.add(name)
    for use in readable:
        value = state.values.get((use.container, use.variable))
        if value is not None:
            container = next(one for one in state.known.containers if one.name == use.container)
            writing = judge.writing_command(use, state.uses, state.place, state.asked.options)
            found += judge.judge_value(use, value, judge.endpoint_of(container, state.values), writing)
    keys = dict.fromkeys(use.reference.json_key for use in readable if use.reference and use.reference.json_key)
    return Outcome(tuple(found), ", ".join(keys))


def _variables(state: _Run) -> Outcome:
    return Outcome(judge.judge_variables(state.known, state.values, state.place, state.arn))


def _role(state: _Run) -> Outcome:
    role, wanted = state.known.execution_role, list(_permissions(state))
    if not wanted:
        return _nothing(state, "nothing that export needs comes from a secret")
    if not role:
        container = next(use.container for use in state.uses if use.reference is not None)
        return Outcome(judge.judge_no_role(state.place, state.arn, container))
    about = state.containers.role(role)
    found = list(judge.judge_role(role, about, state.place, state.arn))
    if isinstance(about, RoleAbsent):
        return Outcome(tuple(found))
    simulated = True
    for permission in wanted:
        asked = {"kms:ViaService": f"secretsmanager.{region_of(permission.resource)}.amazonaws.com"}
        verdict = state.containers.simulate(
            role, permission.action, permission.resource, asked if permission.kms else {}
        )
        simulated = simulated and isinstance(verdict, Simulated)
        judged = judge.judge_permission(
            role, permission, state.place, simulated=verdict, policies=about, resource_policy=_policy(state, permission)
        )
        # What may not be asked for one secret may not be asked for the next: said once.
        found += [one for one in judged if one not in found]
    if simulated:
        return Outcome(tuple(found), "as IAM simulates it")
    return Outcome(tuple(found), "by its policies, as they read" if isinstance(about, RolePolicies) else "")


def _policy(state: _Run, permission: judge.Permission) -> str | StoreFault:
    """Return the policy on the secret itself, which may allow or deny what the role's own do not."""
    if permission.kms or not permission.arn:
        return ""
    return state.containers.resource_policy(permission.arn, region_of(permission.resource))


def _permissions(state: _Run) -> Iterator[judge.Permission]:
    """Yield what the execution role must be able to do to start these containers."""
    for arn in dict.fromkeys(one.arn for one in state.references(Store.SECRETS_MANAGER)):
        reference = next(one for one in state.references(Store.SECRETS_MANAGER) if one.arn == arn)
        fact = state.versions(reference)
        whole = fact.arn if isinstance(fact, SecretVersions) else arn
        yield judge.Permission("secretsmanager:GetSecretValue", whole, whole)
        if isinstance(fact, SecretVersions) and fact.kms_key and "alias/" not in fact.kms_key:
            key = fact.kms_key
            if not key.startswith("arn:"):
                key = f"arn:{arn.split(':')[1]}:kms:{reference.region}:{reference.account}:key/{key}"
            yield judge.Permission("kms:Decrypt", key, whole, kms=True)
    for reference in state.references(Store.PARAMETER_STORE):
        region = reference.region or task_region(state.known)
        account = reference.account or task_account(state.known)
        partition = [*state.known.arn.split(":"), "aws"][1]
        name = reference.name.removeprefix("/")
        yield judge.Permission("ssm:GetParameters", f"arn:{partition}:ssm:{region}:{account}:parameter/{name}", "")


def _tasks(state: _Run) -> Outcome:
    if state.service is None:
        return Outcome(skipped="a task definition alone runs nothing")
    current = [one for one in state.references(Store.SECRETS_MANAGER) if not one.pinned]
    if not current:
        return _nothing(state, "nothing that export needs comes from the current version of a secret")
    state.running = _listed(state, stopped=False)
    if isinstance(state.running, StoreFault):
        question = "when the running tasks were started"
        return Outcome(judge.judge_fault(state.running, state.place, question))
    if not any(task.started for task in state.running):
        return Outcome(skipped="no task runs")
    found = list(judge.judge_revisions(state.running, state.known.arn, state.place))
    ours = [task for task in state.running if task.task_definition == state.known.arn]
    for arn in dict.fromkeys(one.arn for one in current):
        versions = state.versions(next(one for one in current if one.arn == arn))
        if isinstance(versions, SecretVersions):
            if judge.judge_tasks(ours, versions, state.place):
                same = _same(state, [one for one in current if one.arn == arn])
                found += judge.judge_tasks(ours, versions, state.place, same=same)
        elif isinstance(versions, StoreFault):
            question = "whether running tasks have the current value"
            found += judge.judge_fault(versions, state.place, question, arn)
    return Outcome(tuple(found), f"{len(state.running)} running")


def _same(state: _Run, references: Sequence[Reference]) -> bool | None:
    """Tell whether what is taken of a secret is what its version before held; None where that cannot be read."""
    now = state.stored(references[0])
    before = state.stored(dataclasses.replace(references[0], stage="AWSPREVIOUS"))
    return judge.same_values(now, before, [one.json_key for one in references])


def _starts(state: _Run) -> Outcome:
    if state.service is None:
        return Outcome(skipped="a task definition alone runs nothing")
    if state.running is None:
        state.running = _listed(state, stopped=False)
    stopped = _listed(state, stopped=True)
    if isinstance(stopped, StoreFault):
        return Outcome(judge.judge_fault(stopped, state.place, "why tasks have stopped"))
    running = () if isinstance(state.running, StoreFault) else state.running
    found = judge.judge_stops(stopped, running, state.place, state.arn, state.known.execution_role)
    found += judge.judge_deployments(state.service.deployments, state.place)
    found += judge.judge_counts(state.service, state.place, told=bool(found))
    primary = next((one for one in state.service.deployments if one.status == "PRIMARY"), None)
    rollout = primary.rollout.lower().replace("_", " ") if primary else ""
    return Outcome(found, f"deployment {rollout}" if rollout else "")


def _listed(state: _Run, *, stopped: bool) -> tuple[EcsTask, ...] | StoreFault:
    assert state.service is not None  # noqa: S101  the callers have looked
    return state.containers.tasks(state.asked.cluster, state.service.name, stopped=stopped)


_AFTER = ("definition",)
TABLE: tuple[Check[_Run], ...] = (
    Check("definition", "the task definition can be read", (), _definition),
    Check("value-from", "valueFrom names the secret as ECS reads it", _AFTER, _value_from),
    Check("secret", "the secret holds what the container is to get", _AFTER, _secret),
    Check("variables", "a container gets endpoint and headers, and nothing is in their way", _AFTER, _variables),
    Check("role", "the execution role may read the secret", _AFTER, _role),
    Check("tasks", "the running tasks have the current value", _AFTER, _tasks),
    Check("starts", "tasks start and stay, and the deployment stands", _AFTER, _starts),
)
"""The checks in the order of the way: text, secret, variables, role, tasks."""
