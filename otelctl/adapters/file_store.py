"""A secret in a file of this machine, for the rehearsal that needs no cloud. A version is the hash of the content."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

from otelctl.facts import Guard, SecretAbsent, StoreConflict, StoredSecret, StoreFault, Written
from otelctl.secret import Secret

if sys.platform != "win32":
    import fcntl

_LEFTOVER = ".otelctl-new"


class FileStore:
    """One file that holds one value: `ports.SecretStore`.

    A write goes to a new file of mode 0600 beside it, to the disk, and then over the old one, under a lock on the
    directory where the system has such locks; a reader sees the old value or the new one, whole.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def identity(self) -> str:
        """The path."""
        return str(self._path)

    def read(self) -> StoredSecret | SecretAbsent | StoreFault:
        """Read the file; what is no UTF-8 is binary."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return SecretAbsent(self.identity)
        except OSError as error:
            return _fault("read", error)
        try:
            text = Secret(content.decode())
        except UnicodeDecodeError:
            text = None
        return StoredSecret(self.identity, text, _version(content))

    def create(self, text: Secret) -> Written | StoreConflict | StoreFault:
        """Make the file."""
        return self._write(text, None)

    def replace(self, text: Secret, expected: StoredSecret) -> Written | StoreConflict | StoreFault:
        """Put this value where the file still is what was read."""
        return self._write(text, expected.version)

    def tidy(self) -> str | None:
        """Remove the new files of writes that were killed."""
        try:
            with self._locked():
                return self._sweep()
        except OSError:
            return _LEFTOVER

    def _write(self, text: Secret, expected: str | None) -> Written | StoreConflict | StoreFault:
        try:
            with self._locked():
                self._sweep()
                now = self.read()
                if isinstance(now, StoreFault):
                    return now
                found = now.version if isinstance(now, StoredSecret) else None
                if found != expected:
                    return StoreConflict(self.identity, expected or "", found)
                content = text.reveal().encode("utf-8", "surrogatepass")
                self._put(content)
        except OSError as error:
            return _fault("write", error)
        return Written(_version(content), Guard.SWAP)

    def _put(self, content: bytes) -> None:
        new = self._path.with_name(f".{self._path.name}.{secrets.token_hex(8)}{_LEFTOVER}")
        try:
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
        # The rename itself reaches the disk with its directory; Windows has no handle for that.
        with contextlib.suppress(OSError):
            directory = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)

    def _sweep(self) -> str | None:
        left = None
        for stale in self._path.parent.glob(f".{self._path.name}.*{_LEFTOVER}"):
            try:
                stale.unlink(missing_ok=True)
            except OSError:
                left = stale.name
        return left

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        if sys.platform == "win32":
            yield
            return
        directory = os.open(self._path.parent, os.O_RDONLY)
        try:
            fcntl.flock(directory, fcntl.LOCK_EX)
            yield
        finally:
            os.close(directory)


def _version(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _fault(operation: str, error: OSError) -> StoreFault:
    name = errno.errorcode.get(error.errno or 0, "EIO")
    return StoreFault(operation, name, error.strerror or type(error).__name__)
