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
import json
import os
import uuid
from typing import Any
from urllib.parse import urlsplit

import boto3.session
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from otelctl.facts import Guard, SecretAbsent, StoreConflict, StoredSecret, StoreFault, Written
from otelctl.secret import MASK, Secret

LABEL = "OTELCTL"
"""Our staging label. One name for all runs, so that each run finds what a killed one left."""

_TRIES = 4
_LONGEST_MESSAGE = 600
_SHARED = 12
"""A run of this many characters that a message shares with a secret can only come from it."""

_DENIED = {"AccessDeniedException", "AccessDenied"}
_NOT_THERE = {"InvalidParameterException", "InvalidRequestException", "ResourceNotFoundException"}

# botocore's exceptions, most special first: the word that a StoreFault carries for what no service said.
_WORDS = {
    "NoCredentialsError": "NoCredentials",
    "PartialCredentialsError": "PartialCredentials",
    "CredentialRetrievalError": "CredentialRetrieval",
    "UnknownCredentialError": "Config",
    "RefreshWithMFAUnsupportedError": "CredentialRetrieval",
    "SSOError": "SsoToken",
    "LoginError": "SsoToken",
    "TokenRetrievalError": "SsoToken",
    "NoAuthTokenError": "SsoToken",
    "MissingDependencyException": "MissingDependency",
    "NoRegionError": "NoRegion",
    "InvalidRegionError": "InvalidRegion",
    "ProfileNotFound": "ProfileNotFound",
    "ConfigParseError": "Config",
    "ConfigNotFound": "Config",
    "InvalidConfigError": "Config",
    "InvalidRetryConfigurationError": "Config",
    "ConnectTimeoutError": "ConnectTimeout",
    "ReadTimeoutError": "ReadTimeout",
    "ConnectionClosedError": "ConnectionClosed",
    "ProxyConnectionError": "ProxyConnection",
    "SSLError": "Tls",
    "EndpointConnectionError": "EndpointConnection",
    "HTTPClientError": "EndpointConnection",
    "ParamValidationError": "ParamValidation",
    "ResponseParserError": "NotSecretsManager",
}


class _Denied:
    """The answer that moving staging labels is not allowed."""


class AwsStore:
    """One secret of AWS Secrets Manager, by name or ARN: `ports.RevertibleStore`.

    Credentials, profile, region and endpoint (`AWS_ENDPOINT_URL`) are found by boto3's own means; `profile` and
    `region` override the first two. `timeout` bounds connecting and each read, in seconds. A call that failed for
    the network, a throttle or the server is tried four times at most, with botocore's jitter between. Importing
    this module imports boto3, which takes a tenth of a second: do it where it is used.
    """

    def __init__(
        self, secret_id: str, profile: str | None = None, region: str | None = None, timeout: float = 10.0
    ) -> None:
        self._secret_id = secret_id
        self._profile = profile
        self._region = region
        self._timeout = timeout
        self._key = os.urandom(32)
        self._client: BaseClient | None = None

    @property
    def identity(self) -> str:
        """The secret as the user named it."""
        return self._secret_id

    @property
    def region(self) -> str:
        """The region in use, once something was asked; before that, and where there is none, an empty text."""
        return self._where().get("region", "")

    @property
    def endpoint(self) -> str:
        """The endpoint's URL in use, without a user or a password; empty as `region` is."""
        return self._where().get("endpoint", "")

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
            "create_secret", text, Name=self._secret_id, SecretString=text.reveal(), ClientRequestToken=token
        )
        if not isinstance(answer, StoreFault):
            return Written(token, Guard.SWAP)
        if answer.code == "ResourceExistsException" or answer.status is None or answer.status >= 500:
            # It may be ours: the answer to the first try can have got lost.
            now = self.read()
            if isinstance(now, StoredSecret):
                return (
                    Written(token, Guard.SWAP)
                    if now.version == token
                    else StoreConflict(self.identity, "", now.version)
                )
        return answer

    def replace(self, text: Secret, expected: StoredSecret) -> Written | StoreConflict | StoreFault:
        """Put this value where `expected` still is current, by the swap, or by comparing where that is denied."""
        held: list[str] = []
        try:
            outcome = self._staged_swap(text, expected, held)
        except BaseException:
            # Ctrl-C too must leave no label; a second one gets through.
            self._drop(held)
            raise
        left = self._drop(held)
        if isinstance(outcome, _Denied):
            outcome = self._compare_and_put(text, expected)
        if isinstance(outcome, Written) and left:
            outcome = dataclasses.replace(outcome, label_left=LABEL)
        return outcome

    def restore(self, previous: StoredSecret, expected: StoredSecret) -> Written | StoreConflict | StoreFault:
        """Move AWSCURRENT from `expected` back to `previous`; where that is denied, put its text as a new version."""
        outcome = self._swap(previous.version, expected)
        if not isinstance(outcome, _Denied):
            return outcome
        if previous.text is None:
            return StoreFault(
                "UpdateSecretVersionStage", "AccessDeniedException", "a binary value can only be restored by its label"
            )
        return self._compare_and_put(previous.text, expected)

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
        text = answer.get("SecretString")
        return StoredSecret(
            identity=str(answer.get("ARN") or self._secret_id),
            text=Secret(text) if isinstance(text, str) else None,
            version=answer["VersionId"],
            labels=tuple(answer.get("VersionStages") or ()),
        )

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
            put = self._call(
                "put_secret_value",
                text,
                SecretId=self._secret_id,
                SecretString=text.reveal(),
                ClientRequestToken=version,
                VersionStages=[LABEL],
            )
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
            return dataclasses.replace(answer, detail={**answer.detail, "outcome": "unknown"})
        found = now.version if isinstance(now, StoredSecret) else None
        if found == version:
            return Written(version, Guard.SWAP)
        return answer if found == expected.version else StoreConflict(self.identity, expected.version, found)

    def _compare_and_put(self, text: Secret, expected: StoredSecret) -> Written | StoreConflict | StoreFault:
        """Write without the swap: compare just before, and look afterwards at what was put aside."""
        now = self.read()
        if isinstance(now, StoreFault):
            return now
        if isinstance(now, SecretAbsent) or now.version != expected.version:
            found = now.version if isinstance(now, StoredSecret) else None
            return StoreConflict(self.identity, expected.version, found)
        # Not the token of the staged write: the service ignores a token that it has seen, and would move nothing.
        token = self._token(f"{expected.version} compare", text)
        put = self._call(
            "put_secret_value",
            text,
            SecretId=self._secret_id,
            SecretString=text.reveal(),
            ClientRequestToken=token,
        )
        previous = self.read_previous()
        now = self.read()
        current = now.version if isinstance(now, StoredSecret) else None
        if isinstance(put, StoreFault) and current != token:
            return put
        aside = previous.version if isinstance(previous, StoredSecret) else expected.version
        displaced = aside if current == token and aside != expected.version else None
        return Written(token, Guard.COMPARE, displaced=displaced)

    def _first_value(self, text: Secret, token: str) -> Written | StoreConflict | StoreFault:
        """Give an empty secret its value: the service makes the first version AWSCURRENT, and only the first."""
        put = self._call(
            "put_secret_value",
            text,
            SecretId=self._secret_id,
            SecretString=text.reveal(),
            ClientRequestToken=token,
            VersionStages=[LABEL],
        )
        now = self.read()
        left = self._drop([token])
        if isinstance(now, StoredSecret):
            if now.version == token:
                return Written(token, Guard.SWAP, label_left=LABEL if left else None)
            return StoreConflict(self.identity, "", now.version)
        if isinstance(put, StoreFault):
            return put
        return now if isinstance(now, StoreFault) else StoreConflict(self.identity, "", None)

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

    def _open(self) -> BaseClient:
        if self._client is None:
            session = boto3.session.Session(profile_name=self._profile, region_name=self._region)
            self._client = session.client(
                "secretsmanager",
                config=Config(
                    connect_timeout=self._timeout,
                    read_timeout=self._timeout,
                    retries={"mode": "standard", "total_max_attempts": _TRIES},
                ),
            )
        return self._client

    def _call(self, method: str, text: Secret | None, **params: object) -> dict[str, Any] | StoreFault:
        """Call one operation. `text` is what goes out, so that no message brings it back."""
        operation = "".join(word.capitalize() for word in method.split("_"))
        try:
            answer: dict[str, Any] = getattr(self._open(), method)(**params)
        except ClientError as error:
            said = error.response.get("Error", {})
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            return StoreFault(
                operation=error.operation_name,
                code=_clean(str(said.get("Code", "")), None)[:80],
                message=_clean(str(said.get("Message", "")), text),
                status=status,
                detail=self._where(),
            )
        except (BotoCoreError, ResponseParserError) as error:
            names = [kind.__name__ for kind in type(error).__mro__]
            code = next((_WORDS[name] for name in names if name in _WORDS), names[0])
            return StoreFault(operation, code, _clean(str(error), text), detail=self._where())
        except ValueError as error:
            # botocore checks AWS_ENDPOINT_URL with a bare ValueError.
            return StoreFault(operation, "InvalidEndpoint", _clean(str(error), text), detail=self._where())
        if "ARN" not in answer:
            # 200 with something else in it: whatever stands at this endpoint, it is not Secrets Manager.
            status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
            return StoreFault(operation, "NotSecretsManager", "the answer holds no ARN", status, self._where())
        return answer

    def _where(self) -> dict[str, str]:
        """Return the region, endpoint and profile in use, as far as they are known."""
        detail = {}
        if self._client is not None:
            detail["region"] = self._client.meta.region_name or ""
            parts = urlsplit(self._client.meta.endpoint_url)
            # Without user and password, which a URL from the environment may carry.
            detail["endpoint"] = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        profile = self._profile or os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE")
        if profile:
            detail["profile"] = profile
        return detail


def _clean(message: str, text: Secret | None) -> str:
    """Return a message on one line, bounded, and without any run that it shares with the secret sent."""
    message = " ".join("".join(char if char.isprintable() else " " for char in message).split())[:_LONGEST_MESSAGE]
    if text is None:
        return message
    plain = text.reveal()
    haystack = f"{plain}\0{json.dumps(plain)}"
    shared = bytearray(len(message))
    for start in range(len(message) - _SHARED + 1):
        if message[start : start + _SHARED] in haystack:
            shared[start : start + _SHARED] = b"\1" * _SHARED
    out: list[str] = []
    for char, masked in zip(message, shared, strict=True):
        if not masked:
            out.append(char)
        elif not out or out[-1] != MASK:
            out.append(MASK)
    return "".join(out)
