"""Judges what AWS Secrets Manager said, and the text that it holds: facts in, findings out. Pure.

`secret_id` is the secret as the user named it, `subject` says where that name, or the wrong value, came from.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from otelctl.catalog import aws as rows
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
from otelctl.model import Certainty, Diagnosis, Finding

_CERTAIN, _LIKELY = Certainty.CERTAIN, Certainty.LIKELY

_SHOWN = 300

# arn:partition:secretsmanager:region:account:secret:name-AbCdEf, and what ECS adds after it.
_ARN = re.compile(r"(?P<arn>arn:[^:]*:secretsmanager:(?P<region>[^:]*):[^:]*:secret:(?P<name>[^:]+))(?P<suffix>:.*)?")

# "User: ARN is not authorized to perform: ACTION on resource: ARN because no … policy allows the … action", or
# "… with an explicit deny in a … policy".
_DENIAL = re.compile(r"User: (?P<principal>\S+) is not authorized to perform: (?P<action>[\w:*-]+)")

_THROTTLES = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "SlowDown",
    "TooManyRequestsException",
}

# Codes that have one meaning whatever the message says.
_BY_CODE: dict[str, Diagnosis] = {
    **dict.fromkeys(_THROTTLES, rows.THROTTLED),
    "DecryptionFailure": rows.DECRYPTION,
    "EncryptionFailure": rows.DECRYPTION,
    "LimitExceededException": rows.LIMIT,
    "ExpiredToken": rows.TOKEN_EXPIRED,
    "ExpiredTokenException": rows.TOKEN_EXPIRED,
    "RequestTimeTooSkewed": rows.CLOCK,
    "RequestExpired": rows.CLOCK,
    "UnrecognizedClientException": rows.CREDENTIALS_INVALID,
    "InvalidClientTokenId": rows.CREDENTIALS_INVALID,
    "InvalidAccessKeyId": rows.CREDENTIALS_INVALID,
    "InvalidSignatureException": rows.CREDENTIALS_INVALID,
    "SignatureDoesNotMatch": rows.CREDENTIALS_INVALID,
    "IncompleteSignature": rows.CREDENTIALS_INVALID,
    "IncompleteSignatureException": rows.CREDENTIALS_INVALID,
    "MissingAuthenticationTokenException": rows.CREDENTIALS_INVALID,
    "AuthFailure": rows.CREDENTIALS_INVALID,
    "InvalidParameterException": rows.INVALID,
    "ValidationException": rows.INVALID,
    "ParamValidation": rows.INVALID,
    "InvalidRequestException": rows.INVALID_REQUEST,
    "ResourceExistsException": rows.EXISTS,
    "InternalServiceError": rows.SERVICE,
    "InternalFailure": rows.SERVICE,
    "ServiceUnavailable": rows.SERVICE,
    "NoCredentials": rows.NO_CREDENTIALS,
    "PartialCredentials": rows.NO_CREDENTIALS,
    "CredentialRetrieval": rows.CREDENTIALS_SOURCE,
    "MissingDependency": rows.CREDENTIALS_SOURCE,
    "SsoToken": rows.SSO,
    "NoRegion": rows.NO_REGION,
    "InvalidRegion": rows.REGION_INVALID,
    "ProfileNotFound": rows.PROFILE,
    "Config": rows.CONFIG,
    "InvalidEndpoint": rows.ENDPOINT_URL,
    "EndpointConnection": rows.UNREACHABLE,
    "ConnectTimeout": rows.UNREACHABLE,
    "ReadTimeout": rows.UNREACHABLE,
    "ConnectionClosed": rows.UNREACHABLE,
    "ProxyConnection": rows.UNREACHABLE,
    "Tls": rows.TLS,
    "NotSecretsManager": rows.NOT_AWS,
    "UnknownOperationException": rows.NOT_AWS,
}

# What a wrong region can look like: the service does not say that an ARN is another region's.
_MAY_BE_REGION = {
    rows.INVALID.code,
    rows.INVALID_REQUEST.code,
    rows.ACCESS_DENIED.code,
    rows.NOT_FOUND.code,
    rows.UNKNOWN.code,
}

_REFUSALS = {
    RefusalReason.BINARY: rows.BINARY,
    RefusalReason.NOT_JSON: rows.NOT_JSON,
    RefusalReason.NOT_OBJECT: rows.NOT_OBJECT,
    RefusalReason.DUPLICATE_KEYS: rows.DUPLICATE_KEYS,
    RefusalReason.TOO_DEEP: rows.TOO_DEEP,
    RefusalReason.TOO_LARGE: rows.TOO_LARGE,
}


@dataclass(frozen=True, slots=True)
class _Secret:
    """The secret that a fact is about, and every value that words about it may need."""

    id: str
    subject: str
    region: str

    def found(self, row: Diagnosis, certainty: Certainty, **evidence: object) -> Finding:
        """Return the finding; of what is known of the secret, it takes what the row's words ask for."""
        arn = _ARN.fullmatch(self.id)
        known = {
            "secret": self.id,
            "name": re.sub(r"-[A-Za-z0-9]{6}$", "", arn["name"]) if arn else self.id,
            "arn": arn["arn"] if arn else self.id,
            "arn_region": arn["region"] if arn else "",
            "region_command": self._elsewhere(arn["region"] if arn else "eu-west-1"),
            "region": self.region or (arn["region"] if arn else "REGION"),
        } | evidence
        return row.found(certainty, self.subject, **{name: known[name] for name in row.placeholders})

    def _elsewhere(self, region: str) -> str:
        """Return the command that asks another region: by the option that wins over the variable, where there is one.

        A subject that names a place of push-secret is the option for it.
        """
        option, _, name = self.subject.partition(" ")
        if option in ("--secret-id", "--to"):
            return (
                f"otelctl push-secret {option} {shlex.quote(name or self.id)} --region {shlex.quote(region)} --dry-run"
            )
        return f"export AWS_DEFAULT_REGION={shlex.quote(region)}"

    def misnamed(self) -> Finding | None:
        """Return what is wrong with the secret's name by itself, once a call with it has failed."""
        arn = _ARN.fullmatch(self.id)
        if arn and arn["suffix"]:
            return self.found(rows.ARN_SUFFIX, _CERTAIN)
        if arn and self.region and arn["region"] != self.region:
            return self.found(rows.WRONG_REGION, _CERTAIN)
        return None


def judge_store(
    fact: StoredSecret | SecretAbsent | Written | StoreConflict | StoreFault,
    *,
    secret_id: str,
    subject: str,
    region: str = "",
) -> tuple[Finding, ...]:
    """Return what a store's answer means; nothing for a text that was read and for a write under the swap.

    `region` is the one in use where the fact does not know it. An absent secret is a finding here: a command that
    was told to make it does not ask.
    """
    if isinstance(fact, StoreFault):
        secret = _Secret(secret_id, subject, fact.detail.get("region") or region)
        return (_judge_fault(fact, secret),)
    secret = _Secret(secret_id, subject, region)
    if isinstance(fact, SecretAbsent):
        if fact.empty:
            return (secret.found(rows.EMPTY, _CERTAIN),)
        return (secret.misnamed() or secret.found(rows.NOT_FOUND, _CERTAIN),)
    if isinstance(fact, StoredSecret):
        return () if fact.text is not None else (secret.found(rows.BINARY, _CERTAIN),)
    if isinstance(fact, StoreConflict):
        found = fact.found or "none"
        return (secret.found(rows.CONFLICT, _CERTAIN, expected=fact.expected or "none", found=found),)
    findings = []
    if fact.displaced:
        findings.append(secret.found(rows.OVERWROTE, _CERTAIN, displaced=fact.displaced))
    if fact.guard is Guard.COMPARE:
        findings.append(secret.found(rows.GUARD_WEAK, _CERTAIN, version=fact.version))
    if fact.pending:
        findings.append(secret.found(rows.ROTATION_PENDING, _CERTAIN, pending=fact.pending))
    if fact.label_left:
        findings += judge_label(fact.label_left, secret_id=secret_id, subject=subject)
    return tuple(findings)


def judge_previous(
    fact: StoredSecret | SecretAbsent | StoreFault, *, secret_id: str, subject: str, region: str = ""
) -> tuple[Finding, ...]:
    """Return what the answer for the version before the current one means; nothing where there is one."""
    if isinstance(fact, StoreFault):
        return judge_store(fact, secret_id=secret_id, subject=subject, region=region)
    if isinstance(fact, StoredSecret):
        return ()
    return (_Secret(secret_id, subject, region).found(rows.NO_PREVIOUS, _CERTAIN),)


def judge_return(current: StoredSecret, before: StoredSecret, *, secret_id: str, subject: str) -> tuple[Finding, ...]:
    """Return the warning that a return leads to a version which is newer than the current one, where times tell."""
    if current.created is None or before.created is None or before.created <= current.created:
        return ()
    return (
        _Secret(secret_id, subject, "").found(
            rows.RETURN_NEWER,
            _CERTAIN,
            current=current.version,
            current_time=f"{current.created:%Y-%m-%d %H:%M:%S} UTC",
            before=before.version,
            before_time=f"{before.created:%Y-%m-%d %H:%M:%S} UTC",
        ),
    )


def judge_refusal(refusal: Refusal, *, secret_id: str, subject: str) -> tuple[Finding, ...]:
    """Return why a stored text takes no keys."""
    names = ", ".join(refusal.keys)
    secret = _Secret(secret_id, subject, "")
    row = _REFUSALS[refusal.reason]
    return (secret.found(row, _CERTAIN, detail=_bounded(refusal.detail), names=_bounded(names), size=refusal.size),)


def judge_readback(
    written: Written,
    found: StoredSecret | SecretAbsent | StoreFault,
    *,
    secret_id: str,
    subject: str,
    endpoint: str = "",
) -> tuple[Finding, ...]:
    """Return what a value means that was not read back as it was written; `endpoint` is where it was written to."""
    secret = _Secret(secret_id, subject, "")
    if isinstance(found, StoreFault):
        said = {"code": found.code, "text": _bounded(found.message)}
        return (secret.found(rows.UNVERIFIED, _CERTAIN, version=written.version, **said),)
    if isinstance(found, SecretAbsent):
        gone = {"code": "no value", "text": "the secret is not there any more"}
        return (secret.found(rows.UNVERIFIED, _CERTAIN, version=written.version, **gone),)
    return (secret.found(rows.VERIFY, _CERTAIN, version=written.version, endpoint=endpoint or "the endpoint"),)


def judge_key_case(
    option: str, key: str, others: Sequence[str], *, secret_id: str, subject: str
) -> tuple[Finding, ...]:
    """Return the warning that keys stand beside ours that differ from it in case alone; `option` names ours."""
    names = _bounded(", ".join(others))
    secret = _Secret(secret_id, subject, "")
    return (secret.found(rows.KEY_CASE, _CERTAIN, names=names, ours=key, option=option, other=others[0]),)


def judge_label(label: str, *, secret_id: str, subject: str) -> tuple[Finding, ...]:
    """Return the notice that a staging label of ours could not be dropped."""
    return (_Secret(secret_id, subject, "").found(rows.LABEL_LEFT, _CERTAIN, label=label),)


def _judge_fault(fault: StoreFault, secret: _Secret) -> Finding:
    if fault.detail.get("outcome") == "unknown":
        return secret.found(rows.OUTCOME_UNKNOWN, _CERTAIN, code=fault.code)
    row = _row_for(fault)
    if row.code in _MAY_BE_REGION:
        misnamed = secret.misnamed()
        if misnamed is not None:
            return misnamed
    denial = _DENIAL.search(fault.message)
    return secret.found(
        row,
        _LIKELY if row is rows.NOT_AWS else _CERTAIN,
        operation=fault.operation,
        code=fault.code or f"HTTP {fault.status}",
        text=_bounded(fault.message) or "no message",
        endpoint=fault.detail.get("endpoint") or "Secrets Manager",
        profile=fault.detail.get("profile") or "default",
        principal=denial["principal"] if denial else "The caller",
        action=denial["action"] if denial else f"secretsmanager:{fault.operation}",
        why=_why(fault.message),
    )


def _row_for(fault: StoreFault) -> Diagnosis:
    """Return the row of a refusal; the message decides where one code has several causes."""
    code, said = fault.code, fault.message.lower()
    if code in ("AccessDeniedException", "AccessDenied"):
        return rows.KMS_DENIED if "kms" in said else rows.ACCESS_DENIED
    if code == "ResourceNotFoundException":
        return rows.NOT_FOUND
    if "replica secret" in said:
        return rows.REPLICA
    if code == "InvalidRequestException" and re.search(
        r"(marked|scheduled) (for deletion|deleted)|marked deleted", said
    ):
        return rows.DELETED
    if code == "InvalidRequestException" and "managed by" in said:
        return rows.MANAGED
    if code in ("InvalidSignatureException", "SignatureDoesNotMatch") and re.search(
        r"signature (expired|not yet current)", said
    ):
        return rows.CLOCK
    if code in _BY_CODE:
        return _BY_CODE[code]
    if code.isdigit() or not code:
        # No error document: a web server, a proxy or a load balancer spoke.
        return rows.NOT_AWS
    return rows.SERVICE if fault.status is not None and fault.status >= 500 else rows.UNKNOWN


def _why(message: str) -> str:
    """Return how AWS gives its reason for a denial, in short where it is one of the two that it knows."""
    if "explicit deny" in message:
        return "a policy denies it outright"
    if re.search(r"because no [\w -]+ policy allows", message):
        return "no policy allows it"
    return _bounded(message).rstrip(".") or "no reason was given"


def _bounded(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
