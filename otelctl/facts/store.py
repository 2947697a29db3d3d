"""What a secret store answered. Sizes are in bytes."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from otelctl.secret import Secret

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """A secret as a store holds it: its text (None where it is binary), and the version that was read.

    `identity` is what the store calls it (an ARN, a path); `previous` the version before, where the store keeps one.
    `exposed` names what the store holds unencrypted; `alike` names of what it holds beside the text that differ from
    ours in case alone; `created` is when the version was made, in UTC, where the store tells.
    """

    identity: str
    text: Secret | None
    version: str
    previous: str | None = None
    labels: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class SecretAbsent:
    """The store answered and holds no such value; `empty` where the secret itself exists and waits for its first.

    `alike` names what it holds under names that differ from ours in case alone.
    """

    identity: str
    empty: bool = False
    alike: tuple[str, ...] = ()


class Guard(enum.StrEnum):
    """What keeps a write from overwriting somebody else's: the store's own swap, or a comparison just before."""

    SWAP = "swap"
    COMPARE = "compare"


@dataclass(frozen=True, slots=True)
class Written:
    """A finished write: the version that it made, and how it was guarded.

    `attempts` counts the tries that conflicts cost. `displaced` is the version of somebody else that a write without
    the swap put aside unseen; `label_left` the staging label of ours that could not be dropped; `pending` the version
    that a rotation had prepared before the write.
    """

    version: str
    guard: Guard
    attempts: int = 1
    displaced: str | None = None
    label_left: str | None = None
    pending: str | None = None


@dataclass(frozen=True, slots=True)
class StoreConflict:
    """Somebody else changed the secret between our read and our write; nothing of ours is in it."""

    identity: str
    expected: str
    found: str | None


@dataclass(frozen=True, slots=True)
class StoreFault:
    """A store's refusal: the operation, the service's error code and message (redacted), and the HTTP status.

    `code` is the service's own (`AccessDeniedException`) or a word for what never reached it
    (`NoCredentials`, `NoRegion`, `EndpointConnection`, `ConnectTimeout`, `ProfileNotFound`).
    """

    operation: str
    code: str
    message: str
    status: int | None = None
    detail: dict[str, str] = field(default_factory=dict)


class RefusalReason(enum.StrEnum):
    """Why a stored text cannot take our keys without losing something."""

    BINARY = "binary"
    NOT_JSON = "not_json"
    NOT_OBJECT = "not_object"
    DUPLICATE_KEYS = "duplicate_keys"
    TOO_DEEP = "too_deep"
    TOO_LARGE = "too_large"
    UNWRITABLE = "unwritable"
    SYNTAX = "syntax"
    NOT_YAML = "not_yaml"
    NO_MANIFEST = "no_manifest"
    SEVERAL_MANIFESTS = "several_manifests"
    IMMUTABLE = "immutable"
    ENCRYPTED = "encrypted"
    ALIAS = "alias"
    NO_PAIR = "no_pair"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A stored text that is left alone.

    `detail` says where or what, never a value; `keys` are the names that it is about (of keys, of manifests); `size` is
    in bytes of UTF-8.
    """

    reason: RefusalReason
    detail: str = ""
    keys: tuple[str, ...] = ()
    size: int = 0
