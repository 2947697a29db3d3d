"""`otelctl encode-auth`: the header, in the right order, and nothing else on standard output."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Annotated

import typer

from otelctl.catalog import credential as catalog
from otelctl.cli import options as opt
from otelctl.cli import session as sessions
from otelctl.cli import sources
from otelctl.cli.errors import UsageError
from otelctl.cli.output import refuse
from otelctl.credential import header_value, looks_like_token, read_token, strip_stray
from otelctl.diagnose.credential import judge_given
from otelctl.model import Certainty, Severity
from otelctl.render.header import As, render
from otelctl.secret import Secret
from otelctl.settings import Source, SourceKind

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command("encode-auth", short_help="Print the header, in the right order.")
def encode_auth(
    context: typer.Context,
    instance_id: Annotated[
        str | None, typer.Argument(metavar="INSTANCE_ID", help="The stack's numeric ID; else GRAFANA_INSTANCE_ID.")
    ] = None,
    form: Annotated[As, typer.Option("--as", help="The form, by where it goes.")] = As.OTLP_HEADERS,
    token_file: opt.TokenFileOption = None,
    prompt: Annotated[bool, typer.Option("--prompt", help="Ask for ID and token; the token is not shown.")] = False,
    env_file: opt.EnvFileOption = None,
    keyring: opt.KeyringOption = None,
    save: Annotated[bool, typer.Option("--save", help="Keep ID and token under --keyring PROFILE.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse swapped slots instead of putting them right.")
    ] = False,
) -> None:
    """Print the header `Authorization=Basic base64(instanceID:token)`, and nothing else.

    The token comes from --token-file, GRAFANA_API_TOKEN, standard input, the keyring or a hidden prompt; never from
    an option.
    """
    session = sessions.of(context)
    if save and not (keyring and keyring.strip()):
        raise UsageError("--save needs --keyring PROFILE, to name what it keeps")
    given = sources.gather(session, env_file=env_file, keyring=None if save else keyring)
    wanted_id = sources.instance_id(session, given, instance_id, prompt=prompt)
    wanted_token = sources.token(session, given, token_file, prompt=prompt)
    identity, secret = strip_stray(wanted_id.value), strip_stray(wanted_token.value.reveal())
    id_subject, token_subject = str(wanted_id.source), str(wanted_token.source)
    stray = [
        name
        for name, raw, clean in (
            ("the instance ID", wanted_id.value, identity),
            ("the token", wanted_token.value.reveal().removesuffix("\n").removesuffix("\r"), secret),
        )
        if raw != clean and clean
    ]
    swapped = looks_like_token(identity) and secret.isdigit()
    if swapped:
        session.learn(Secret(identity))
        identity, secret = secret, identity
        id_subject, token_subject = token_subject, id_subject
    session.learn(Secret(secret))
    mend = _mend(wanted_token.source)
    refused = judge_given(identity, secret, read_token(secret), id_subject, token_subject, mend_command=mend)
    notice = catalog.SWAPPED.found(Certainty.CERTAIN, id_subject, instance_id=identity) if swapped else None
    if refused:
        raise refuse(session, refused)
    if notice and strict:
        # Nothing was decoded here, so it is no AUTH-REVERSED; what is otherwise put right is refused.
        raise refuse(session, [replace(notice, diagnosis=replace(catalog.SWAPPED, severity=Severity.ERROR))])
    if notice:
        session.note(notice)
    if stray:
        session.note(catalog.STRIPPED.found(Certainty.CERTAIN, token_subject, what=" and ".join(stray)))
    if save and keyring is not None:
        _save(keyring, identity, secret)
        session.say(f"saved under keyring profile {keyring}")
    session.terminal.raw(render(header_value(Secret(identity), Secret(secret)), form) + "\n")


def _mend(source: Source) -> str:
    """Return the command that prints the header where a token's place holds the whole of it."""
    if source.kind is SourceKind.FILE:
        return f"otelctl inspect-auth --fix --header-file {shlex.quote(source.name)}"
    if source.kind is SourceKind.VARIABLE:
        return f"printf '%s' \"${source.name}\" | otelctl inspect-auth --fix"
    return "otelctl inspect-auth --fix" if source.kind is SourceKind.STDIN else "otelctl encode-auth --prompt"


def _save(profile: str, identity: str, secret: str) -> None:
    from otelctl.adapters import keychain  # noqa: PLC0415  keyring is loaded only to be used

    fault = keychain.save(profile, keychain.Entry(Secret(identity), Secret(secret)))
    if fault is not None:
        raise UsageError(f"--save: profile {profile[:40]!r} cannot be saved: {fault.reason}")
