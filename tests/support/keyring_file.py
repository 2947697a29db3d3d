"""A keyring in a file, for programs that PYTHON_KEYRING_BACKEND leads here; OTELCTL_TEST_KEYRING names the file."""

from __future__ import annotations

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordSetError

BACKEND = "tests.support.keyring_file.FileKeyring"


class FileKeyring(KeyringBackend):
    """Entries as a JSON object; locked where the file says `locked`, and full where its mode forbids writing."""

    # Below the backend that only fails, so that nobody gets this one who has not asked for it by name.
    priority = -1

    def get_password(self, service: str, username: str) -> str | None:
        """Return an entry."""
        return self._entries().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep an entry."""
        if len(password) > 2000:
            raise PasswordSetError(f"cannot keep {password}")
        entries = {**self._entries(), f"{service}/{username}": password}
        self._path.write_text(json.dumps(entries))

    @property
    def _path(self) -> Path:
        return Path(os.environ["OTELCTL_TEST_KEYRING"])

    def _entries(self) -> dict[str, str]:
        text = self._path.read_text() if self._path.exists() else "{}"
        if text == "locked":
            raise KeyringLocked("locked")
        entries: dict[str, str] = json.loads(text)
        return entries
