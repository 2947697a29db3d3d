"""Tests of the secret in a file: whole values only, for its owner only, and never over somebody else's change."""

from __future__ import annotations

import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from otelctl.adapters.file_store import FileStore
from otelctl.facts import Guard, SecretAbsent, StoreConflict, StoredSecret, StoreFault, Written
from otelctl.secret import Secret


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a secret that is not there yet."""
    return tmp_path / "secret.json"


def stored(store: FileStore) -> StoredSecret:
    """Read a secret that must be there."""
    found = store.read()
    assert isinstance(found, StoredSecret)
    return found


def test_a_secret_is_made_read_and_replaced(path: Path) -> None:
    """A value goes in as it is, comes out as it is, and its version is what a write reported."""
    store = FileStore(path)
    assert store.read() == SecretAbsent(str(path))
    made = store.create(Secret('{"a": "é\r\n"}'))
    assert isinstance(made, Written)
    before = stored(store)
    assert (before.version, before.text) == (made.version, Secret('{"a": "é\r\n"}'))
    changed = store.replace(Secret("{}"), before)
    assert isinstance(changed, Written)
    assert changed.guard is Guard.SWAP
    assert path.read_bytes() == b"{}"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="no file modes")
def test_only_the_owner_reads_it(path: Path) -> None:
    """The file has mode 0600 from its first byte on, whatever the umask and the file before allowed."""
    path.write_text("{}")
    path.chmod(0o644)
    store = FileStore(path)
    store.replace(Secret('{"a":1}'), stored(store))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_change_in_between_is_a_conflict(path: Path) -> None:
    """What somebody wrote, made or removed since our read is not overwritten."""
    store = FileStore(path)
    path.write_text("1")
    before = stored(store)
    path.write_text("2")
    conflict = store.replace(Secret("3"), before)
    assert isinstance(conflict, StoreConflict)
    assert (conflict.expected, conflict.found) == (before.version, stored(store).version)
    assert isinstance(store.create(Secret("3")), StoreConflict)
    assert path.read_text() == "2"
    path.unlink()
    assert store.replace(Secret("3"), before) == StoreConflict(str(path), before.version, None)


def test_eight_writers_at_once_take_turns(path: Path) -> None:
    """Of eight writes from the same read exactly one goes through."""
    path.write_text("start")
    before = stored(FileStore(path))
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda index: FileStore(path).replace(Secret(str(index)), before), range(8)))
    assert sum(isinstance(result, Written) for result in results) == 1
    assert sum(isinstance(result, StoreConflict) for result in results) == 7


def test_what_a_killed_write_left_is_removed(path: Path) -> None:
    """A new file that never came into place is gone after the next run, written or not."""
    store = FileStore(path)
    leftover = path.with_name(".secret.json.0123456789abcdef.otelctl-new")
    leftover.write_text("half")
    assert store.tidy() is None
    assert not leftover.exists()
    leftover.write_text("half")
    store.create(Secret("{}"))
    assert list(path.parent.iterdir()) == [path]


def test_bytes_that_are_no_text_are_binary(path: Path) -> None:
    """A file that is not UTF-8 has no text, and a version all the same."""
    path.write_bytes(b"\xff\xfe")
    assert stored(FileStore(path)).text is None


def test_what_the_system_refuses_is_a_fault(tmp_path: Path) -> None:
    """A directory in the file's place and a parent that is not there are facts with the system's own name."""
    assert FileStore(tmp_path).read() == StoreFault("read", "EISDIR", "Is a directory")
    missing = FileStore(tmp_path / "no" / "secret.json").create(Secret("{}"))
    assert isinstance(missing, StoreFault)
    assert missing.code == "ENOENT"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_failed_write_leaves_the_old_value_and_nothing_else(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk takes no more, the old value stays whole and the new file is gone."""
    path.write_text("old")
    store = FileStore(path)
    before = stored(store)
    real = os.fdopen

    def to_full_disk(descriptor: int, mode: str) -> object:
        os.close(descriptor)
        return real(os.open("/dev/full", os.O_WRONLY), mode)

    monkeypatch.setattr(os, "fdopen", to_full_disk)
    result = store.replace(Secret("new"), before)
    assert isinstance(result, StoreFault)
    assert result.code == "ENOSPC"
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]
