"""A text in a file of this machine: a .env file, a manifest, the rehearsal's secret.

A version is a hash of the content under a key of this process: versions are shown, and a plain hash
of a text with a weak password in it would let anybody try passwords.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import hmac
import os
import secrets
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from otelctl.facts.store import Guard, SecretAbsent, StoreConflict, StoredSecret, StoreFault, Written
from otelctl.secret import Secret

if sys.platform != "win32":
    import fcntl

LIMIT = 1 << 20
"""A file is read up to this many bytes; a larger one is refused."""

_ACCESS_LIST = "system.posix_acl_access"
_LEFTOVER = ".otelctl-new"
_KEY = os.urandom(32)


class FileStore:
    """One file that holds one value: `ports.SecretStore`.

    A write goes to a new file beside it, to the disk, and then over the old one, under a lock on the directory where
    the system has such locks; a reader sees the old value or the new one, whole. The new file takes over mode, owner
    and extended attributes; where the old group cannot be given, the group gets no rights. Where there was none it is
    its owner's alone, mode 0600. A symbolic link stays, and what it points to is written.
    """

    def __init__(self, path: Path) -> None:
        self._named = path
        self._path = path

    @property
    def identity(self) -> str:
        """The path as the user named it."""
        return str(self._named)

    def read(self) -> StoredSecret | SecretAbsent | StoreFault:
        """Read the file; what is no UTF-8 is binary."""
        try:
            self._path = Path(os.path.realpath(self._named))
            # Not for the type alone: opening a pipe without a writer waits for one.
            kind = self._path.stat().st_mode
            if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
                return StoreFault("read", "NotRegular", "a device, a pipe or a socket")
            with self._path.open("rb") as file:
                content = file.read(LIMIT + 1)
        except FileNotFoundError:
            return SecretAbsent(self.identity)
        except OSError as error:
            return _fault("read", error)
        except ValueError:
            return StoreFault("read", "EINVAL", "no file can have this name")
        if len(content) > LIMIT:
            return StoreFault("read", "TooLarge", f"larger than {LIMIT >> 10} KiB")
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
            # Without the lock a new file may be that of a write under way, so what is there is only named.
            return next((path.name for path in self._leftovers()), None)

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
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        try:
            with os.fdopen(os.open(new, flags, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                self._take_over(file.fileno())
                os.fsync(file.fileno())
            new.replace(self._path)
        except BaseException:
            with contextlib.suppress(OSError):
                new.unlink()
            raise
        # The rename itself reaches the disk with its directory; Windows has no handle for that.
        with contextlib.suppress(OSError):
            directory = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)

    def _take_over(self, descriptor: int) -> None:
        """Give a new file what the old one has besides its content, as far as the system allows it."""
        if sys.platform == "win32" or not self._path.exists():
            return
        old = self._path.stat()
        try:
            os.fchown(descriptor, old.st_uid, old.st_gid)
        except OSError:
            with contextlib.suppress(OSError):
                os.fchown(descriptor, -1, old.st_gid)
        # What the old group was allowed is nothing for the group that the new file has instead.
        foreign = os.fstat(descriptor).st_gid != old.st_gid
        mode = stat.S_IMODE(old.st_mode) & ~(stat.S_ISGID | stat.S_IRWXG if foreign else 0)
        # A file system without modes of its own refuses to set one.
        with contextlib.suppress(OSError):
            os.fchmod(descriptor, mode)
        if sys.platform != "linux":
            return
        with contextlib.suppress(OSError):
            for name in os.listxattr(self._path):
                if foreign and name == _ACCESS_LIST:
                    continue
                # Some are the kernel's own, and are given by it.
                with contextlib.suppress(OSError):
                    os.setxattr(descriptor, name, os.getxattr(self._path, name))

    def _sweep(self) -> str | None:
        left = None
        for stale in self._leftovers():
            try:
                stale.unlink(missing_ok=True)
            except OSError:
                left = stale.name
        return left

    def _leftovers(self) -> Iterator[Path]:
        return self._path.parent.glob(f".{glob.escape(self._path.name)}.*{_LEFTOVER}")

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
    return hmac.new(_KEY, content, hashlib.sha256).hexdigest()[:16]


def _fault(operation: str, error: OSError) -> StoreFault:
    name = errno.errorcode.get(error.errno or 0, "EIO")
    return StoreFault(operation, name, error.strerror or type(error).__name__)
