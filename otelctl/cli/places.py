"""The places that `push-secret` writes to: which store, which format, which names, and whose words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from otelctl.cli.errors import UsageError
from otelctl.cli.session import Session
from otelctl.cli.sources import ENDPOINT_KEY, HEADERS_KEY, learn_value, learn_values
from otelctl.credential import Trait, read_header
from otelctl.diagnose import aws, store
from otelctl.facts.store import (
    Guard,
    Refusal,
    RefusalReason,
    SecretAbsent,
    StoreConflict,
    StoredSecret,
    StoreFault,
    Written,
)
from otelctl.model import Finding
from otelctl.plan import Plan, Planner, plan, plan_exactly
from otelctl.ports import SecretStore
from otelctl.secret import Secret

ENDPOINT_VARIABLE = "OTEL_EXPORTER_OTLP_ENDPOINT"
HEADERS_VARIABLE = "OTEL_EXPORTER_OTLP_HEADERS"

_FORMS = "dotenv:PATH, keyring:PROFILE, ssm:PREFIX or k8s:PATH[#NAME]"


class Judge(Protocol):
    """Turns the facts of one place into findings, in the words of its area."""

    def store(
        self, fact: StoredSecret | SecretAbsent | Written | StoreConflict | StoreFault, region: str
    ) -> tuple[Finding, ...]:
        """Judge an answer."""

    def refusal(self, refusal: Refusal) -> tuple[Finding, ...]:
        """Judge a text or a value that does not fit."""

    def readback(self, written: Written, found: StoredSecret | SecretAbsent | StoreFault) -> tuple[Finding, ...]:
        """Judge a value that was not read back as written."""

    def left(self, name: str) -> tuple[Finding, ...]:
        """Judge what a write left behind."""

    def plan(self, found: Plan) -> tuple[Finding, ...]:
        """Judge what a plan has met on its way."""

    def key_case(self, option: str, key: str, others: Sequence[str]) -> tuple[Finding, ...]:
        """Judge names beside one of ours, which an option gives, that differ from it in case alone."""


@dataclass(frozen=True, slots=True)
class AwsJudge:
    """The words of a secret in Secrets Manager."""

    secret_id: str
    subject: str

    def store(
        self, fact: StoredSecret | SecretAbsent | Written | StoreConflict | StoreFault, region: str
    ) -> tuple[Finding, ...]:
        """Judge an answer."""
        return aws.judge_store(fact, secret_id=self.secret_id, subject=self.subject, region=region)

    def refusal(self, refusal: Refusal) -> tuple[Finding, ...]:
        """Judge a text that takes no keys."""
        return aws.judge_refusal(refusal, secret_id=self.secret_id, subject=self.subject)

    def readback(self, written: Written, found: StoredSecret | SecretAbsent | StoreFault) -> tuple[Finding, ...]:
        """Judge a value that was not read back as written."""
        return aws.judge_readback(written, found, secret_id=self.secret_id, subject=self.subject)

    def left(self, name: str) -> tuple[Finding, ...]:
        """Judge a staging label that could not be dropped."""
        return aws.judge_label(name, secret_id=self.secret_id, subject=self.subject)

    def plan(self, found: Plan) -> tuple[Finding, ...]:  # noqa: ARG002 - as the protocol has it
        """Judge nothing: a JSON object holds each key once."""
        return ()

    def key_case(self, option: str, key: str, others: Sequence[str]) -> tuple[Finding, ...]:
        """Judge names that differ from one of ours in case alone."""
        return aws.judge_key_case(option, key, others, secret_id=self.secret_id, subject=self.subject)


@dataclass(frozen=True, slots=True)
class PlaceJudge:
    """The words of a place that `--to` names."""

    place: str
    subject: str

    def store(
        self, fact: StoredSecret | SecretAbsent | Written | StoreConflict | StoreFault, region: str
    ) -> tuple[Finding, ...]:
        """Judge an answer."""
        return store.judge_store(fact, place=self.place, subject=self.subject, region=region)

    def refusal(self, refusal: Refusal) -> tuple[Finding, ...]:
        """Judge a text or a value that does not fit."""
        return store.judge_refusal(refusal, place=self.place, subject=self.subject)

    def readback(self, written: Written, found: StoredSecret | SecretAbsent | StoreFault) -> tuple[Finding, ...]:
        """Judge a value that was not read back as written."""
        return store.judge_readback(written, found, place=self.place, subject=self.subject)

    def left(self, name: str) -> tuple[Finding, ...]:
        """Judge a file that a killed write left."""
        return store.judge_leftover(name, place=self.place, subject=self.subject)

    def plan(self, found: Plan) -> tuple[Finding, ...]:
        """Judge a key that stands in the text twice."""
        return store.judge_shadowed(found.shadowed, place=self.place, subject=self.subject)

    def key_case(self, option: str, key: str, others: Sequence[str]) -> tuple[Finding, ...]:
        """Judge names that differ from one of ours in case alone."""
        return store.judge_key_case(option, key, others, place=self.place, subject=self.subject)


@dataclass(frozen=True, slots=True)
class Place:
    """One place on the command line.

    `noun` names it in a sentence; `open` builds its store, which may import a heavy library. `wanted` are the values by
    the names that they have there, or why they do not fit. `learn` keeps what a stored text holds out of all output.
    `guarded` says how a write was kept from overwriting another's, `makable` whether a new place can have this name.
    """

    name: str
    noun: str
    subject: str
    open: Callable[[], SecretStore]
    planner: Planner
    wanted: Mapping[str, Secret] | Refusal
    learn: Callable[[Session, Secret], None]
    judge: Judge
    guarded: Mapping[Guard, str]
    makable: bool = True


@dataclass(frozen=True, slots=True)
class Given:
    """What all places take: the two values, the names that options give them, and the way to AWS.

    `kms` is the key under which AWS is to keep what is made anew.
    """

    endpoint: Secret
    headers: Secret
    endpoint_key: str | None
    headers_key: str | None
    profile: str | None
    region: str | None
    timeout: float
    kms: str | None = None

    def named(self, endpoint_key: str, headers_key: str) -> dict[str, Secret]:
        """Return the values by their names in one place, the options before the place's own.

        Raises UsageError where an option's name is the other value's own.
        """
        endpoint_key, headers_key = self.endpoint_key or endpoint_key, self.headers_key or headers_key
        if endpoint_key == headers_key:
            option = "--headers-key" if self.headers_key else "--endpoint-key"
            raise UsageError(f"{option}: {endpoint_key[:60]!r} is the name of the other value; give another one")
        return {endpoint_key: self.endpoint, headers_key: self.headers}


def _is_arn(secret_id: str) -> bool:
    return secret_id.startswith("arn:")


def check(
    secret_ids: Sequence[str],
    to: Sequence[str],
    endpoint_key: str | None,
    headers_key: str | None,
    *,
    create: bool,
    profile: str | None,
    region: str | None,
    kms: str | None,
) -> None:
    """Raise UsageError for places and names that cannot be meant; `create` says that they are to be made."""
    if not secret_ids and not to:
        raise UsageError(f"--secret-id: name a secret of AWS Secrets Manager, or another place with --to: {_FORMS}")
    _check_aws(secret_ids, profile, region, create=create)
    if kms is not None and not (create and kms.strip() and (secret_ids or any(one.startswith("ssm:") for one in to))):
        raise UsageError(
            "--kms: name the key for a secret or a parameter that --create makes; what is there keeps its own"
        )
    kinds = set()
    for one in to:
        kind, _, name = one.partition(":")
        if kind not in _BUILDERS or not name.strip():
            raise UsageError(f"--to: {one[:60]!r} names no place; give {_FORMS}")
        if kind == "ssm" and not name.strip("/"):
            raise UsageError("--to: ssm:/ has no name to begin with; give a prefix, as ssm:/shop/production")
        kinds.add(kind)
    if "" in (endpoint_key, headers_key) or (endpoint_key is not None and endpoint_key == headers_key):
        raise UsageError("--endpoint-key and --headers-key: give two different names that are not empty")
    rules = {
        "dotenv": (r"[A-Za-z_][A-Za-z0-9_]*", "a variable has letters, digits and _, and begins with no digit"),
        "k8s": (r"[-._a-zA-Z0-9]{1,253}", "a key of a Secret has letters, digits and ._-"),
        "ssm": (r"[.\w-]+", "a part of a parameter's name has letters, digits and ._-"),
    }
    for option, key in (("--endpoint-key", endpoint_key), ("--headers-key", headers_key)):
        for kind in sorted(kinds & set(rules)):
            rule, words = rules[kind]
            if key is not None and not re.fullmatch(rule, key, re.ASCII):
                raise UsageError(f"{option}: {key[:60]!r} cannot stand in {kind}: {words}")


def _check_aws(secret_ids: Sequence[str], profile: str | None, region: str | None, *, create: bool) -> None:
    for option, name in (("--profile", profile), ("--region", region)):
        # As an unset variable of a shell gives it: botocore would take it for a name, or for none.
        if name is not None and not name.strip():
            raise UsageError(f"{option}: the name is empty; give one, or leave the option out")
    if any(not one.strip() for one in secret_ids):
        raise UsageError("--secret-id: the name is empty; give the name or the ARN of the secret")
    for one in secret_ids if create else ():
        # The API reference of CreateSecret.
        if not _is_arn(one) and not re.fullmatch(r"[A-Za-z0-9/_+=.@-]{1,512}", one):
            raise UsageError(
                f"--secret-id: {one[:60]!r} can be no secret's name: up to 512 letters, digits and /_+=.@- make one"
            )


def places(session: Session, given: Given, secret_ids: Sequence[str], to: Sequence[str]) -> list[Place]:
    """Return each place once: secrets first, then the others, both in the order given."""
    found = [secret(given, one) for one in dict.fromkeys(secret_ids)]
    for one in dict.fromkeys(to):
        kind, _, name = one.partition(":")
        found.append(_BUILDERS[kind](session, given, name))
    return found


def secret(given: Given, secret_id: str) -> Place:
    """Return a secret of AWS Secrets Manager."""

    def open_() -> SecretStore:
        from otelctl.adapters.aws import AwsStore  # noqa: PLC0415  botocore takes 70 ms

        return AwsStore(secret_id, given.profile, given.region, given.timeout, given.kms)

    subject = f"--secret-id {secret_id}"
    return Place(
        secret_id,
        "the secret",
        subject,
        open_,
        plan,
        given.named(ENDPOINT_KEY, HEADERS_KEY),
        learn_values,
        AwsJudge(secret_id, subject),
        {Guard.SWAP: "by compare-and-swap", Guard.COMPARE: "after a comparison"},
        makable=not _is_arn(secret_id),
    )


def _dotenv(_session: Session, given: Given, name: str) -> Place:
    from otelctl.plan import dotenv  # noqa: PLC0415  only this place needs it

    wanted = given.named(ENDPOINT_VARIABLE, HEADERS_VARIABLE)
    return _file(f"dotenv:{name}", name, wanted, dotenv.plan_dotenv, dotenv.values)


def _k8s(_session: Session, given: Given, name: str) -> Place:
    from otelctl.plan import manifest  # noqa: PLC0415  as above

    path, _, secret_name = name.rpartition("#") if "#" in name else (name, "", "")
    wanted = given.named(ENDPOINT_VARIABLE, HEADERS_VARIABLE)
    return _file(f"k8s:{name}", path, wanted, manifest.planner(secret_name), manifest.values)


def _file(
    place: str, path: str, wanted: Mapping[str, Secret], planner: Planner, values: Callable[[str], Iterator[str]]
) -> Place:
    def open_() -> SecretStore:
        from otelctl.adapters.file_store import FileStore  # noqa: PLC0415  only a file needs it

        return FileStore(Path(path))

    def learn(session: Session, text: Secret) -> None:
        for value in values(text.reveal()):
            learn_value(session, value)

    judge = PlaceJudge(place, f"--to {place}")
    guarded = {Guard.SWAP: "in one step over the old file"}
    return Place(place, "the file", judge.subject, open_, planner, wanted, learn, judge, guarded)


def _keyring(session: Session, given: Given, profile: str) -> Place:
    def open_() -> SecretStore:
        from otelctl.adapters.keyring_store import KeyringStore  # noqa: PLC0415  only a keyring needs it

        return KeyringStore(profile)

    place = f"keyring:{profile}"
    judge = PlaceJudge(place, f"--to {place}")
    guarded = {Guard.COMPARE: "after a comparison, since a keyring has no swap"}
    return Place(place, "the keyring", judge.subject, open_, plan, _pair(session, given), learn_values, judge, guarded)


def _pair(session: Session, given: Given) -> Mapping[str, Secret] | Refusal:
    """Return what a keyring profile keeps, or why these headers are no such thing."""
    header = read_header(given.headers.reveal())
    if header.other:
        names = ", ".join(name for name, _ in header.other)
        return Refusal(RefusalReason.NO_PAIR, f"beside Authorization the headers hold {names}")
    if header.mended() is None or header.instance_id is None or header.token is None or Trait.REVERSED in header.traits:
        return Refusal(RefusalReason.NO_PAIR, "the headers are not Basic with instanceID:token")
    session.learn(header.token)
    return {"instance_id": header.instance_id, "token": header.token, "endpoint": given.endpoint}


def _ssm(_session: Session, given: Given, prefix: str) -> Place:
    wanted = given.named(ENDPOINT_KEY, HEADERS_KEY)

    def open_() -> SecretStore:
        from otelctl.adapters.ssm import SsmStore  # noqa: PLC0415  botocore takes 70 ms

        way = {"profile": given.profile, "region": given.region, "kms": given.kms}
        return SsmStore(prefix, list(wanted), **way, timeout=given.timeout)

    place = f"ssm:{prefix}"
    judge = PlaceJudge(place, f"--to {place}")
    words = "after a comparison, one parameter after the other, since Parameter Store has no swap"
    return Place(
        place,
        "Parameter Store",
        judge.subject,
        open_,
        plan_exactly,
        wanted,
        learn_values,
        judge,
        {Guard.COMPARE: words},
    )


_BUILDERS: Mapping[str, Callable[[Session, Given, str], Place]] = {
    "dotenv": _dotenv,
    "keyring": _keyring,
    "ssm": _ssm,
    "k8s": _k8s,
}
