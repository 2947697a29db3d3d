"""`otelctl smoke --local`: the whole main job against the embedded gateway and a secret in a file, without a cloud."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from otelctl import push
from otelctl.adapters.file_store import FileStore
from otelctl.checks.run import Target
from otelctl.cli.session import Session
from otelctl.cli.sources import ENDPOINT_KEY, HEADERS_KEY
from otelctl.credential import header_value, read_header
from otelctl.diagnose.credential import judge_header
from otelctl.engine import Check, Outcome
from otelctl.facts.store import SecretAbsent, StoredSecret
from otelctl.gateway import Gateway, Received, Tenant, invent_credential
from otelctl.otlp import SyntheticTrace, iter_spans
from otelctl.secret import Secret
from otelctl.settings import Setting, Source, SourceKind

# What stands in the team's secret already, and must stand there afterwards to the letter.
_BEFORE = '{\n  "DATABASE_URL": "postgres://app@db/shop",\n  "WORKERS": 4,\n  "RATE": 1.10\n}\n'
_STORE = "secret file"


@dataclass(slots=True)
class Rehearsal:
    """The parts of a rehearsal: the gateway with its one tenant, and the file that stands for the secret store."""

    session: Session
    gateway: Gateway
    tenant: Tenant
    store: FileStore
    arrived: list[str] = field(default_factory=list)

    @property
    def header(self) -> str:
        """The right header."""
        value = header_value(Secret(self.tenant.instance_id), self.tenant.token)
        return f"Authorization={value.reveal()}"

    def store_text(self) -> str:
        """Return the whole text of the secret file."""
        stored = self.store.read()
        if not isinstance(stored, StoredSecret) or stored.text is None:
            raise TypeError("the secret file cannot be read back")
        return stored.text.reveal()

    def before(self) -> tuple[Check[Rehearsal], ...]:
        """Return the checks that come before the endpoint's."""
        return (
            Check("encode", "the header is instanceID:token, encoded once", (), _encode),
            Check("push", "the secret takes the two keys and keeps the others", ("encode",), _push),
        )

    def target(self, trace: SyntheticTrace, timeout: float) -> Target:
        """Return what is to be checked, as the secret now holds it."""
        stored = _stored(self)
        return Target(
            endpoint=Setting(str(stored[ENDPOINT_KEY]), Source(SourceKind.SECRET, ENDPOINT_KEY, _STORE)),
            headers=Setting(Secret(str(stored[HEADERS_KEY])), Source(SourceKind.SECRET, HEADERS_KEY, _STORE)),
            signals=tuple(self.tenant.scopes),
            protocol=Setting("http/protobuf", Source(SourceKind.DEFAULT, "the default")),
            timeout=timeout,
            deadline=3 * timeout,
            trace=trace,
        )

    def after(self, trace: SyntheticTrace, timeout: float) -> tuple[Check[Rehearsal], ...]:
        """Return the check that comes after the endpoint's."""

        def arrived(run: Rehearsal) -> Outcome:
            received = run.gateway.wait_for_trace(trace.trace_id, timeout)
            if received is None:
                raise RuntimeError("the embedded gateway accepted the span and did not keep it")
            run.arrived = list(_spans(received, trace))
            return Outcome(detail=f"{len(run.arrived)} spans")

        return (Check("arrived", "the spans arrived as they were sent", (), arrived),)


@contextmanager
def rehearsal(session: Session) -> Iterator[Rehearsal]:
    """Start the gateway with an invented credential and a secret with other keys in it; clean up at the end."""
    tenant = invent_credential(session.world.entropy.bytes)
    session.learn(tenant.token)
    with tempfile.TemporaryDirectory(prefix="otelctl-") as folder, Gateway([tenant]) as gateway:
        path = Path(folder) / "secret.json"
        path.touch(mode=0o600)
        path.write_text(_BEFORE, encoding="utf-8")
        yield Rehearsal(session, gateway, tenant, FileStore(path))


def _encode(run: Rehearsal) -> Outcome:
    source = Source(SourceKind.DEFAULT, "the rehearsal")
    header = read_header(run.header)
    findings = judge_header(header, source, "otelctl encode-auth --prompt", grafana=True)
    return Outcome(findings, f"instance ID {run.tenant.instance_id}, an invented token")


def _push(run: Rehearsal) -> Outcome:
    stored = run.store.read()
    if not isinstance(stored, StoredSecret | SecretAbsent):
        raise RuntimeError(f"the secret file cannot be read: {stored.message}")  # noqa: TRY004 - it is no wrong type
    wanted = {ENDPOINT_KEY: Secret(run.gateway.url), HEADERS_KEY: run.session.learn(Secret(run.header))}
    pushed = push.apply(run.store, stored, wanted, run.session.world.clock, run.session.world.entropy)
    if not isinstance(pushed, push.Pushed):
        raise RuntimeError(f"the secret file could not be written: {type(pushed).__name__}")  # noqa: TRY004 - as above
    kept = json.loads(_BEFORE)
    now = _stored(run)
    if {key: now.get(key) for key in kept} != kept or "1.10" not in run.store_text():
        raise RuntimeError("another key of the secret was changed")
    return Outcome(detail=f"added {', '.join(wanted)}; {len(kept)} others kept")


def _stored(run: Rehearsal) -> dict[str, object]:
    document = json.loads(run.store_text())
    if not isinstance(document, dict):
        raise TypeError("the secret file holds no object")
    return document


def _spans(received: Received, sent: SyntheticTrace) -> Iterator[str]:
    """Yield a line for each span of the trace as the gateway decoded it; raise where it is not what was sent."""
    wanted = {span.span_id: span for _, span in iter_spans(sent.request)}
    if received.message is None:
        raise RuntimeError("the embedded gateway kept no message")
    for service, span in iter_spans(received.message):
        if span.trace_id.hex() != sent.trace_id:
            continue
        if wanted.pop(span.span_id, None) != span:
            raise RuntimeError(f"span {span.span_id.hex()} arrived changed")
        under = f" under {span.parent_span_id.hex()}" if span.parent_span_id else ""
        milliseconds = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6
        yield f"{service}: {span.name}, {span.span_id.hex()}{under}, {milliseconds:.0f} ms"
    if wanted:
        raise RuntimeError(f"{len(wanted)} spans did not arrive")
