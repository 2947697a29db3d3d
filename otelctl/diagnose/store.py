"""Judges what a file, the keyring or Parameter Store said, and the text that it holds: facts in, findings out. Pure.

`place` is what the user gave to `--to` (`dotenv:.env`), `subject` says so.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from otelctl.catalog import aws as aws_rows
from otelctl.catalog import store as rows
from otelctl.diagnose import aws
from otelctl.facts.store import Refusal, RefusalReason, SecretAbsent, StoreConflict, StoredSecret, StoreFault, Written
from otelctl.model import Certainty, Diagnosis, Finding

_SHOWN = 300

_DENIAL = re.compile(r"User: (?P<principal>\S+) is not authorized to perform: (?P<action>[\w:*-]+)")

# The names of errno. What a file system has used up, in three ways; what it holds on to, in three.
_FILE_FAULTS: dict[str, Diagnosis] = {
    "ENOENT": rows.FOLDER_ABSENT,
    "EACCES": rows.FILE_DENIED,
    "EPERM": rows.FILE_DENIED,
    "EROFS": rows.READ_ONLY,
    "ENOSPC": rows.DISK_FULL,
    "EDQUOT": rows.DISK_FULL,
    "EFBIG": rows.DISK_FULL,
    "EBUSY": rows.FILE_BUSY,
    "ETXTBSY": rows.FILE_BUSY,
    "EXDEV": rows.FILE_BUSY,
    "EISDIR": rows.NOT_A_FILE,
    "ENOTDIR": rows.NOT_A_FILE,
    "NotRegular": rows.NOT_A_FILE,
    "TooLarge": rows.FILE_TOO_LARGE,
}

_KEYRING_FAULTS = {"NoKeyringError": rows.KEYRING_NONE, "KeyringLocked": rows.KEYRING_LOCKED}

_SSM_FAULTS: dict[str, Diagnosis] = {
    **dict.fromkeys(("AccessDeniedException", "AccessDenied"), rows.SSM_DENIED),
    "InvalidKeyId": rows.SSM_KMS,
    "ValidationException": rows.SSM_INVALID,
    "ParamValidation": rows.SSM_INVALID,
    "ParameterPatternMismatchException": rows.SSM_INVALID,
    "InvalidAllowedPatternException": rows.SSM_INVALID,
    "HierarchyLevelLimitExceededException": rows.SSM_INVALID,
    "HierarchyTypeMismatchException": rows.SSM_INVALID,
    "UnsupportedParameterType": rows.SSM_INVALID,
    "ParameterLimitExceeded": rows.SSM_LIMIT,
    "ParameterMaxVersionLimitExceeded": rows.SSM_LIMIT,
    "PoliciesLimitExceededException": rows.SSM_LIMIT,
    "TooManyUpdates": rows.SSM_THROTTLED,
    "EndpointConnection": rows.SSM_UNREACHABLE,
    "ConnectTimeout": rows.SSM_UNREACHABLE,
    "ReadTimeout": rows.SSM_UNREACHABLE,
    "ConnectionClosed": rows.SSM_UNREACHABLE,
    "ProxyConnection": rows.SSM_UNREACHABLE,
}

# What is wrong before any service is asked, or with who asks: the same for every service of AWS.
_OF_THE_CALLER = {
    row.code
    for row in (
        aws_rows.TOKEN_EXPIRED,
        aws_rows.SSO,
        aws_rows.CREDENTIALS_INVALID,
        aws_rows.CLOCK,
        aws_rows.NO_CREDENTIALS,
        aws_rows.CREDENTIALS_SOURCE,
        aws_rows.NO_REGION,
        aws_rows.REGION_INVALID,
        aws_rows.PROFILE,
        aws_rows.CONFIG,
        aws_rows.ENDPOINT_URL,
        aws_rows.TLS,
    )
}

_REFUSALS: dict[RefusalReason, Diagnosis] = {
    RefusalReason.BINARY: rows.NOT_TEXT,
    RefusalReason.UNWRITABLE: rows.VALUE,
    RefusalReason.TOO_LARGE: rows.VALUE,
    RefusalReason.NOT_JSON: rows.KEYRING_FOREIGN,
    RefusalReason.SYNTAX: rows.LAYOUT,
    RefusalReason.NOT_YAML: rows.NOT_YAML,
    RefusalReason.TOO_DEEP: rows.NOT_YAML,
    RefusalReason.NO_MANIFEST: rows.NO_MANIFEST,
    RefusalReason.SEVERAL_MANIFESTS: rows.SEVERAL_MANIFESTS,
    RefusalReason.IMMUTABLE: rows.IMMUTABLE,
    RefusalReason.ENCRYPTED: rows.ENCRYPTED,
    RefusalReason.ALIAS: rows.ALIAS,
    RefusalReason.NOT_OBJECT: rows.SHAPE,
    RefusalReason.DUPLICATE_KEYS: rows.DUPLICATE_KEYS,
    RefusalReason.NO_PAIR: rows.NO_PAIR,
}

# What makes a text no JSON object of keys, which an entry of ours always is.
_NO_ENTRY = {RefusalReason.NOT_OBJECT, RefusalReason.DUPLICATE_KEYS, RefusalReason.TOO_DEEP}


@dataclass(frozen=True, slots=True)
class _Place:
    """The place that a fact is about, and every value that words about it may need."""

    place: str
    subject: str
    region: str = ""

    @property
    def kind(self) -> str:
        """The word before the colon."""
        return self.place.partition(":")[0]

    @property
    def name(self) -> str:
        """What follows the colon."""
        return self.place.partition(":")[2]

    def found(self, row: Diagnosis, **evidence: object) -> Finding:
        """Return the finding, which a store's own words prove.

        Of what is known of the place, it takes what the row's words ask for.
        """
        path = self.name.rpartition("#")[0] or self.name if self.kind == "k8s" else self.name
        known = {
            "place": self.place,
            "name": self.name,
            "path": f"/{self.name.strip('/')}" if self.kind == "ssm" else path,
            "folder": str(PurePath(path).parent),
            "region": self.region or "REGION",
        } | evidence
        return row.found(Certainty.CERTAIN, self.subject, **{name: known[name] for name in row.placeholders})


def judge_store(
    fact: StoredSecret | SecretAbsent | Written | StoreConflict | StoreFault,
    *,
    place: str,
    subject: str,
    region: str = "",
) -> tuple[Finding, ...]:
    """Return what the answer of a place means; nothing for a text that was read, and for a write that is done.

    An absent one is a finding here: a command that was told to make it does not ask.
    """
    if isinstance(fact, StoreFault):
        where = _Place(place, subject, fact.detail.get("region") or region)
        judge = {"keyring": _judge_keyring, "ssm": _judge_ssm}.get(where.kind, _judge_file)
        return (judge(fact, where),)
    where = _Place(place, subject, region)
    if isinstance(fact, SecretAbsent):
        absent = {"keyring": rows.KEYRING_ABSENT, "ssm": rows.SSM_ABSENT}.get(where.kind, rows.FILE_ABSENT)
        return (where.found(absent),)
    if isinstance(fact, StoredSecret):
        if fact.text is None:
            return (where.found(rows.NOT_TEXT),)
        return tuple(where.found(rows.SSM_PLAIN, names=name, first=name) for name in fact.exposed)
    if isinstance(fact, StoreConflict):
        return (where.found(rows.CONFLICT, expected=fact.expected or "none", found=fact.found or "none"),)
    if fact.displaced:
        return (where.found(rows.OVERWROTE, displaced=fact.displaced, first=fact.displaced.rpartition(":")[0]),)
    return ()


def judge_refusal(refusal: Refusal, *, place: str, subject: str) -> tuple[Finding, ...]:
    """Return why a text takes no values, or values do not fit a place."""
    where = _Place(place, subject)
    row = _REFUSALS[refusal.reason]
    if where.kind == "keyring" and refusal.reason in _NO_ENTRY:
        row = rows.KEYRING_FOREIGN
    return (
        where.found(
            row,
            detail=_bounded(refusal.detail) or "a text that is none",
            names=_bounded(", ".join(refusal.keys)) or "none",
            first=refusal.keys[0] if refusal.keys else "",
        ),
    )


def judge_readback(
    written: Written, found: StoredSecret | SecretAbsent | StoreFault, *, place: str, subject: str
) -> tuple[Finding, ...]:
    """Return what a value means that was not read back as it was written."""
    where = _Place(place, subject)
    version = written.version
    if isinstance(found, StoreFault):
        said = {"code": found.code, "text": _bounded(found.message) or "no message."}
        return (where.found(rows.UNVERIFIED, version=version, **said),)
    if isinstance(found, SecretAbsent):
        return (where.found(rows.UNVERIFIED, version=version, code="no value", text="it is not there any more."),)
    return (where.found(rows.VERIFY, version=version),)


def judge_leftover(name: str, *, place: str, subject: str) -> tuple[Finding, ...]:
    """Return the notice that what a killed write left could not be removed."""
    return (_Place(place, subject).found(rows.LEFTOVER, name=name),)


def judge_shadowed(keys: tuple[str, ...], *, place: str, subject: str) -> tuple[Finding, ...]:
    """Return the notice that wanted keys stand in the text once more, where they do not count."""
    if not keys:
        return ()
    return (_Place(place, subject).found(rows.SHADOWED, names=", ".join(keys), first=keys[0]),)


def judge_declined(subject: str) -> tuple[Finding, ...]:
    """Return what a no means. `subject` is the option and the place, `--secret-id NAME` as well as `--to PLACE`."""
    option, _, place = subject.partition(" ")
    again = f"otelctl push-secret {option} {shlex.quote(place)}"
    return (rows.DECLINED.found(Certainty.CERTAIN, subject, place=place, again_command=again),)


def judge_key_case(option: str, key: str, others: Sequence[str], *, place: str, subject: str) -> tuple[Finding, ...]:
    """Return the warning that names stand beside ours that differ from it in case alone; `option` names ours."""
    names = _bounded(", ".join(others))
    return (_Place(place, subject).found(rows.KEY_CASE, names=names, ours=key, option=option, other=others[0]),)


def _judge_file(fault: StoreFault, where: _Place) -> Finding:
    row = _FILE_FAULTS.get(fault.code, rows.FILE_FAULT)
    return where.found(row, operation=fault.operation, code=fault.code, text=_bounded(fault.message))


def _judge_keyring(fault: StoreFault, where: _Place) -> Finding:
    row = _KEYRING_FAULTS.get(fault.code, rows.KEYRING_REFUSED)
    backend = fault.detail.get("backend") or "unknown backend"
    return where.found(row, operation=fault.operation, code=fault.code, backend=backend)


def _judge_ssm(fault: StoreFault, where: _Place) -> Finding:
    denial = _DENIAL.search(fault.message)
    known = {
        "operation": fault.operation,
        "code": fault.code or f"HTTP {fault.status}",
        "text": _bounded(fault.message) or "no message",
        "endpoint": fault.detail.get("endpoint") or "Parameter Store",
        "principal": denial["principal"] if denial else "The caller",
        "action": denial["action"] if denial else f"ssm:{fault.operation}",
        "first": f"/{where.name.strip('/')}",
    }
    if fault.detail.get("written"):
        return where.found(rows.SSM_HALF, written=fault.detail["written"], **known)
    (finding,) = aws.judge_store(fault, secret_id=where.name, subject=where.subject, region=where.region)
    if finding.code in _OF_THE_CALLER:
        return finding
    row = _SSM_FAULTS.get(fault.code, rows.SSM_FAULT)
    if row is rows.SSM_DENIED and "kms" in fault.message.lower():
        row = rows.SSM_KMS
    if finding.code == aws_rows.THROTTLED.code:
        row = rows.SSM_THROTTLED
    return where.found(row, **known)


def _bounded(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
