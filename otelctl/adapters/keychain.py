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
    try:
        import keyring  # noqa: PLC0415  its backends take long to look up, and a wrong one fails right here

        text = keyring.get_password(SERVICE, profile)
    except Exception as error:  # noqa: BLE001 - a backend is anybody's plug-in, and raises what it likes
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
    text = json.dumps(
        {"instance_id": entry.instance_id.reveal(), "token": entry.token.reveal(), "endpoint": entry.endpoint}
    )
    try:
        import keyring  # noqa: PLC0415  as above

        keyring.set_password(SERVICE, profile, text)
    except Exception as error:  # noqa: BLE001 - as above
        return KeyringFault(_reason(error))
    return None


def _reason(error: Exception) -> str:
    if type(error).__name__ == "NoKeyringError":
        return "this machine has no keyring (no desktop session and no other backend)"
    return f"{type(error).__name__}"
