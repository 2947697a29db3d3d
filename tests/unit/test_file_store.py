"""Tests of the secret in a file: whole values only, for its owner only, and never over somebody else's change."""

from __future__ import annotations

import contextlib
import os
import stat
import struct
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from otelctl.adapters.file_store import LIMIT, FileStore
from otelctl.facts.store import Guard, SecretAbsent, StoreConflict, StoredSecret, StoreFault, Written
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
def test_only_the_owner_reads_a_new_file(path: Path) -> None:
    """A file that was not there has mode 0600 whatever the umask."""
    FileStore(path).create(Secret("{}"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.skipif(sys.platform == "win32", reason="no file modes")
@pytest.mark.parametrize("mode", [0o400, 0o600, 0o640, 0o664, 0o755])
def test_the_mode_of_a_file_stays(path: Path, mode: int) -> None:
    """The file that takes the place of another has its mode."""
    path.write_text("{}")
    path.chmod(mode)
    store = FileStore(path)
    assert isinstance(store.replace(Secret('{"a":1}'), stored(store)), Written)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_of_a_file_stays(path: Path) -> None:
    """The file that takes the place of another has its owner and group, where that is allowed."""
    path.write_text("{}")
    os.chown(path, 12345, 23456)
    store = FileStore(path)
    store.replace(Secret("1"), stored(store))
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.skipif(sys.platform != "linux", reason="extended attributes of Linux")
def test_another_group_gets_no_right_to_a_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the old group cannot be given, the group in its place has none of its rights, by mode or by list."""
    path.write_text("{}")
    path.chmod(0o644)
    os.chown(path, -1, 23456)
    # user::rw-, user:12345:r--, group::r--, mask::r--, other::r--
    entries = [(1, 6, 2**32 - 1), (2, 4, 12345), (4, 4, 2**32 - 1), (16, 4, 2**32 - 1), (32, 4, 2**32 - 1)]
    access = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    with contextlib.suppress(OSError):
        os.setxattr(path, "system.posix_acl_access", access)

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "fchown", refuse)
    store = FileStore(path)
    assert isinstance(store.replace(Secret("1"), stored(store)), Written)
    assert stat.S_IMODE(path.stat().st_mode) == 0o604
    assert "system.posix_acl_access" not in os.listxattr(path)


@pytest.mark.skipif(sys.platform != "linux", reason="extended attributes of Linux")
def test_extended_attributes_stay(path: Path) -> None:
    """The file that takes the place of another has its extended attributes, access lists among them."""
    path.write_text("{}")
    try:
        os.setxattr(path, "user.note", b"kept")
    except OSError:
        pytest.skip("this file system keeps no extended attributes")
    store = FileStore(path)
    store.replace(Secret("1"), stored(store))
    assert os.getxattr(path, "user.note") == b"kept"


def test_a_symbolic_link_stays(tmp_path: Path) -> None:
    """What a link points to is written, made too, and the link and its folder are as before."""
    (tmp_path / "real").mkdir()
    link = tmp_path / "link"
    link.symlink_to("real/secret")
    store = FileStore(link)
    assert store.read() == SecretAbsent(str(link))
    assert isinstance(store.create(Secret("1")), Written)
    assert isinstance(store.replace(Secret("2"), stored(store)), Written)
    assert link.is_symlink()
    assert (tmp_path / "real" / "secret").read_text() == "2"
    assert sorted(tmp_path.iterdir()) == [link, tmp_path / "real"]


def test_a_file_beyond_the_limit_is_refused(path: Path) -> None:
    """More than LIMIT bytes are a fault, exactly LIMIT are not."""
    path.write_bytes(b"x" * LIMIT)
    stored(FileStore(path))
    path.write_bytes(b"x" * (LIMIT + 1))
    found = FileStore(path).read()
    assert isinstance(found, StoreFault)
    assert found.code == "TooLarge"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_a_pipe_is_not_waited_for(path: Path) -> None:
    """What is no regular file is a fault at once."""
    os.mkfifo(path)
    found = FileStore(path).read()
    assert isinstance(found, StoreFault)
    assert found.code == "NotRegular"


def test_a_name_that_no_file_can_have_is_a_fault() -> None:
    """A null character in the path is a fact."""
    found = FileStore(Path("a\0b")).read()
    assert isinstance(found, StoreFault)


def test_the_leftovers_of_another_file_stay(tmp_path: Path) -> None:
    """A name with a pattern's characters sweeps its own leftovers and nobody else's."""
    other = tmp_path / ".a.0123456789abcdef.otelctl-new"
    other.write_text("")
    mine = tmp_path / ".[a].0123456789abcdef.otelctl-new"
    mine.write_text("")
    FileStore(tmp_path / "[a]").create(Secret("1"))
    assert other.exists()
    assert not mine.exists()


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


@pytest.mark.skipif(sys.platform == "win32", reason="no locks on folders")
def test_where_nothing_can_be_locked_only_what_is_there_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that takes no lock is no leftover; one that lies there is named and stays."""

    def refuse(*_: object) -> None:
        raise OSError

    monkeypatch.setattr("otelctl.adapters.file_store.fcntl.flock", refuse)
    store = FileStore(path)
    assert store.tidy() is None
    leftover = path.with_name(".secret.json.0123456789abcdef.otelctl-new")
    leftover.write_text("half")
    assert store.tidy() == leftover.name
    assert leftover.exists()


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
