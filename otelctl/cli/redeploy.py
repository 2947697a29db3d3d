"""Deploys a service of ECS anew and watches it: the last step of `push-secret --redeploy CLUSTER/SERVICE`.

A container reads its secrets once, when it starts, so a value that was written is in use only after this.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from otelctl.cli.errors import UsageError
from otelctl.cli.pushing import Push
from otelctl.cli.session import Session
from otelctl.diagnose import ecs as judge
from otelctl.ecs import region_of
from otelctl.engine import Check, Outcome, run
from otelctl.facts.ecs import EcsAbsent, EcsDeployment, EcsService, SecretVersions
from otelctl.facts.store import StoreFault
from otelctl.model import CheckResult, Finding, Severity, Status, status_of
from otelctl.ports import Clock, Containers

WAIT = 900.0
"""How long a deployment is watched, in seconds: health checks and draining take minutes."""

_PAUSE = 5.0
_ENOUGH = 2
_PATIENCE = 3
_ARN = re.compile(
    r"(?P<lead>arn:[\w-]+:ecs:(?P<region>[\w-]+):\d{12}):service/(?P<cluster>[\w-]+)/(?P<service>[\w-]+)", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Target:
    """The service to deploy: `region` and `cluster_arn` are set where an ARN named it, and hold for every call then."""

    cluster: str
    service: str
    region: str = ""
    cluster_arn: str = ""

    def __str__(self) -> str:
        return f"{self.cluster}/{self.service}"


def parse(text: str) -> Target:
    """Read CLUSTER/SERVICE, or the ARN of a service; raises UsageError."""
    if match := _ARN.fullmatch(text):
        cluster = f"{match['lead']}:cluster/{match['cluster']}"
        return Target(match["cluster"], match["service"], match["region"], cluster)
    match = re.fullmatch(r"(?P<cluster>[\w-]+)/(?P<service>[\w-]+)", text, re.ASCII)
    if match is None:
        raise UsageError(f"--redeploy: {text[:80]!r} is no service; give CLUSTER/SERVICE, or its ARN")
    return Target(match["cluster"], match["service"])


def require_terminal(session: Session, *, yes: bool) -> None:
    """Raise UsageError where a deployment could not be confirmed: to be called before anything is written."""
    if not yes and (session.stdin is None or not session.stdin.isatty()):
        raise UsageError("--redeploy: there is no terminal to confirm at; add --yes")


def redeploy(
    session: Session,
    target: Target,
    containers: Containers,
    clock: Clock,
    *,
    yes: bool = False,
    wait: float = WAIT,
    secret_arn: str = "",
    options: str = "",
) -> Iterator[CheckResult]:
    """Force a new deployment after confirmation, watch it until it is stable or has failed, and yield both results.

    `wait` bounds the watching, in seconds. `secret_arn` and `options` (` --region R`) go into advised commands. What
    is not confirmed is skipped. An interrupt goes on to the caller, after what it leaves unknown was yielded.
    """
    if not yes and not _confirmed(session, target):
        reason = "it was not confirmed"
        yield from (CheckResult(check.id, check.title, Status.SKIPPED, reason=reason) for check in _TABLE)
        return
    told = 0
    try:
        with session.terminal.progress() as progress:
            state = _Deploy(session, target, containers, clock, wait, secret_arn, options, progress.start)
            for result in run(_TABLE, state, clock, session.clean, lambda check: progress.start(check.title)):
                told += 1
                yield result
    except KeyboardInterrupt:
        for check in _TABLE[told:]:
            yield CheckResult(check.id, check.title, Status.UNKNOWN, detail="interrupted; ECS goes on by itself")
        raise


@dataclass(frozen=True, slots=True)
class Service:
    """The service that is to take what push-secret writes, and the way to it."""

    session: Session
    target: Target
    containers: Containers
    options: str
    yes: bool

    def look(self, pushes: Sequence[Push]) -> list[CheckResult]:
        """Return whether it is there; nothing is written for one that is not."""
        state, session = self._state(), self.session
        found = list(run((_THERE,), state, state.clock, session.clean, lambda _check: None))
        if any(result.status is not Status.PASSED for result in found):
            for one in pushes:
                one.failed = True
        return found

    def deploy(self, pushes: Sequence[Push]) -> Iterator[CheckResult]:
        """Deploy it anew, where every place holds its values and its tasks may lack them."""
        if not all(one.verified or one.stays for one in pushes):
            yield self._skipped("not every place was written")
            return
        if not any(one.written for one in pushes):
            # An earlier run may have written and not deployed.
            needed = self._outdated(pushes)
            if isinstance(needed, CheckResult):
                yield needed
                return
            if not needed:
                known = all(one.arn for one in pushes)
                what = "its tasks have the values" if known else "whether its tasks have the values is not known"
                yield self._skipped(f"nothing was written, and {what}")
                return
        yield from redeploy(
            self.session,
            self.target,
            self.containers,
            self.session.offline.clock,
            yes=self.yes,
            secret_arn=next((one.arn for one in pushes if one.arn), ""),
            options=self.options,
        )

    def _outdated(self, pushes: Sequence[Push]) -> bool | CheckResult:
        """Tell whether running tasks may lack what the secrets hold already; a result where that cannot be told."""
        state = self._state()
        tasks = self.containers.tasks(state.cluster, self.target.service, stopped=False)
        if not isinstance(tasks, StoreFault) and not any(task.started for task in tasks):
            return self._skipped("nothing was written, and no task runs that could lack the values")
        for one in pushes:
            if not one.arn or one.plan is None:
                continue  # only Secrets Manager tells when a value was made
            region = region_of(one.arn)
            versions = self.containers.versions(one.arn, region)
            if isinstance(tasks, StoreFault) or isinstance(versions, StoreFault):
                fault = tasks if isinstance(tasks, StoreFault) else versions
                assert isinstance(fault, StoreFault)  # noqa: S101  one of the two is
                findings = judge.judge_fault(fault, state.place, "whether the running tasks have the values")
                return CheckResult(_BEGUN.id, _BEGUN.title, status_of(findings), findings)
            if isinstance(versions, SecretVersions) and judge.judge_tasks(tasks, versions, state.place):
                before = self.containers.secret(one.arn, region, "AWSPREVIOUS", "")
                same = judge.same_values(one.stored, before, [change.key for change in one.plan.changes])
                if judge.judge_tasks(tasks, versions, state.place, same=same):
                    return True
        return False

    def _skipped(self, reason: str) -> CheckResult:
        return CheckResult("deploy", f"{self.target} is deployed anew", Status.SKIPPED, reason=reason)

    def _state(self) -> _Deploy:
        clock = self.session.offline.clock
        return _Deploy(self.session, self.target, self.containers, clock, WAIT, "", self.options, lambda _text: None)


def _confirmed(session: Session, target: Target) -> bool:
    require_terminal(session, yes=False)
    assert session.stdin is not None  # noqa: S101  just seen
    session.say(f"Deploy {target} anew? Each of its tasks is replaced. [y/N] ")
    return session.stdin.readline().strip().lower() in {"y", "yes"}


@dataclass(slots=True)
class _Deploy:
    """One deployment as it goes; `show` tells the terminal what is under way."""

    session: Session
    target: Target
    containers: Containers
    clock: Clock
    wait: float
    secret_arn: str
    options: str
    show: Callable[[str], None]
    deployment: EcsDeployment | None = None

    @property
    def cluster(self) -> str:
        """The cluster as ECS is asked for it: an ARN is found in its own account alone."""
        return self.target.cluster_arn or self.target.cluster

    @property
    def place(self) -> judge.Place:
        """The names for the words."""
        cluster, service = self.target.cluster, self.target.service
        command = judge.target_command(cluster, service, "", self.options)
        return judge.Place(self.containers.region, cluster, service, target_command=command)


def _deploy(state: _Deploy) -> Outcome:
    answer = state.containers.deploy(state.cluster, state.target.service)
    if isinstance(answer, EcsAbsent):
        return Outcome(judge.judge_absent(answer, state.place))
    if isinstance(answer, StoreFault):
        return Outcome(judge.judge_fault(answer, state.place, "whether a new deployment would be stable"))
    state.deployment = next((one for one in answer.deployments if one.status == "PRIMARY"), None)
    return Outcome(detail=state.deployment.id if state.deployment else "")


def _stable(state: _Deploy) -> Outcome:
    started, missed, said = state.clock.monotonic(), 0, "it has just begun"
    while True:
        passed = state.clock.monotonic() - started
        if passed >= state.wait:
            return Outcome(judge.judge_unsettled(state.place, passed, said))
        service = state.containers.service(state.cluster, state.target.service)
        if isinstance(service, EcsAbsent):
            return Outcome(judge.judge_absent(service, state.place))
        if isinstance(service, StoreFault):
            missed += 1
            findings = judge.judge_fault(service, state.place, "whether the new deployment is stable")
            # A deployment takes minutes, in which a network may fail once; a permission does not come back.
            if missed >= _PATIENCE or any(one.code == "ECS-NOT-PERMITTED" for one in findings):
                return Outcome(findings)
        else:
            missed = 0
            outcome = _look(state, service, passed)
            if outcome is not None:
                return outcome
            said = _progress(_ours(state, service))
            state.show(f"{state.target}: {said}")
        state.clock.sleep(min(_PAUSE, max(state.wait - passed, 0.0)))


def _look(state: _Deploy, service: EcsService, passed: float) -> Outcome | None:
    """Return how the deployment has ended, or None while it goes on."""
    ours = _ours(state, service)
    if ours is None:
        # Right after it began, ECS may still show the service as it was before.
        if not _replaced(state, service):
            return None
        said = judge.judge_unsettled(state.place, passed, "another deployment has taken its place")
        return Outcome((*_stops(state), *said))
    if ours.rollout == "COMPLETED" or (not ours.rollout and _settled(service, ours)):
        return Outcome(detail=f"{ours.running} of {ours.desired} tasks run, after {passed:.0f} s")
    if ours.rollout != "FAILED" and ours.failed < _ENOUGH:
        return None
    found = _stops(state) or judge.judge_event(ours.reason, state.place, state.secret_arn, "")
    if ours.rollout == "FAILED":
        return Outcome((*found, judge.judge_failed(ours, state.place)))
    # Without a circuit breaker ECS tries for ever; two tasks that did not start for a reason that is known are enough.
    if any(one.severity is Severity.ERROR for one in found):
        failed = f"{ours.failed} tasks did not start, and ECS tries on"
        return Outcome((*found, *judge.judge_unsettled(state.place, passed, failed)))
    return None


def _stops(state: _Deploy) -> tuple[Finding, ...]:
    """Return why tasks of this deployment stopped, as far as they may be read."""
    stopped = state.containers.tasks(state.cluster, state.target.service, stopped=True)
    if isinstance(stopped, StoreFault) or state.deployment is None:
        return ()
    ended = [one for one in stopped if one.deployment == state.deployment.id]
    return judge.judge_stops(ended, (), state.place, state.secret_arn, "")


def _replaced(state: _Deploy, service: EcsService) -> bool:
    """Tell whether a later deployment than ours is there, as after a roll-back."""
    began = state.deployment.created if state.deployment else None
    return any(one.created is not None and began is not None and one.created > began for one in service.deployments)


def _ours(state: _Deploy, service: EcsService) -> EcsDeployment | None:
    wanted = state.deployment
    return next((one for one in service.deployments if wanted is not None and one.id == wanted.id), None)


def _settled(service: EcsService, ours: EcsDeployment) -> bool:
    """Tell whether a service is stable, as `aws ecs wait services-stable` does, where ECS tells no rollout state."""
    return len(service.deployments) == 1 and ours.running == ours.desired


def _progress(ours: EcsDeployment | None) -> str:
    if ours is None:
        return "nothing is known of it"
    failed = f", {ours.failed} failed" if ours.failed else ""
    return f"{ours.running} of {ours.desired} new tasks run, {ours.pending} on their way{failed}"


def _there(state: _Deploy) -> Outcome:
    service = state.containers.service(state.cluster, state.target.service)
    if isinstance(service, EcsAbsent):
        return Outcome(judge.judge_absent(service, state.place))
    if isinstance(service, StoreFault):
        return Outcome(judge.judge_fault(service, state.place, "whether there is a service to deploy"))
    return Outcome(detail=f"{service.running} of {service.desired} tasks run")


_THERE: Check[_Deploy] = Check("service", "the service to deploy is there", (), _there)
_BEGUN: Check[_Deploy] = Check("deploy", "a new deployment has begun", (), _deploy)
_TABLE: tuple[Check[_Deploy], ...] = (
    _BEGUN,
    Check("stable", "the new deployment is stable", ("deploy",), _stable),
)
