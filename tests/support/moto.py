"""A moto server in a process of its own, on a free loopback port, for boto3 to reach over the wire.

Run as a program (`python -m tests.support.moto`) it serves until its standard input ends and prints its port first.
"""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""Variables that keep boto3 to this machine."""


def environment(endpoint: str | None = None) -> dict[str, str]:
    """Return the variables of this process with ours in place of every AWS variable of whoever runs the tests."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**ours, **ENVIRONMENT, **({"AWS_ENDPOINT_URL": endpoint} if endpoint else {})}


@contextlib.contextmanager
def moto_server() -> Iterator[str]:
    """Start a server and yield its URL; its state dies with it."""
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.moto"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=root,
        env=environment(),
    ) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def _correct(backend: type[Any], secret_type: type[Any], refused: Callable[[str], Exception]) -> None:
    """Put right what moto 5.2.5 gets wrong about versions, against the API reference.

    Moving AWSCURRENT leaves its idea of the current version behind, so that a plain PutSecretValue afterwards leaves
    two; a plain put wipes other labels off the version before; a label can sit on two versions at once. And its calls
    run side by side on shared lists, where the service does one after the other.
    """
    lock = threading.RLock()

    def one_by_one(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def locked(*args: Any, **kwargs: Any) -> Any:
            with lock:
                return method(*args, **kwargs)

        return locked

    move = backend.update_secret_version_stage
    put_current = secret_type.reset_default_version

    def update_secret_version_stage(
        self: Any, secret_id: str, version_stage: str, remove_from_version_id: str, move_to_version_id: str
    ) -> Any:
        secret = self.secrets.get(secret_id)
        if secret is not None and move_to_version_id:
            holder = next(
                (key for key, held in secret.versions.items() if version_stage in held["version_stages"]), None
            )
            if holder not in (None, move_to_version_id) and remove_from_version_id != holder:
                raise refused(
                    f"When you move staging label {version_stage}, if you specify RemoveFromVersionId, it must be set "
                    f"to the version that currently has the staging label {version_stage}."
                )
        result = move(self, secret_id, version_stage, remove_from_version_id, move_to_version_id)
        for version, held in secret.versions.items():
            held["version_stages"] = list(dict.fromkeys(held["version_stages"]))
            if "AWSCURRENT" in held["version_stages"]:
                secret.set_default_version_id(version)
        return result

    def reset_default_version(self: Any, secret_version: dict[str, Any], version_id: str) -> None:
        before = self.versions.get(self.default_version_id)
        labels = [label for label in before["version_stages"] if not label.startswith("AWS")] if before else []
        put_current(self, secret_version, version_id)
        if before:
            before["version_stages"].extend(labels)

    backend.update_secret_version_stage = update_secret_version_stage
    secret_type.reset_default_version = reset_default_version
    for name in (
        "create_secret",
        "describe_secret",
        "get_secret_value",
        "put_secret_value",
        "update_secret_version_stage",
    ):
        setattr(backend, name, one_by_one(getattr(backend, name)))


def main() -> None:
    """Serve until standard input ends."""
    from moto.secretsmanager.exceptions import InvalidParameterException  # noqa: PLC0415 - in the server's process
    from moto.secretsmanager.models import FakeSecret, SecretsManagerBackend  # noqa: PLC0415
    from moto.server import ThreadedMotoServer  # noqa: PLC0415

    _correct(SecretsManagerBackend, FakeSecret, InvalidParameterException)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    print(server.get_host_and_port()[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
