"""Two parameters of AWS Systems Manager as one store: a JSON object of what lies under the names.

Parameter Store has no conditional write and nothing that spans two parameters. So a write compares the versions just
before, puts only what changes, one parameter after the other, and tells by the version that comes back whether somebody
was between (API reference: PutParameter). A parameter that was not there is made by a call that fails where it is.

What an overwrite would reset (KMS key, tier, allowed pattern, description) is read first and given again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from otelctl.adapters import boto
from otelctl.facts.store import Guard, SecretAbsent, StoreConflict, StoredSecret, StoreFault, Written
from otelctl.secret import Secret

_SERVICE = "ssm"
_SECURE = "SecureString"
_PAGES = 50
"""So many pages of descriptions are read for one name."""

_KEPT = ("KeyId", "Tier", "AllowedPattern", "Description", "DataType")


class SsmStore:
    """The parameters `PREFIX/KEY`, for each of some keys: `ports.SecretStore`.

    Its text is a JSON object of those that exist, in the order of the keys; its version is made of theirs, with 0 for
    one that does not.
    Credentials and the rest are found as by `AwsStore`. Importing this module imports botocore.
    """

    def __init__(
        self,
        prefix: str,
        keys: Sequence[str],
        *,
        profile: str | None = None,
        region: str | None = None,
        timeout: float = 10.0,
        kms: str | None = None,
    ) -> None:
        self._prefix = prefix
        self._encrypted = {"KeyId": kms} if kms else {}
        # A name of several parts begins with a slash, or AWS refuses it.
        self._names = {key: f"/{prefix.strip('/')}/{key}" for key in keys}
        self._aws = boto.Caller(profile, region, timeout)
        self._alike: tuple[str, ...] | None = None

    @property
    def identity(self) -> str:
        """The prefix as the user named it."""
        return self._prefix

    @property
    def region(self) -> str:
        """The region in use, once something was asked; before that, and where there is none, an empty text."""
        return self._aws.where(_SERVICE).get("region", "")

    def read(self) -> StoredSecret | SecretAbsent | StoreFault:
        """Read what there is of the parameters."""
        answer = self._call("get_parameters", None, Names=list(self._names.values()), WithDecryption=True)
        if isinstance(answer, StoreFault):
            return answer
        found = {str(one["Name"]): one for one in answer["Parameters"]}
        alike = self._names_alike()
        if not found:
            return SecretAbsent(self.identity, alike=alike)
        held = {key: found[name] for key, name in self._names.items() if name in found}
        return StoredSecret(
            self.identity,
            Secret(json.dumps({key: one["Value"] for key, one in held.items()})),
            ".".join(str(held[key]["Version"]) if key in held else "0" for key in self._names),
            exposed=tuple(self._names[key] for key, one in held.items() if one["Type"] != _SECURE),
            alike=alike,
        )

    def create(self, text: Secret) -> Written | StoreConflict | StoreFault:
        """Make the parameters."""
        return self._write(text, "{}", ["0"] * len(self._names))

    def replace(self, text: Secret, expected: StoredSecret) -> Written | StoreConflict | StoreFault:
        """Write the parameters that change where all versions still are those that were read."""
        now = self.read()
        if isinstance(now, StoreFault):
            return now
        found = now.version if isinstance(now, StoredSecret) else None
        if found != expected.version or expected.text is None:
            return StoreConflict(self.identity, expected.version, found)
        return self._write(text, expected.text.reveal(), expected.version.split("."))

    def tidy(self) -> str | None:
        """Do nothing: a write leaves nothing beside the parameters."""
        return None

    def _names_alike(self) -> tuple[str, ...]:
        """Return the keys in capitals or without them that are there as well; none where that may not be asked.

        Asked once, and apart from the rest: a policy may allow our names and no others.
        """
        if self._alike is None:
            names = {
                f"/{self._prefix.strip('/')}/{cased}": cased
                for key in self._names
                for cased in {key.upper(), key.lower()} - set(self._names)
            }
            answer = self._call("get_parameters", None, Names=sorted(names)) if names else {"Parameters": []}
            held = [] if isinstance(answer, StoreFault) else [str(one["Name"]) for one in answer["Parameters"]]
            self._alike = tuple(names[name] for name in held if name in names)
        return self._alike

    def _write(self, text: Secret, before: str, versions: list[str]) -> Written | StoreConflict | StoreFault:
        wanted, held = json.loads(text.reveal()), json.loads(before)
        now = [int(version) for version in versions]
        written: list[str] = []
        displaced = None
        for place, (key, name) in enumerate(self._names.items()):
            if key not in wanted or wanted[key] == held.get(key):
                continue
            put = self._put(name, wanted[key], text, exists=key in held)
            if isinstance(put, StoreFault):
                if put.code == "ParameterAlreadyExists":
                    return StoreConflict(self.identity, ".".join(versions), None)
                return StoreFault(
                    put.operation, put.code, put.message, put.status, {**put.detail, "written": " ".join(written)}
                )
            version = int(put["Version"])
            written.append(name)
            if version > now[place] + 1 and not self._is_ours(name, version - 1, wanted[key]):
                displaced = f"{name}:{version - 1}"
            now[place] = version
        return Written(".".join(map(str, now)), Guard.COMPARE, displaced=displaced)

    def _put(self, name: str, value: str, text: Secret, *, exists: bool) -> dict[str, Any] | StoreFault:
        params: dict[str, object] = {"Name": name, "Value": value, "Overwrite": exists}
        if not exists:
            return self._call("put_parameter", text, **params, **self._encrypted, Type=_SECURE)
        about = self._describe(name)
        if isinstance(about, StoreFault):
            return about
        params |= {field: about[field] for field in _KEPT if about.get(field)}
        return self._call("put_parameter", text, **params)

    def _describe(self, name: str) -> dict[str, Any] | StoreFault:
        """Describe a parameter; a fault where no page does, for a write would then reset what it does not know."""
        more: dict[str, str] = {}
        for _ in range(_PAGES):
            page = self._call(
                "describe_parameters",
                None,
                ParameterFilters=[{"Key": "Name", "Option": "Equals", "Values": [name]}],
                **more,
            )
            if isinstance(page, StoreFault):
                return page
            for one in page["Parameters"]:
                if one.get("Name") == name:
                    return dict(one)
            # A page may be empty and not the last.
            if not page.get("NextToken"):
                break
            more = {"NextToken": page["NextToken"]}
        said = "it is not described, so that its KMS key and tier are not known; it was not written"
        return StoreFault("DescribeParameters", "NotDescribed", said, detail=self._aws.where(_SERVICE))

    def _is_ours(self, name: str, version: int, value: str) -> bool:
        """Tell whether a version holds our value: then it is our own call, repeated after a lost answer."""
        answer = self._call("get_parameters", None, Names=[f"{name}:{version}"], WithDecryption=True)
        return not isinstance(answer, StoreFault) and any(one["Value"] == value for one in answer["Parameters"])

    def _call(self, method: str, text: Secret | None, **params: object) -> dict[str, Any] | StoreFault:
        """Call one operation. `text` is what goes out, so that no message brings it back."""
        answer = self._aws.call(_SERVICE, method, "", text, **params)
        if isinstance(answer, StoreFault) or "Parameters" in answer or "Version" in answer:
            return answer
        # 200 with something else in it: whatever stands at this endpoint, it is not Parameter Store.
        operation = "".join(word.capitalize() for word in method.split("_"))
        where = self._aws.where(_SERVICE)
        return StoreFault(operation, "NotParameterStore", "the answer holds no parameter", boto.status(answer), where)
