"""`otelctl push-secret`: the two keys into a JSON secret, and nothing else of it touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from otelctl import __version__, push
from otelctl.checks import Target
from otelctl.cli import options as opt
from otelctl.cli import probing, sources
from otelctl.cli import session as sessions
from otelctl.cli.errors import UsageError
from otelctl.cli.output import emit
from otelctl.credential import Trait, read_header
from otelctl.diagnose.aws import judge_label, judge_readback, judge_refusal, judge_store
from otelctl.engine import Check, Outcome, run
from otelctl.facts import Guard, Refusal, SecretAbsent, Signal, StoredSecret, Written
from otelctl.model import CheckResult, Report, Status
from otelctl.plan import Action, Plan
from otelctl.secret import Secret

if TYPE_CHECKING:
    from otelctl.adapters.aws import AwsStore

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_DONE = {Action.CREATE: "added", Action.UPDATE: "changed", Action.KEEP: "unchanged", Action.DELETE: "removed"}


@app.command("push-secret")
def push_secret(
    context: typer.Context,
    secret_ids: Annotated[
        list[str], typer.Option("--secret-id", metavar="NAME", help="Name or ARN of the secret; may be repeated.")
    ],
    endpoint: Annotated[
        str | None, typer.Option("--endpoint", metavar="URL", help="The endpoint to store, else as configured.")
    ] = None,
    endpoint_key: Annotated[
        str, typer.Option("--endpoint-key", metavar="KEY", help="The key that takes the endpoint.")
    ] = sources.ENDPOINT_KEY,
    headers_key: Annotated[
        str, typer.Option("--headers-key", metavar="KEY", help="The key that takes the headers.")
    ] = sources.HEADERS_KEY,
    profile: Annotated[str | None, typer.Option("--profile", metavar="NAME", help="AWS profile.")] = None,
    region: Annotated[str | None, typer.Option("--region", metavar="REGION", help="AWS region.")] = None,
    create: Annotated[bool, typer.Option("--create", help="Make the secret where there is none.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and stop.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")] = False,
    no_check: Annotated[
        bool, typer.Option("--no-check", help="Do not probe the endpoint with the credential first.")
    ] = False,
    protocol: opt.ProtocolOption = None,
    env_file: opt.EnvFileOption = None,
    header_file: opt.HeaderFileOption = None,
    keyring: opt.KeyringOption = None,
    from_secret: opt.FromSecretOption = None,
    timeout: opt.TimeoutOption = "10",
    insecure: opt.InsecureOption = False,
    ca_file: opt.CaFileOption = None,
    client_cert: opt.ClientCertOption = None,
    client_key: opt.ClientKeyOption = None,
    output: opt.FormatOption = opt.Format.TEXT,
    fail_on: opt.FailOnOption = opt.FailOn.ERROR,
    verbose: opt.VerboseOption = False,
) -> None:
    """Put endpoint and headers into the JSON object of an AWS Secrets Manager secret, and keep every other key.

    The credential is inspected, the endpoint probed with it, and the change shown by names before anything is
    written; the write takes place only where nobody else has changed the secret meanwhile, and is read back.
    """
    session = sessions.of(context)
    if any(not one.strip() for one in secret_ids):
        raise UsageError("--secret-id: the name is empty; give the name or the ARN of the secret")
    if not endpoint_key or not headers_key or endpoint_key == headers_key:
        raise UsageError("--endpoint-key and --headers-key: give two different names that are not empty")
    bound = opt.seconds(timeout, "--timeout")
    given = sources.gather(
        session, env_file=env_file, keyring=keyring, from_secret=from_secret, header_file=header_file
    )
    asked = probing.Wanted(
        (endpoint,) if endpoint else (), (Signal.TRACES,), protocol, bound, insecure, ca_file, client_cert, client_key
    )
    (target,) = probing.targets(session, given, asked)
    if target.headers is None:
        raise UsageError(
            "no credential: set GRAFANA_INSTANCE_ID and GRAFANA_API_TOKEN, or OTEL_EXPORTER_OTLP_HEADERS, or give "
            "--env-file, --header-file or --keyring"
        )
    wanted = {endpoint_key: Secret(target.endpoint.value.strip()), headers_key: _canonical(session, target)}

    from otelctl.adapters.aws import AwsStore  # noqa: PLC0415  boto3 takes 100 ms; a wrong option need not wait for it

    pushes = [
        _Push(session, AwsStore(one, profile, region, bound), wanted, create=create, many=len(secret_ids) > 1)
        for one in dict.fromkeys(secret_ids)
    ]
    found: list[CheckResult] = []
    options = probing.repeated(given, asked)
    with session.terminal.progress() as progress:
        for one in pushes:
            found += one.run(_READ, progress.start)
        if any(not one.failed for one in pushes):
            checked = [
                probing.with_options(result, options)
                for result in probing.results(session, session.world, target, offline=no_check, started=progress.start)
            ]
            found += checked
            if any(result.status in (Status.FAILED, Status.UNKNOWN, Status.CRASHED) for result in checked):
                for one in pushes:
                    one.failed = True
            for one in pushes:
                found += one.run(_PLAN, progress.start)
    facts: dict[str, str] = {}
    for one in pushes:
        if one.changes and not dry_run and (yes or _confirmed(session, one)):
            with session.terminal.progress() as progress:
                found += one.run(_WRITE, progress.start)
        facts |= one.facts(dry_run=dry_run)
    report = Report("push-secret", __version__, ", ".join(secret_ids), tuple(found), facts)
    raise emit(session, report, output, fail_on, verbose=verbose)


def _canonical(session: sessions.Session, target: Target) -> Secret:
    """Return the headers as they will be stored: the plain form with a space, or as given beside other headers."""
    assert target.headers is not None  # noqa: S101  the caller has refused that
    header = read_header(target.headers.value.reveal())
    mended = header.mended()
    if mended is not None and not header.other and Trait.REVERSED not in header.traits:
        return session.learn(Secret(f"Authorization={mended.reveal()}"))
    return session.learn(Secret(target.headers.value.reveal().strip()))


def _confirmed(session: sessions.Session, one: _Push) -> bool:
    """Show the names that would change and ask on the terminal; raises UsageError where there is none."""
    if session.stdin is None or not session.stdin.isatty():
        raise UsageError(f"nothing was written to {one.name}: there is no terminal to confirm at; add --yes")
    session.say(f"{one.name}:")
    for line in one.diff:
        session.say(f"  {line}")
    session.say("Write this? [y/N] ")
    answer = session.stdin.readline().strip().lower()
    if answer not in ("y", "yes"):
        one.declined = True
        return False
    return True


@dataclass(slots=True)
class _Push:
    """One secret on its way: read, planned, written."""

    session: sessions.Session
    store: AwsStore
    wanted: Mapping[str, Secret]
    create: bool
    many: bool
    failed: bool = False
    declined: bool = False
    stored: StoredSecret | SecretAbsent | None = None
    plan: Plan | None = None
    written: Written | None = None
    verified: bool = False

    @property
    def name(self) -> str:
        """What the user calls the secret."""
        return self.store.identity

    @property
    def subject(self) -> str:
        """Where the name came from."""
        return f"--secret-id {self.name}"

    @property
    def changes(self) -> bool:
        """Whether there is something to write."""
        return not self.failed and self.plan is not None and not self.plan.unchanged

    @property
    def diff(self) -> tuple[str, ...]:
        """The plan by names."""
        return self.plan.diff() if self.plan else ()

    def run(self, check: Check[_Push], started: Callable[[str], None]) -> Iterator[CheckResult]:
        """Run one check, unless an earlier one failed."""
        if self.failed:
            return
        clock = self.session.world.clock
        for result in run((check,), self, clock, self.session.clean, lambda check: started(check.title)):
            self.failed = result.status in (Status.FAILED, Status.UNKNOWN, Status.CRASHED)
            yield probing.labelled(result, self.name) if self.many else result

    def facts(self, *, dry_run: bool) -> dict[str, str]:
        """Return what became of each key, by names alone."""
        if self.plan is None or (self.failed and not self.verified):
            return {}
        lead = f"{self.name} " if self.many else ""
        done = self.verified or self.plan.unchanged
        facts = {
            f"{lead}{change.key}": _DONE[change.action] if done else f"would be {_DONE[change.action]}"
            for change in self.plan.changes
        }
        if self.plan.others:
            facts[f"{lead}Not touched"] = f"{len(self.plan.others)}: {', '.join(self.plan.others)}"
        if self.written is not None:
            facts[f"{lead}Version"] = self.written.version
        elif self.plan.unchanged:
            facts[f"{lead}Written"] = "nothing, the secret holds these values already"
        elif dry_run:
            facts[f"{lead}Written"] = "nothing (--dry-run)"
        elif self.declined:
            facts[f"{lead}Written"] = "nothing, it was not confirmed"
        return facts


def _read(one: _Push) -> Outcome:
    fact = one.store.read()
    if isinstance(fact, SecretAbsent) and one.create:
        one.stored = fact
        return Outcome(detail="there is none yet; --create makes it")
    if isinstance(fact, StoredSecret):
        one.stored = fact
        if fact.text is not None:
            sources.learn_values(one.session, fact.text)
        return Outcome(detail=f"version {fact.version}")
    return Outcome(judge_store(fact, secret_id=one.name, subject=one.subject, region=one.store.region))


def _plan(one: _Push) -> Outcome:
    assert one.stored is not None  # noqa: S101  it was read before
    proposed = push.propose(one.stored, one.wanted)
    if isinstance(proposed, Refusal):
        return Outcome(judge_refusal(proposed, secret_id=one.name, subject=one.subject))
    one.plan = proposed
    return Outcome(detail="nothing to change" if proposed.unchanged else "; ".join(one.diff[: len(one.wanted)]))


def _write(one: _Push) -> Outcome:
    assert one.stored is not None  # noqa: S101  it was read before
    world = one.session.world
    outcome = push.apply(one.store, one.stored, one.wanted, world.clock, world.entropy)
    names = {"secret_id": one.name, "subject": one.subject}
    region = one.store.region
    if isinstance(outcome, push.Pushed):
        one.plan, one.written, one.verified = outcome.plan, outcome.written, True
        findings = judge_store(outcome.written, **names, region=region) if outcome.written else ()
        if outcome.label_left:
            findings += judge_label(outcome.label_left, **names)
        again = (
            f" after {outcome.written.attempts - 1} conflicts"
            if outcome.written and outcome.written.attempts > 1
            else ""
        )
        guard = "by compare-and-swap" if outcome.written and outcome.written.guard is Guard.SWAP else "compared before"
        return Outcome(findings, f"written {guard}{again}, read back the same")
    if isinstance(outcome, push.Unverified):
        return Outcome(judge_readback(outcome.written, outcome.found, **names))
    if isinstance(outcome, Refusal):
        return Outcome(judge_refusal(outcome, **names))
    return Outcome(judge_store(outcome, **names, region=region))


_READ: Check[_Push] = Check("read", "the secret can be read", (), _read)
_PLAN: Check[_Push] = Check("plan", "the secret takes the two keys", (), _plan)
_WRITE: Check[_Push] = Check("write", "the secret holds the two keys, as read back", (), _write)
