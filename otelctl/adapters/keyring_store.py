"""A credential in the system's keyring as a store: read, compared, written, read back."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable
from typing import Any

from otelctl.adapters.keychain import SERVICE
from otelctl.facts.store import Guard, SecretAbsent, StoreConflict, StoredSecret, StoreFault, Written
from otelctl.secret import Secret

# Versions are shown, and a plain hash would let anybody try what the entry may be.
_KEY = os.urandom(32)


class KeyringStore:
    """The entry of one profile, the JSON object that `keychain` reads: `ports.SecretStore`.

    A keyring has no conditional write, so that a change by somebody else within the moment between comparing and
    writing is overwritten.
    """

    def __init__(self, profile: str) -> None:
        self._profile = profile

    @property
    def identity(self) -> str:
        """The profile."""
        return self._profile

    def read(self) -> StoredSecret | SecretAbsent | StoreFault:
        """Read the entry."""
        text = _asked("read", lambda keyring: keyring.get_password(SERVICE, self._profile))
        if isinstance(text, StoreFault):
            return text
        if text is None:
            return SecretAbsent(self.identity)
        return StoredSecret(self.identity, Secret(text), _version(text))

    def create(self, text: Secret) -> Written | StoreConflict | StoreFault:
        """Make the entry."""
        return self._write(text, None)

    def replace(self, text: Secret, expected: StoredSecret) -> Written | StoreConflict | StoreFault:
        """Put this entry where it still is what was read."""
        return self._write(text, expected.version)

    def tidy(self) -> str | None:
        """Do nothing: a write leaves nothing beside the entry."""
        return None

    def _write(self, text: Secret, expected: str | None) -> Written | StoreConflict | StoreFault:
        now = self.read()
        if isinstance(now, StoreFault):
            return now
        found = now.version if isinstance(now, StoredSecret) else None
        if found != expected:
            return StoreConflict(self.identity, expected or "", found)
        done = _asked("write", lambda keyring: keyring.set_password(SERVICE, self._profile, text.reveal()))
        return done if isinstance(done, StoreFault) else Written(_version(text.reveal()), Guard.COMPARE)


def _asked(operation: str, ask: Callable[[Any], Any]) -> Any | StoreFault:
    backend = ""
    try:
        import keyring  # noqa: PLC0415  its backends take long to look up

        kind = type(keyring.get_keyring())
        backend = f"{kind.__module__}.{kind.__qualname__}"
        return ask(keyring)
    except Exception as error:  # noqa: BLE001 - a backend is anybody's plug-in, and raises what it likes
        # Its name alone: a message may quote what was written.
        return StoreFault(operation, type(error).__name__, "", detail={"backend": backend})


def _version(text: str) -> str:
    return hmac.new(_KEY, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:16]
