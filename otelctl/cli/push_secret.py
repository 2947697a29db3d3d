"""`otelctl push-secret`: the two values into a secret or another place, and nothing else of it touched."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Annotated

import typer

from otelctl import __version__
from otelctl.checks.run import Target
from otelctl.cli import options as opt
from otelctl.cli import places, probing, pushing, sources
from otelctl.cli import session as sessions
from otelctl.cli.errors import Stop, UsageError
from otelctl.cli.output import emit
from otelctl.credential import Trait, read_header
from otelctl.engine import Check
from otelctl.model import CheckResult, Report, Status
from otelctl.render.header import As, render
from otelctl.secret import Secret
from otelctl.settings import Setting, Signal

if TYPE_CHECKING:
    from otelctl.cli.redeploy import Service

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command("push-secret", short_help="Put endpoint and headers where a service reads them.")
def push_secret(
    context: typer.Context,
    secret_ids: Annotated[
        list[str] | None,
        typer.Option(
            "--secret-id", metavar="NAME", help="A secret of AWS Secrets Manager by name or ARN; may be repeated."
        ),
    ] = None,
    to: Annotated[
        list[str] | None,
        typer.Option(
            "--to",
            metavar="PLACE",
            help="Another place: dotenv:PATH, keyring:PROFILE, ssm:PREFIX or k8s:PATH[#NAME]; may be repeated.",
        ),
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option("--endpoint", metavar="URL", help="The endpoint to store, else as configured.")
    ] = None,
    endpoint_key: Annotated[
        str | None,
        typer.Option(
            "--endpoint-key",
            metavar="KEY",
            help="The name under which the endpoint is stored: otel_exporter_otlp_endpoint, in capitals in a file.",
        ),
    ] = None,
    headers_key: Annotated[
        str | None,
        typer.Option(
            "--headers-key",
            metavar="KEY",
            help="The name under which the headers are stored: otel_exporter_otlp_headers, in capitals in a file.",
        ),
    ] = None,
    profile: Annotated[str | None, typer.Option("--profile", metavar="NAME", help="AWS profile.")] = None,
    region: Annotated[str | None, typer.Option("--region", metavar="REGION", help="AWS region.")] = None,
    create: Annotated[bool, typer.Option("--create", help="Make the place where there is none.")] = False,
    kms: Annotated[
        str | None,
        typer.Option("--kms", metavar="KEY", help="The KMS key for what --create makes; what is there keeps its own."),
    ] = None,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Return each --secret-id to its value before, AWSPREVIOUS.")
    ] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Store the mended form of the headers, as inspect-auth --fix prints it.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and stop.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")] = False,
    no_check: Annotated[
        bool, typer.Option("--no-check", help="Do not probe the endpoint with the credential first.")
    ] = False,
    redeploy: Annotated[
        str | None,
        typer.Option(
            "--redeploy", metavar="CLUSTER/SERVICE", help="Then deploy this service of ECS anew, and watch it."
        ),
    ] = None,
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
    """Put endpoint and headers into a JSON secret of AWS Secrets Manager or another place, and keep all else of it.

    The credential is inspected, the endpoint probed with it, and the change shown by names before anything is
    written; the write takes place only where nobody else has changed the place meanwhile, and is read back. Several
    places are written each by itself: one that fails stops no other.
    """
    session = sessions.of(context)
    ids, others = secret_ids or [], to or []
    bound = opt.seconds(timeout, "--timeout")
    places.check(ids, others, endpoint_key, headers_key, create=create, profile=profile, region=region, kms=kms)
    service = _service(session, redeploy, profile, region, bound, yes=yes, dry_run=dry_run)
    if rollback:
        _refuse_beside_rollback(
            {
                "--to": others, "--endpoint": endpoint, "--endpoint-key": endpoint_key, "--headers-key": headers_key,
                "--create": create, "--kms": kms, "--fix": fix, "--no-check": no_check, "--protocol": protocol,
                "--env-file": env_file, "--header-file": header_file, "--keyring": keyring,
                "--from-secret": from_secret, "--insecure": insecure, "--ca-file": ca_file,
                "--client-cert": client_cert, "--client-key": client_key,
            }
        )  # fmt: skip
        nothing = Secret("")
        way = places.Given(nothing, nothing, None, None, profile, region, bound)
        repeated = " --rollback" + opt.words({"--profile": profile, "--region": region, "--redeploy": redeploy})
        pushes = _pushes(session, [places.secret(way, one) for one in dict.fromkeys(ids)], repeated)
        pushes, found = _read(pushes, pushing.READ_BOTH, service)
        found += _run(pushes, pushing.PLAN_RETURN)
        write = pushing.RETURN
    else:
        given = sources.gather(
            session,
            env_file=env_file,
            keyring=keyring,
            from_secret=from_secret,
            header_file=header_file,
            profile=profile,
            region=region,
        )
        endpoints = () if endpoint is None else (endpoint,)
        asked = probing.Wanted(endpoints, (Signal.TRACES,), protocol, bound, insecure, ca_file, client_cert, client_key)
        (target,) = probing.targets(session, given, asked)
        _storable(target)
        reading = probing.repeated(given, asked)
        repeated = reading + opt.words(
            {
                "--endpoint-key": endpoint_key, "--headers-key": headers_key, "--profile": profile,
                "--region": region, "--redeploy": redeploy, "--no-check": no_check, "--create": create, "--kms": kms,
            }
        )  # fmt: skip
        again = "otelctl push-secret" + _each("--secret-id", ids) + _each("--to", others) + repeated
        target = _mending(session, target, again, opt.words({"--endpoint": endpoint}), fix=fix)
        repeated += opt.words({"--endpoint": endpoint, "--fix": fix})
        stored = Secret(target.endpoint.value.strip())
        written = _canonical(session, target)
        values = places.Given(stored, written, endpoint_key, headers_key, profile, region, bound, kms)
        pushes = _pushes(session, places.places(session, values, ids, others), repeated, create=create)
        pushes, found = _read(pushes, pushing.READ, service)
        found += _probe(session, pushes, target, reading, offline=no_check)
        found += _run(pushes, pushing.PLAN)
        write = pushing.WRITE
    interrupted = False
    try:
        writing = pushing.write_all(pushes, write, dry_run=dry_run, yes=yes)
        for result in chain(writing, service.deploy(pushes) if service is not None else ()):
            found.append(result)
    except KeyboardInterrupt:
        # What is written by now does not lose its report for the rest.
        if not any(one.written for one in pushes):
            raise
        interrupted = True
    report = Report(
        "push-secret",
        __version__,
        ", ".join(one.place.name for one in pushes),
        tuple(found),
        pushing.facts(pushes),
    )
    end = emit(session, report, output, fail_on, verbose=verbose)
    if interrupted:
        session.say("otelctl: interrupted; what the report says of the write is done")
        end = Stop(130)
    raise end


def _storable(target: Target) -> None:
    """Raise UsageError where there is nothing to store, or nothing that holds for all signals."""
    if target.headers is None:
        raise UsageError(
            "no credential: set GRAFANA_INSTANCE_ID and GRAFANA_API_TOKEN, or OTEL_EXPORTER_OTLP_HEADERS, or give "
            "--env-file, --header-file or --keyring"
        )
    if target.per_signal:
        raise UsageError(
            f"{target.endpoint.source} holds the URL of one signal, and what is stored is that of all: give it "
            "with --endpoint"
        )


def _refuse_beside_rollback(options: Mapping[str, object]) -> None:
    """Raise UsageError for options that say what to write, and for places that keep no former value."""
    given = [name for name, value in options.items() if value]
    if "--to" in given:
        raise UsageError("--rollback: a place of --to keeps no former value; only --secret-id can be rolled back")
    if given:
        raise UsageError(f"--rollback takes back what was written, and {', '.join(given)} has no part in that")


def _pushes(
    session: sessions.Session, chosen: Sequence[places.Place], options: str, *, create: bool = False
) -> list[pushing.Push]:
    return [pushing.Push(session, place, create, len(chosen) > 1, options) for place in chosen]


def _read(
    pushes: Sequence[pushing.Push], check: Check[pushing.Push], service: Service | None
) -> tuple[list[pushing.Push], list[CheckResult]]:
    """Look for the service and read each place; return those that are places of their own, and the results."""
    found = service.look(pushes) if service is not None else []
    found += _run(pushes, check)
    return pushing.distinct(pushes), found


def _run(pushes: Sequence[pushing.Push], check: Check[pushing.Push]) -> list[CheckResult]:
    """Run a check of each place, with progress shown."""
    if not pushes:
        return []
    with pushes[0].session.terminal.progress() as progress:
        return [result for one in pushes for result in one.run(check, progress.start)]


def _probe(
    session: sessions.Session, pushes: Sequence[pushing.Push], target: Target, options: str, *, offline: bool
) -> list[CheckResult]:
    """Check the endpoint with the credential; where that fails, no place takes them."""
    if all(one.failed for one in pushes):
        return []
    with session.terminal.progress() as progress:
        world = session.offline if offline else session.world
        results = probing.results(session, world, target, offline=offline, started=progress.start)
        checked = [probing.with_options(result, options) for result in results]
    if any(result.status in (Status.FAILED, Status.UNKNOWN, Status.CRASHED) for result in checked):
        for one in pushes:
            one.failed = True
    return checked


def _service(
    session: sessions.Session,
    text: str | None,
    profile: str | None,
    region: str | None,
    timeout: float,
    *,
    yes: bool,
    dry_run: bool,
) -> Service | None:
    if text is None:
        return None
    from otelctl.cli import redeploy  # noqa: PLC0415  only this option needs it

    target = redeploy.parse(text)
    if target.region and region and target.region != region:
        raise UsageError(f"--redeploy: {target} is in {target.region}, and --region says {region}")
    if not dry_run:
        redeploy.require_terminal(session, yes=yes)

    from otelctl.adapters.ecs import AwsContainers  # noqa: PLC0415  botocore takes 70 ms

    there = target.region or region
    options = opt.words({"--profile": profile, "--region": there})
    return redeploy.Service(session, target, AwsContainers(profile, there, timeout), options, yes)


def _each(option: str, values: Sequence[str]) -> str:
    return "".join(opt.words({option: value}) for value in values)


def _mending(session: sessions.Session, target: Target, again: str, endpoint: str, *, fix: bool) -> Target:
    """Return a target whose findings advise the same push, with the endpoint or the headers put right on the way.

    `fix` puts the headers right now.
    """
    source = dataclasses.replace(target.endpoint.source, writer=f"{again} --endpoint")
    setting = dataclasses.replace(target.endpoint, source=source)
    mending = dataclasses.replace(target, endpoint=setting, mend_command=f"{again}{endpoint} --fix")
    return _mended(session, mending) if fix else mending


def _mended(session: sessions.Session, target: Target) -> Target:
    """Return a target with its headers mended; where that cannot be done, the checks say what is wrong with them."""
    assert target.headers is not None  # noqa: S101  the caller has refused that
    header, source = read_header(target.headers.value.reveal()), target.headers.source
    mended = header.mended()
    if mended is None:
        return target
    text = session.learn(Secret(render(mended, As.OTLP_HEADERS, header.other)))
    place = f"{source.place}, mended" if source.place else "mended"
    return dataclasses.replace(target, headers=Setting(text, dataclasses.replace(source, place=place)))


def _canonical(session: sessions.Session, target: Target) -> Secret:
    """Return the headers as they will be stored: the plain form with a space, or as given beside other headers."""
    assert target.headers is not None  # noqa: S101  the caller has refused that
    header = read_header(target.headers.value.reveal())
    mended = header.mended()
    if mended is not None and not header.other and Trait.REVERSED not in header.traits:
        return session.learn(Secret(f"Authorization={mended.reveal()}"))
    return session.learn(Secret(target.headers.value.reveal().strip()))
