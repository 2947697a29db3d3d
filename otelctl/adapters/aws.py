"""A secret in AWS Secrets Manager, changed only where nobody else has changed it in between.

The service has no conditional write, but moving a staging label is one: UpdateSecretVersionStage with
RemoveFromVersionId fails when AWSCURRENT has left that version (API reference). So a write is

1. our label onto the version that was read, which also shows whether we may move labels at all,
2. PutSecretValue under our label: the new version exists, and nobody reads it yet,
3. UpdateSecretVersionStage: AWSCURRENT from the version that was read to the new one, or a conflict,
4. our label dropped.

Whatever a server answers to 3 is settled by reading AWSCURRENT again, not by the error code. A process that dies
between two steps leaves the old value or the new one, whole, and at most our label, which the next run takes over.
Where step 1 is denied, the write falls back to read, compare, put.

The ClientRequestToken becomes the version's ID. It is an HMAC of base and content under a key of this process: a
call repeated after a lost answer makes no second version, and the ID, which CloudTrail logs, tells nothing.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import os
import uuid
from datetime import UTC
from typing import Any

from otelctl.adapters import boto
from otelctl.facts.store import Guard, SecretAbsent, StoreConflict, StoredSecret, StoreFault, Written
from otelctl.secret import Secret

LABEL = "OTELCTL"
"""Our staging label. One name for all runs, so that each run finds what a killed one left."""

_SERVICE = "secretsmanager"

_DENIED = {"AccessDeniedException", "AccessDenied"}
_NOT_THERE = {"InvalidParameterException", "InvalidRequestException", "ResourceNotFoundException"}


class _Denied:
    """The answer that moving staging labels is not allowed."""


class AwsStore:
    """One secret of AWS Secrets Manager, by name or ARN: `ports.RevertibleStore`.

    Credentials, profile, region and endpoint (`AWS_ENDPOINT_URL`) are found by botocore's own means; `profile` and
    `region` override the first two. `timeout` bounds connecting and each read, in seconds. A call that failed for
    the network, a throttle or the server is tried four times at most, with botocore's jitter between. Importing
    this module imports botocore, which takes 70 ms: do it where it is used.
    """

    def __init__(
        self,
        secret_id: str,
        profile: str | None = None,
        region: str | None = None,
        timeout: float = 10.0,
        kms: str | None = None,
    ) -> None:
        self._secret_id = secret_id
        self._encrypted = {"KmsKeyId": kms} if kms else {}
        self._aws = boto.Caller(profile, region, timeout)
        self._key = os.urandom(32)

    @property
    def identity(self) -> str:
        """The secret as the user named it."""
        return self._secret_id

    @property
    def region(self) -> str:
        """The region in use, once something was asked; before that, and where there is none, an empty text."""
        return self._aws.where(_SERVICE).get("region", "")

    @property
    def endpoint(self) -> str:
        """The endpoint's URL in use, without a user or a password; empty as `region` is."""
        return self._aws.where(_SERVICE).get("endpoint", "")

    def read(self) -> StoredSecret | SecretAbsent | StoreFault:
        """Read the version under AWSCURRENT."""
        return self._read("AWSCURRENT")

    def read_previous(self) -> StoredSecret | SecretAbsent | StoreFault:
        """Read the version under AWSPREVIOUS."""
        return self._read("AWSPREVIOUS")

    def create(self, text: Secret) -> Written | StoreConflict | StoreFault:
        """Make the secret, or give its first value to one that has none."""
        now = self.read()
        if isinstance(now, StoreFault):
            return now
        if isinstance(now, StoredSecret):
            return StoreConflict(self.identity, "", now.version)
        token = self._token("create", text)
        if now.empty:
            return self._first_value(text, token)
        answer = self._call(
            "create_secret",
            text,
            Name=self._secret_id,
            SecretString=text.reveal(),
            ClientRequestToken=token,
            **self._encrypted,
        )
        if not isinstance(answer, StoreFault):
            return Written(token, Guard.SWAP)
        if answer.code == "ResourceExistsException" or _may_be_done(answer):
            # It may be ours: the answer to the first try can have got lost.
            now = self.read()
            if isinstance(now, StoreFault):
                return _unknown(answer)
            if isinstance(now, StoredSecret):
                return (
                    Written(token, Guard.SWAP)
                    if now.version == token
                    else StoreConflict(self.identity, "", now.version)
                )
        return answer

    def replace(self, text: Secret, expected: StoredSecret) -> Written | StoreConflict | StoreFault:
        """Put this value where `expected` still is current, by the swap, or by comparing where that is denied."""
        pending = self._pending(expected)
        held: list[str] = []
        try:
            outcome = self._staged_swap(text, expected, held)
            left = self._drop(held)
        except BaseException:
            # Ctrl-C too must leave no label; a second one gets through.
            self._drop(held)
            raise
        if isinstance(outcome, _Denied):
            outcome = self._compare_and_put(text, expected)
        if isinstance(outcome, Written):
            outcome = dataclasses.replace(outcome, label_left=LABEL if left else None, pending=pending)
        return outcome

    def restore(self, previous: StoredSecret, expected: StoredSecret) -> Written | StoreConflict | StoreFault:
        """Move AWSCURRENT from `expected` back to `previous`; where that is denied, put its text as a new version."""
        pending = self._pending(expected)
        outcome = self._swap(previous.version, expected)
        if isinstance(outcome, _Denied):
            if previous.text is None:
                said = "a binary value can only be restored by its label"
                return StoreFault("UpdateSecretVersionStage", "AccessDeniedException", said)
            outcome = self._compare_and_put(previous.text, expected)
        return dataclasses.replace(outcome, pending=pending) if isinstance(outcome, Written) else outcome

    def tidy(self) -> str | None:
        """Drop our label where a killed run left it; return it where that failed."""
        stale = self._read(LABEL)
        if isinstance(stale, StoredSecret) and self._drop([stale.version]):
            return LABEL
        return None

    def _read(self, stage: str) -> StoredSecret | SecretAbsent | StoreFault:
        answer = self._call("get_secret_value", None, SecretId=self._secret_id, VersionStage=stage)
        if isinstance(answer, StoreFault):
            if answer.code == "ResourceNotFoundException":
                # "… can't find the specified secret value for staging label: …", against "… the specified secret."
                return SecretAbsent(self._secret_id, empty="staging label" in answer.message)
            return answer
        text, created = answer.get("SecretString"), answer.get("CreatedDate")
        return StoredSecret(
            identity=str(answer.get("ARN") or self._secret_id),
            text=Secret(text) if isinstance(text, str) else None,
            version=answer["VersionId"],
            labels=tuple(answer.get("VersionStages") or ()),
            created=created.astimezone(UTC) if created else None,
        )

    def _pending(self, expected: StoredSecret) -> str | None:
        """Return the version that a rotation has prepared to take the place of the current one, as far as it shows."""
        if "AWSPENDING" in expected.labels:
            return None
        pending = self._read("AWSPENDING")
        return pending.version if isinstance(pending, StoredSecret) and pending.version != expected.version else None

    def _staged_swap(
        self, text: Secret, expected: StoredSecret, held: list[str]
    ) -> Written | StoreConflict | StoreFault | _Denied:
        """Do steps 1 to 3; `held` names the versions on which our label may sit when this ends, however it ends."""
        held.append(expected.version)
        if LABEL in expected.labels:
            claim = self._move(LABEL, remove_from=expected.version)
        else:
            claim = self._move(LABEL, move_to=expected.version)
        version = None
        if isinstance(claim, StoreFault):
            if claim.code in _DENIED:
                held.clear()
                return _Denied()
            if claim.code not in _NOT_THERE:
                return claim
            # The label sits on another version: a killed run's, or that of somebody who writes right now. If it
            # holds the very text, it is a run of ours whose answer got lost, and needs no second version.
            stale = self._read(LABEL)
            if isinstance(stale, StoredSecret):
                held.append(stale.version)
                version = stale.version if stale.text == text else None
        if version is None:
            version = self._token(expected.version, text)
            held.insert(0, version)
            put = self._put(text, version, VersionStages=[LABEL])
            if isinstance(put, StoreFault):
                return put
        return self._swap(version, expected)

    def _swap(self, version: str, expected: StoredSecret) -> Written | StoreConflict | StoreFault | _Denied:
        """Move AWSCURRENT from `expected` to `version`; what became of it is read, not guessed from the code."""
        answer = self._move("AWSCURRENT", move_to=version, remove_from=expected.version)
        if not isinstance(answer, StoreFault):
            return Written(version, Guard.SWAP)
        if answer.code in _DENIED:
            return _Denied()
        now = self.read()
        if isinstance(now, StoreFault):
            return _unknown(answer)
        found = now.version if isinstance(now, StoredSecret) else None
        if found == version:
            return Written(version, Guard.SWAP)
        return answer if found == expected.version else StoreConflict(self.identity, expected.version, found)

    def _compare_and_put(self, text: Secret, expected: StoredSecret) -> Written | StoreConflict | StoreFault:
        """Write without the swap: compare just before, and look afterwards at what was put aside."""
        former = self.read_previous()
        now = self.read()
        if isinstance(now, StoreFault):
            return now
        if isinstance(now, SecretAbsent) or now.version != expected.version:
            found = now.version if isinstance(now, StoredSecret) else None
            return StoreConflict(self.identity, expected.version, found)
        # Not the token of the staged write: the service ignores a token that it has seen, and would move nothing.
        token = self._token(f"{expected.version} compare", text)
        put = self._put(text, token)
        previous = self.read_previous()
        now = self.read()
        current = now.version if isinstance(now, StoredSecret) else None
        if isinstance(put, StoreFault) and current != token:
            return _unknown(put) if isinstance(now, StoreFault) and _may_be_done(put) else put
        # What was aside before is nobody's new write: labels too take a moment to become visible.
        known = (expected.version, former.version if isinstance(former, StoredSecret) else None)
        aside = previous.version if isinstance(previous, StoredSecret) else None
        displaced = aside if current == token and aside not in known else None
        return Written(token, Guard.COMPARE, displaced=displaced)

    def _first_value(self, text: Secret, token: str) -> Written | StoreConflict | StoreFault:
        """Give an empty secret its value: the service makes the first version AWSCURRENT, and only the first."""
        try:
            put = self._put(text, token, VersionStages=[LABEL])
            now = self.read()
            left = self._drop([token])
        except BaseException:
            # As in `replace`.
            self._drop([token])
            raise
        if isinstance(now, StoredSecret):
            if now.version == token:
                return Written(token, Guard.SWAP, label_left=LABEL if left else None)
            return StoreConflict(self.identity, "", now.version)
        if isinstance(put, StoreFault):
            return _unknown(put) if isinstance(now, StoreFault) and _may_be_done(put) else put
        return now if isinstance(now, StoreFault) else StoreConflict(self.identity, "", None)

    def _put(self, text: Secret, token: str, **stages: list[str]) -> dict[str, Any] | StoreFault:
        """Make a version: under `VersionStages` where it is given, else as AWSCURRENT at once."""
        value = {"SecretString": text.reveal(), "ClientRequestToken": token}
        return self._call("put_secret_value", text, SecretId=self._secret_id, **value, **stages)

    def _move(
        self, label: str, move_to: str | None = None, remove_from: str | None = None
    ) -> dict[str, Any] | StoreFault:
        params = {"SecretId": self._secret_id, "VersionStage": label}
        if move_to is not None:
            params["MoveToVersionId"] = move_to
        if remove_from is not None:
            params["RemoveFromVersionId"] = remove_from
        return self._call("update_secret_version_stage", None, **params)

    def _drop(self, versions: list[str]) -> bool:
        """Drop our label from the first of these versions that has it; return True where it may still be there."""
        left = False
        for version in versions:
            answer = self._move(LABEL, remove_from=version)
            if not isinstance(answer, StoreFault):
                return False
            left = left or answer.code not in _NOT_THERE
        return left

    def _token(self, base: str, text: Secret) -> str:
        digest = hmac.new(self._key, f"{base}\0{text.reveal()}".encode("utf-8", "surrogatepass"), hashlib.sha256)
        return str(uuid.UUID(bytes=digest.digest()[:16], version=4))

    def _call(self, method: str, text: Secret | None, **params: object) -> dict[str, Any] | StoreFault:
        """Call one operation. `text` is what goes out, so that no message brings it back."""
        answer = self._aws.call(_SERVICE, method, "", text, **params)
        if isinstance(answer, StoreFault) or "ARN" in answer:
            return answer
        # 200 with something else in it: whatever stands at this endpoint, it is not Secrets Manager.
        operation = "".join(word.capitalize() for word in method.split("_"))
        where = self._aws.where(_SERVICE)
        return StoreFault(operation, "NotSecretsManager", "the answer holds no ARN", boto.status(answer), where)


def _may_be_done(fault: StoreFault) -> bool:
    """Tell whether a call may have been done all the same: no answer came, or one of a server that failed."""
    return fault.status is None or fault.status >= 500


def _unknown(fault: StoreFault) -> StoreFault:
    """Return a fault of a write which is not known to have failed."""
    return dataclasses.replace(fault, detail={**fault.detail, "outcome": "unknown"})
