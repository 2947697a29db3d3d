"""Where a command's settings come from, in order: options, then the sources named by an option, then the environment.

A source that was named (`--env-file`, `--keyring`, `--from-secret`, `--header-file`) is what the user wants judged, so
it wins over variables that happen to be set.
"""

from __future__ import annotations

import dataclasses
import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from otelctl.catalog import credential as catalog
from otelctl.cli.errors import UsageError
from otelctl.cli.options import words
from otelctl.cli.output import refuse
from otelctl.cli.session import Session
from otelctl.credential import header_value, is_instance_id, looks_like_token, strip_stray
from otelctl.model import Certainty
from otelctl.secret import Secret
from otelctl.settings import (
    API_TOKEN,
    INSTANCE_ID,
    Layer,
    Setting,
    Signal,
    Source,
    SourceKind,
    endpoint,
    find,
    headers,
    signal_variable,
)

HEADERS, ENDPOINT = "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_ENDPOINT"
ENDPOINT_KEY = "otel_exporter_otlp_endpoint"
HEADERS_KEY = "otel_exporter_otlp_headers"

_STDIN_LIMIT = 1 << 20
# Masking a shorter one, `info` or `production`, would hide words of ours; the values of others are not printed anyway.
_SHORTEST = 12


@dataclass(frozen=True, slots=True)
class Sources:
    """The layers of settings in the order in which they are asked, and how to name them again in a command."""

    layers: tuple[Layer, ...]
    options: str = ""
    typed: Setting[Secret] | None = None
    profile: str | None = None
    secret_id: str | None = None
    env_file: str | None = None
    keys: tuple[str, str] = ("", "")

    def headers(self, session: Session, signal: Signal) -> Setting[Secret] | None:
        """Return the OTLP headers: a string somebody configured, or one made of instance ID and token."""
        if self.typed is not None:
            return self.typed
        for layer in self.layers:
            if found := headers([layer], signal):
                session.learn(found.value)
                return found
            pair = self._pair(layer)
            if pair is not None:
                instance_id, token = pair
                session.learn(token)
                if strip_stray(layer.values[INSTANCE_ID]) != instance_id.reveal():
                    where = str(layer.source(f"{INSTANCE_ID} and {API_TOKEN}"))
                    session.note(catalog.SWAPPED.found(Certainty.CERTAIN, where, instance_id=instance_id.reveal()))
                made = f"Authorization={header_value(instance_id, token).reveal()}"
                return Setting(session.learn(Secret(made)), layer.source(f"{INSTANCE_ID} and {API_TOKEN}"))
        return None

    def _pair(self, layer: Layer) -> tuple[Secret, Secret] | None:
        first, second = layer.values.get(INSTANCE_ID, ""), layer.values.get(API_TOKEN, "")
        first, second = strip_stray(first), strip_stray(second)
        if not first or not second:
            return None
        if looks_like_token(first) and second.isdigit():
            first, second = second, first
        return Secret(first), Secret(second)

    def mend_command(self, signal: Signal, source: Source | None) -> str:
        """Return the command that puts the mended header in its place, or prints it for a place that is not known."""
        if source is not None and source.kind is SourceKind.VARIABLE:
            name = source.name if source.name.endswith("_HEADERS") else HEADERS
            extra = " --signal " + signal.value if name == signal_variable(signal, "HEADERS") else ""
            return f'export {name}="$(otelctl inspect-auth --fix{extra})"'
        place = self._place(source) if source is not None and source.name == HEADERS else ""
        return f"otelctl push-secret{place}{self.options} --fix" if place else self.fix_command(signal, source)

    def writer(self, source: Source) -> str:
        """Return the command that writes an endpoint to where one came from, up to its value; empty where none does."""
        place = self._place(source) if source.name == ENDPOINT else ""
        return f"otelctl push-secret{place}{self.options} --endpoint" if place else ""

    def fix_command(self, signal: Signal, source: Source | None) -> str:
        """Return the command that prints the mended header for a value from that source."""
        per_signal = signal_variable(signal, "HEADERS")
        extra = f" --signal {signal.value}" if source and source.name == per_signal else ""
        return f"otelctl inspect-auth --fix{extra}{self.options}"

    def _place(self, source: Source) -> str:
        """Return the options by which push-secret writes to where a value came from; empty where it does not.

        It reads and writes endpoint and headers both, for all signals, so both have to come from there and to be what
        it would read: a value for one signal alone would take the place of the general one.
        """
        url = endpoint(self.layers, Signal.TRACES)
        read = [(url.source.kind, url.source.name)] if url else []
        for layer in self.layers:
            if found := headers([layer], Signal.TRACES):
                read.append((found.source.kind, found.source.name))
            if found or self._pair(layer) is not None:
                break
        if self.typed is not None or read != [(source.kind, ENDPOINT), (source.kind, HEADERS)]:
            return ""
        if source.kind is SourceKind.ENV_FILE and self.env_file:
            return f" --to dotenv:{shlex.quote(self.env_file)}"
        if source.kind is SourceKind.SECRET and self.secret_id:
            name, (headers_key, endpoint_key) = self.secret_id.partition("#")[0], self.keys
            return words({"--secret-id": name, "--headers-key": headers_key, "--endpoint-key": endpoint_key})
        return ""


def no_credential(session: Session, endpoint: Setting[str]) -> None:
    """Refuse a token or a header that was given as the endpoint, before anything is made of it; raises Stop."""
    from otelctl.diagnose.credential import judge_as_endpoint  # noqa: PLC0415  the offline commands ask no endpoint

    if found := judge_as_endpoint(endpoint.value, str(endpoint.source)):
        session.learn(Secret(endpoint.value))
        raise refuse(session, list(found))


def gather(
    session: Session,
    *,
    env_file: Path | None = None,
    keyring: str | None = None,
    from_secret: str | None = None,
    header_file: Path | None = None,
    profile: str | None = None,
    region: str | None = None,
) -> Sources:
    """Return the layers of settings; raises UsageError for a file that can't be read, Stop for a store's refusal.

    `profile` and `region` are those of AWS, where a secret is to be read.
    """
    layers: list[Layer] = []
    options = ""
    typed = None
    keys = ("", "")
    if header_file is not None:
        text, source = read_file(session, header_file, "the headers", "--header-file")
        typed = Setting(session.learn(Secret(text)), source)
        options += f" --header-file {shlex.quote(str(header_file))}"
    if env_file is not None:
        layers.append(_env_file(session, env_file))
        options += f" --env-file {shlex.quote(str(env_file))}"
    if keyring is not None:
        layers.append(_keyring(session, keyring))
        options += f" --keyring {shlex.quote(keyring)}"
    if from_secret is not None:
        layer, keys = _secret(session, from_secret, profile, region)
        if HEADERS not in layer.values and typed is None and not layers:
            # The credential of the shell beside it would be judged, or stored, in the name of the secret.
            raise UsageError(
                f"--from-secret: {layer.place} has the endpoint and no key {HEADERS_KEY}; name the headers' key as "
                "NAME#KEY, or give --header-file"
            )
        layers.append(layer)
        options += f" --from-secret {shlex.quote(from_secret)}"
    layers.append(Layer(SourceKind.VARIABLE, "", session.variables, {}))
    return Sources(tuple(layers), options, typed, keyring, from_secret, str(env_file) if env_file else None, keys)


def _env_file(session: Session, path: Path) -> Layer:
    from otelctl.adapters import env_file  # noqa: PLC0415  only a command that was given a file needs it

    read = env_file.read(path)
    if isinstance(read, env_file.Unreadable):
        raise UsageError(f"--env-file: {read.path} cannot be read: {read.reason}")
    for broken in read.broken:
        message = f"{path}:{broken.line} cannot be read: {broken.reason}"
        if broken.ours:
            raise UsageError(f"--env-file: {message}")
        session.say(f"note: {message}; the line is left out")
    return Layer(SourceKind.ENV_FILE, str(path), read.values, read.lines)


def _keyring(session: Session, profile: str) -> Layer:
    from otelctl.adapters import keychain  # noqa: PLC0415  only a command that was given a profile needs it

    if not profile.strip():
        raise UsageError("--keyring: the profile is empty; give the name under which encode-auth --save kept it")
    entry = keychain.load(profile)
    if isinstance(entry, keychain.KeyringFault):
        raise UsageError(f"--keyring: profile {profile[:40]!r} cannot be read: {entry.reason}")
    if entry is None:
        raise UsageError(
            f"--keyring: there is no profile {profile[:40]!r}; save one with: otelctl encode-auth --keyring "
            f"{shlex.quote(profile)} --save"
        )
    session.learn(entry.token)
    values = {INSTANCE_ID: entry.instance_id.reveal(), API_TOKEN: entry.token.reveal()}
    if entry.endpoint:
        values[ENDPOINT] = entry.endpoint
    return Layer(SourceKind.KEYRING, f"keyring profile {profile}", values, {})


def _secret(session: Session, name: str, profile: str | None, region: str | None) -> tuple[Layer, tuple[str, str]]:
    """Return what a secret holds of the two, and the keys of the user's own under which it does."""
    from otelctl.adapters.aws import AwsStore  # noqa: PLC0415  botocore takes 70 ms
    from otelctl.diagnose.aws import judge_store  # noqa: PLC0415  as above
    from otelctl.ecs import region_of  # noqa: PLC0415  as above
    from otelctl.facts.store import SecretAbsent, StoreFault  # noqa: PLC0415  as above

    secret_id, _, keys = name.partition("#")
    if not secret_id:
        raise UsageError("--from-secret: the name before # is empty; give NAME or NAME#KEY")
    # An ARN says where its secret is.
    store = AwsStore(secret_id, profile, region_of(secret_id) or region)
    stored = store.read()
    if isinstance(stored, StoreFault | SecretAbsent):
        subject = f"--from-secret {secret_id}"
        found = judge_store(stored, secret_id=secret_id, subject=subject, region=store.region)
        options = words({"--profile": profile, "--region": region})
        raise refuse(session, [dataclasses.replace(one, options=options) for one in found])
    if stored.text is None:
        raise UsageError(f"--from-secret: {secret_id} is binary; otelctl reads a JSON object of strings")
    learn_values(session, stored.text)
    try:
        document = json.loads(stored.text.reveal())
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        if keys:
            raise UsageError(f"--from-secret: {secret_id} holds no JSON object, so it has no key {keys[:60]!r}")
        return Layer(SourceKind.SECRET, secret_id, {HEADERS: stored.text.reveal()}, {}), ("", "")
    # A key may hold a comma itself.
    headers_key, endpoint_key = (keys, "") if keys in document else split_keys(keys)
    values: dict[str, str] = {}
    for wanted, variable in ((headers_key or HEADERS_KEY, HEADERS), (endpoint_key or ENDPOINT_KEY, ENDPOINT)):
        value = document.get(wanted)
        if isinstance(value, str):
            values[variable] = value
        elif wanted in (headers_key, endpoint_key):
            raise UsageError(f"--from-secret: {secret_id} has no text under the key {wanted[:60]!r}")
    if not values:
        raise UsageError(
            f"--from-secret: {secret_id} has neither the key {HEADERS_KEY} nor {ENDPOINT_KEY}; "
            "name the headers' key as NAME#KEY"
        )
    return Layer(SourceKind.SECRET, f"secret {secret_id}", values, {}), (headers_key, endpoint_key)


def split_keys(keys: str) -> tuple[str, str]:
    """Return the headers' key and the endpoint's of `HEADERS_KEY,ENDPOINT_KEY`; empty where one is not named."""
    first, _, second = keys.partition(",")
    return first, second


def learn_values(session: Session, text: Secret) -> None:
    """Never show a value of a JSON secret, nor a text that is no JSON; a URL is shown, unless a password is in it."""
    try:
        pending = [json.loads(text.reveal())]
    except (ValueError, RecursionError):
        session.learn(text)
        return
    while pending:
        value = pending.pop()
        if isinstance(value, dict | list):
            pending += value.values() if isinstance(value, dict) else value
        elif isinstance(value, str):
            learn_value(session, value)


def learn_value(session: Session, value: str) -> None:
    """Never show one stored value, unless it is too short to be masked or a URL without a password."""
    if len(value) >= _SHORTEST and ("://" not in value or "@" in value):
        session.learn(Secret(value))


def read_file(session: Session, path: Path, what: str, option: str) -> tuple[str, Source]:
    """Return the text of a file, or of standard input for `-`, and its source; raises UsageError."""
    from otelctl.adapters import env_file  # noqa: PLC0415  only a command that was given a file needs it

    if str(path) == "-":
        return read_stdin(session, what, option), Source(SourceKind.STDIN, "standard input")
    text = env_file.read_text(path)
    if isinstance(text, env_file.Unreadable):
        raise UsageError(f"{option}: {text.path} cannot be read: {text.reason}")
    return text, Source(SourceKind.FILE, str(path))


def read_stdin(session: Session, what: str, option: str) -> str:
    """Return what standard input holds; raises UsageError where that is no text or too much of it."""
    stream: TextIO | None = session.stdin
    if stream is None:
        return ""
    try:
        text = stream.read(_STDIN_LIMIT + 1)
    except (UnicodeDecodeError, ValueError):
        raise UsageError(f"{option}: standard input holds no UTF-8 text, where {what} should be") from None
    if len(text) > _STDIN_LIMIT:
        raise UsageError(f"{option}: standard input holds more than 1 MiB, where {what} should be")
    return text


def token(session: Session, sources: Sources, token_file: Path | None, *, prompt: bool) -> Setting[Secret]:
    """Return the token by itself: file, named sources, variable, standard input, or a hidden prompt on a terminal."""
    if prompt:
        return _prompted(session)
    if token_file is not None:
        text, source = read_file(session, token_file, "the token", "--token-file")
        return Setting(session.learn(Secret(text)), source)
    if found := find(sources.layers, API_TOKEN):
        return Setting(session.learn(Secret(found.value)), found.source)
    if session.stdin is not None and not session.stdin.isatty():
        text = read_stdin(session, "the token", "the token")
        return Setting(session.learn(Secret(text)), Source(SourceKind.STDIN, "standard input"))
    return _prompted(session)


def _prompted(session: Session) -> Setting[Secret]:
    if session.stdin is None or not session.stdin.isatty():
        raise UsageError("no token: set GRAFANA_API_TOKEN, or give --token-file; there is no terminal here to ask at")
    import getpass  # noqa: PLC0415  only a prompt needs it

    return Setting(
        session.learn(Secret(getpass.getpass("Token (not shown): "))), Source(SourceKind.PROMPT, "the prompt")
    )


def instance_id(session: Session, sources: Sources, given: str | None, *, prompt: bool = False) -> Setting[str]:
    """Return the instance ID: the argument, else GRAFANA_INSTANCE_ID of any source, else a prompt on a terminal.

    `prompt` asks even where a source has one, which Enter takes: the ID may be what is wrong.
    """
    if given is not None:
        if not strip_stray(given):
            raise UsageError("INSTANCE_ID is empty; give the stack's numeric ID, as 123456")
        return Setting(given, Source(SourceKind.ARGUMENT, "INSTANCE_ID"))
    found = find(sources.layers, INSTANCE_ID)
    terminal = session.stdin if session.stdin is not None and session.stdin.isatty() else None
    if found is not None and (terminal is None or not prompt):
        return found
    if terminal is None:
        raise UsageError("no instance ID: give it as the argument, or set GRAFANA_INSTANCE_ID")
    known = strip_stray(found.value) if found is not None else ""
    session.say(f"Instance ID (Enter for {known}): " if is_instance_id(known) else "Instance ID: ")
    typed = terminal.readline().strip()
    if not typed and found is not None and is_instance_id(known):
        return found
    if not typed:
        raise UsageError("no instance ID was given at the prompt; it is the stack's number, as 123456")
    return Setting(typed, Source(SourceKind.PROMPT, "the prompt"))
