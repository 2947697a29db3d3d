"""Keeps a credential in the system's keyring, by the keyring library."""

from __future__ import annotations

import json
from dataclasses import dataclass

from otelctl.secret import Secret

SERVICE = "otelctl"


@dataclass(frozen=True, slots=True)
class Entry:
    """What is kept under one profile."""

    instance_id: Secret
    token: Secret
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class KeyringFault:
    """Why the keyring did not answer: no backend (as on a headless machine), locked, or refused."""

    reason: str


def load(profile: str) -> Entry | KeyringFault | None:
    """Return the entry of a profile, None where there is none."""
    import keyring  # noqa: PLC0415  its backends take long to look up
    from keyring.errors import KeyringError  # noqa: PLC0415

    try:
        text = keyring.get_password(SERVICE, profile)
    except (KeyringError, OSError, RuntimeError) as error:
        return KeyringFault(_reason(error))
    if text is None:
        return None
    try:
        stored = json.loads(text)
        return Entry(Secret(stored["instance_id"]), Secret(stored["token"]), str(stored.get("endpoint", "")))
    except (ValueError, KeyError, TypeError, AttributeError):
        return KeyringFault("the entry is not one that otelctl wrote")


def save(profile: str, entry: Entry) -> KeyringFault | None:
    """Keep an entry under a profile, in place of the one before."""
    import keyring  # noqa: PLC0415  as above
    from keyring.errors import KeyringError  # noqa: PLC0415

    text = json.dumps(
        {"instance_id": entry.instance_id.reveal(), "token": entry.token.reveal(), "endpoint": entry.endpoint}
    )
    try:
        keyring.set_password(SERVICE, profile, text)
    except (KeyringError, OSError, RuntimeError) as error:
        return KeyringFault(_reason(error))
    return None


def _reason(error: Exception) -> str:
    if type(error).__name__ == "NoKeyringError":
        return "this machine has no keyring (no desktop session and no other backend)"
    return f"{type(error).__name__}"
