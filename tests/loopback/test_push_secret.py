"""`otelctl push-secret` as a user runs it: every place, many at once, rollback; against moto, the gateway and files."""

from __future__ import annotations

import base64
import json
import os
import pty
import random
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from dotenv import dotenv_values
from ruamel.yaml import YAML

from otelctl.gateway import Gateway, Tenant
from tests.support import inprocess
from tests.support.aws_overlay import Overlay, aws_overlay
from tests.support.aws_proxy import AwsProxy, Trouble, aws_proxy
from tests.support.gateway import authorization, tenant
from tests.support.keyring_file import BACKEND
from tests.support.moto import environment as aws_environment
from tests.support.moto import moto_server
from tests.support.parts import ask
from tests.support.program import COMMAND, ROOT, Result, environment, run

ROUNDS = int(os.environ.get("OTELCTL_ROUNDS", "3"))
"""How often the kills at random are run; `OTELCTL_ROUNDS=200` for the figures of the reliability page."""

E_KEY, H_KEY = "otel_exporter_otlp_endpoint", "otel_exporter_otlp_headers"
E_VARIABLE, H_VARIABLE = E_KEY.upper(), H_KEY.upper()
OTHERS = "hunter22-of-somebody-else"

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="terminals, modes and signals of POSIX"),
    pytest.mark.timeout(60 + 4 * ROUNDS),
]


@pytest.fixture(scope="module")
def stack() -> Tenant:
    """The stack whose credential is to be stored."""
    return tenant()


@pytest.fixture(scope="module")
def gateway(stack: Tenant) -> Iterator[Gateway]:
    """The gateway that takes the credential, and has met no bug of its own when the tests are over."""
    with Gateway([stack]) as running:
        yield running
    assert running.crashes == ()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of a moto server."""
    with moto_server() as url:
        yield url


@pytest.fixture
def moto(server: str) -> str:
    """The URL of a moto server with nothing in it."""
    assert ask(f"{server}/moto-api/reset").status == 200
    return server


@pytest.fixture
def proxy(moto: str) -> Iterator[AwsProxy]:
    """A proxy before moto that is as strict as AWS and makes trouble on request."""
    with aws_proxy(moto) as proxy:
        yield proxy


@pytest.fixture
def variables(gateway: Gateway, stack: Tenant) -> dict[str, str]:
    """The endpoint, and the credential in its two parts."""
    return {
        E_VARIABLE: gateway.url,
        "GRAFANA_INSTANCE_ID": stack.instance_id,
        "GRAFANA_API_TOKEN": stack.token.reveal(),
    }


@pytest.fixture
def header(stack: Tenant) -> str:
    """The headers that are to be stored."""
    return f"Authorization={authorization(stack)}"


def aws_variables(url: str) -> dict[str, str]:
    """Return what leads boto3 to a server of ours."""
    return {name: value for name, value in aws_environment(url).items() if name.startswith("AWS_")}


def client(url: str, service: str = "secretsmanager") -> Any:
    """Return a client of the tests' own."""
    return boto3.client(
        service,  # type: ignore[call-overload]  # the stubs know the services by literals
        endpoint_url=url,
        region_name="eu-west-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


def push(variables: dict[str, str], *arguments: str | Path, cwd: Path | None = None) -> Result:
    """Run push-secret --yes with a report in JSON, and hold that no secret is in what it wrote."""
    result = run("push-secret", "--yes", "--format", "json", *arguments, variables=variables, cwd=cwd)
    shows_nothing(result, variables)
    return result


def shows_nothing(result: Result, variables: dict[str, str]) -> None:
    """Hold that neither our token nor what the places hold of others is in what a run wrote."""
    token = variables["GRAFANA_API_TOKEN"]
    pair = base64.b64encode(f"{variables['GRAFANA_INSTANCE_ID']}:{token}".encode()).decode()
    both = result.stdout + result.stderr
    for secret in (token[8:], pair[12:], OTHERS, base64.b64encode(OTHERS.encode()).decode()):
        assert secret not in both


def fact(result: Result, label: str) -> str:
    """Return a fact of a report by its label for people, whose words programs get in snake_case."""
    found: str = result.report["facts"][re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")]
    return found


def healthy(result: Result) -> bool:
    """Tell whether a run succeeded without any finding."""
    return (result.code, result.found) == (0, [])


# .env files


def test_a_dotenv_file_is_what_an_application_and_otelctl_read(
    variables: dict[str, str], header: str, gateway: Gateway, tmp_path: Path
) -> None:
    """Through a link, mode, comments and others as before; python-dotenv gets the values; check-endpoint is healthy."""
    before = f'# of the team\nDB_PASSWORD="{OTHERS}"  # keep\nexport {E_VARIABLE}=http://old # why\n'
    (tmp_path / "real").write_text(before)
    (tmp_path / "real").chmod(0o640)
    (tmp_path / ".env").symlink_to("real")
    result = push(variables, "--to", "dotenv:.env", cwd=tmp_path)
    assert healthy(result), result
    assert (tmp_path / ".env").is_symlink()
    assert stat.S_IMODE((tmp_path / "real").stat().st_mode) == 0o640
    text = (tmp_path / "real").read_text()
    assert text == before.replace("http://old", gateway.url) + f'{H_VARIABLE}="{header}"\n'
    assert dotenv_values(tmp_path / ".env") == {"DB_PASSWORD": OTHERS, E_VARIABLE: gateway.url, H_VARIABLE: header}
    assert (fact(result, "Changed"), fact(result, "Added")) == (E_VARIABLE, H_VARIABLE)
    assert fact(result, "Not touched") == "1: DB_PASSWORD"
    assert healthy(run("check-endpoint", "--env-file", ".env", "--format", "json", cwd=tmp_path))


def test_a_second_push_touches_nothing(variables: dict[str, str], tmp_path: Path) -> None:
    """What a file holds already is not written again: the file is the same one, and the report says so."""
    assert healthy(push(variables, "--to", "dotenv:.env", "--create", cwd=tmp_path))
    before = (tmp_path / ".env").stat()
    assert stat.S_IMODE(before.st_mode) == 0o600
    result = push(variables, "--to", "dotenv:.env", cwd=tmp_path)
    assert healthy(result)
    assert fact(result, "Unchanged") == f"{E_VARIABLE}, {H_VARIABLE}"
    assert (tmp_path / ".env").stat() == before


def test_a_file_that_is_not_there_is_made_on_request_alone(variables: dict[str, str], tmp_path: Path) -> None:
    """Without --create a missing file is a finding, with --dry-run too; a missing folder is never made."""
    assert push(variables, "--to", "dotenv:.env", cwd=tmp_path).found == ["STORE-FILE-ABSENT"]
    assert healthy(push(variables, "--to", "dotenv:.env", "--create", "--dry-run", cwd=tmp_path))
    assert push(variables, "--to", "dotenv:no/.env", "--create", cwd=tmp_path).found == ["STORE-FOLDER-ABSENT"]
    assert list(tmp_path.iterdir()) == []


def test_a_variable_that_is_set_twice_is_told(variables: dict[str, str], header: str, tmp_path: Path) -> None:
    """The last line changes, and a notice says that another one does not count."""
    (tmp_path / ".env").write_text(f"{H_VARIABLE}=first\n{H_VARIABLE}=second\n")
    result = push(variables, "--to", "dotenv:.env", cwd=tmp_path)
    assert (result.code, result.found) == (0, ["STORE-SHADOWED"])
    assert dotenv_values(tmp_path / ".env")[H_VARIABLE] == header
    assert (tmp_path / ".env").read_text().startswith(f"{H_VARIABLE}=first\n")


def test_other_names_can_be_given(variables: dict[str, str], header: str, tmp_path: Path) -> None:
    """--endpoint-key and --headers-key are the names in a file too, where a name must be one."""
    names = ("--endpoint-key", "URL", "--headers-key", "HEADERS")
    result = push(variables, "--to", "dotenv:.env", "--create", *names, cwd=tmp_path)
    assert healthy(result)
    assert fact(result, "Added") == "URL, HEADERS"
    assert dotenv_values(tmp_path / ".env")["HEADERS"] == header
    wrong = push(variables, "--to", "dotenv:.env", "--headers-key", "not a name", cwd=tmp_path)
    assert (wrong.code, wrong.stderr.count("\n")) == (2, 1)


# Manifests


def test_a_manifest_takes_the_values_where_the_others_are(
    variables: dict[str, str], header: str, gateway: Gateway, tmp_path: Path
) -> None:
    """In the Secret that was named, in base64 as the others are, and every other byte of the file as before."""
    db = base64.b64encode(OTHERS.encode()).decode()
    head = "# deployed by hand\nkind: ConfigMap\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: app}\ndata:\n"
    tail = f"  DB: {db}  # keep\n---\nkind: Secret\nmetadata: {{name: other}}\n"
    (tmp_path / "s.yaml").write_text(head + tail)
    assert push(variables, "--to", "k8s:s.yaml", cwd=tmp_path).found == ["STORE-SEVERAL-SECRETS"]
    assert push(variables, "--to", "k8s:s.yaml#nope", cwd=tmp_path).found == ["STORE-NO-SECRET"]
    assert (tmp_path / "s.yaml").read_text() == head + tail
    assert healthy(push(variables, "--to", "k8s:s.yaml#app", cwd=tmp_path))
    text = (tmp_path / "s.yaml").read_text()
    assert text.startswith(head)
    assert text.endswith(tail)
    secret = list(YAML(typ="safe").load_all(text))[1]
    assert base64.b64decode(secret["data"][H_VARIABLE]).decode() == header
    assert base64.b64decode(secret["data"][E_VARIABLE]).decode() == gateway.url
    assert fact(push(variables, "--to", "k8s:s.yaml#app", cwd=tmp_path), "Unchanged") == f"{E_VARIABLE}, {H_VARIABLE}"


def test_a_manifest_is_made_on_request(variables: dict[str, str], header: str, tmp_path: Path) -> None:
    """--create makes a Secret of the name that was given."""
    assert healthy(push(variables, "--to", "k8s:s.yaml#otel", "--create", cwd=tmp_path))
    secret = YAML(typ="safe").load((tmp_path / "s.yaml").read_text())
    assert (secret["metadata"]["name"], secret["stringData"][H_VARIABLE]) == ("otel", header)


UNFIT = {
    "kind: Secret\nimmutable: true\n": "STORE-SECRET-IMMUTABLE",
    f"kind: Secret\nsops: {{mac: {OTHERS}}}\n": "STORE-ENCRYPTED",
    f"kind: Secret\nstringData:\n  {H_VARIABLE}: &a {OTHERS}\n": "STORE-YAML-ALIAS",
    f"kind: Secret\nstringData:\n  A: {OTHERS}\n  A: {OTHERS}\n": "STORE-DUPLICATE-KEYS",
    f"kind: Secret\n\tstringData: {OTHERS}\n": "STORE-NOT-YAML",
    f"kind: Secret\ndata: [{OTHERS}]\n": "STORE-SECRET-SHAPE",
}


@pytest.mark.parametrize("text", UNFIT)
def test_a_manifest_that_takes_no_value_is_left_alone(variables: dict[str, str], tmp_path: Path, text: str) -> None:
    """It is named, nothing of its values is shown, and it stays as it is."""
    (tmp_path / "s.yaml").write_text(text)
    result = push(variables, "--to", "k8s:s.yaml", cwd=tmp_path)
    assert (result.code, result.found) == (1, [UNFIT[text]])
    assert (tmp_path / "s.yaml").read_text() == text


# Keyring


@pytest.fixture
def keyring(variables: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The variables with a keyring in a file."""
    place = {"PYTHON_KEYRING_BACKEND": BACKEND, "OTELCTL_TEST_KEYRING": str(tmp_path / "keyring")}
    return {**variables, **place}


def test_a_keyring_profile_is_what_the_other_commands_read(keyring: dict[str, str]) -> None:
    """ID, token and endpoint go into the profile, are read back, and check-endpoint --keyring is healthy."""
    assert push(keyring, "--to", "keyring:prod").found == ["STORE-KEYRING-ABSENT"]
    result = push(keyring, "--to", "keyring:prod", "--create")
    assert healthy(result)
    assert fact(result, "Added") == "instance_id, token, endpoint"
    bare = {name: keyring[name] for name in ("PYTHON_KEYRING_BACKEND", "OTELCTL_TEST_KEYRING")}
    assert healthy(run("check-endpoint", "--keyring", "prod", "--format", "json", variables=bare))
    assert "token" in fact(push(keyring, "--to", "keyring:prod"), "Unchanged")


def test_what_the_keyring_says_no_to_has_its_code(keyring: dict[str, str], tmp_path: Path) -> None:
    """Locked, of another program, too small, no backend, a backend that does not exist, and headers without a pair."""
    place = ("--to", "keyring:prod", "--create")
    file = tmp_path / "keyring"
    file.write_text("locked")
    assert push(keyring, *place).found == ["STORE-KEYRING-LOCKED"]
    file.write_text(json.dumps({"otelctl/prod": OTHERS}))
    assert push(keyring, *place).found == ["STORE-KEYRING-FOREIGN"]
    file.unlink()
    long = {**keyring, E_VARIABLE: keyring[E_VARIABLE] + "/x" * 1000}
    assert push(long, *place, "--no-check").found == ["STORE-KEYRING-REFUSED"]
    none = {**keyring, "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    assert push(none, *place).found == ["STORE-KEYRING-NONE"]
    assert push({**keyring, "PYTHON_KEYRING_BACKEND": "no.Such"}, *place).found == ["STORE-KEYRING-REFUSED"]
    several = {**keyring, H_VARIABLE: f"Authorization=Bearer {OTHERS}", E_VARIABLE: "http://127.0.0.1:9"}
    several = {name: value for name, value in several.items() if not name.startswith("GRAFANA_I")}
    result = run("push-secret", *place, "--no-check", "--format", "json", "--yes", variables=several)
    assert result.found[-1:] == ["STORE-NO-PAIR"]
    assert OTHERS not in result.stdout + result.stderr
    assert not file.exists()


@pytest.mark.parametrize("backend", ["no.such.Backend", "json.NoBackend", "nonsense"])
def test_a_wrong_backend_is_told_in_a_line(variables: dict[str, str], backend: str) -> None:
    """PYTHON_KEYRING_BACKEND that names nothing is wrong use of --keyring, at reading and at saving, and no crash."""
    wrong = {**variables, "PYTHON_KEYRING_BACKEND": backend}
    for words in (["check-endpoint", "--keyring", "p"], ["encode-auth", "--keyring", "p", "--save"]):
        result = run(*words, variables=wrong)
        assert (result.code, result.stdout, result.stderr.count("\n")) == (2, "", 1), result
        assert "profile 'p' cannot be" in result.stderr


# Parameter Store


def test_two_parameters_take_the_values(variables: dict[str, str], header: str, moto: str) -> None:
    """SecureStrings under the prefix, read back; a second push writes nothing; the region and names are AWS's."""
    found = {**variables, **aws_variables(moto)}
    assert push(found, "--to", "ssm:/shop/prod").found == ["STORE-SSM-ABSENT"]
    result = push(found, "--to", "ssm:/shop/prod", "--create")
    assert healthy(result)
    name = f"/shop/prod/{H_KEY}"
    held = client(moto, "ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]
    assert (held["Value"], held["Type"], held["Version"]) == (header, "SecureString", 1)
    assert H_KEY in fact(push(found, "--to", "ssm:/shop/prod"), "Unchanged")


def test_a_header_in_a_plain_parameter_is_a_warning(variables: dict[str, str], moto: str) -> None:
    """It is written where it was, and told once."""
    client(moto, "ssm").put_parameter(Name=f"/p/{H_KEY}", Value="old", Type="String")
    result = push({**variables, **aws_variables(moto)}, "--to", "ssm:/p")
    assert (result.code, result.found) == (0, ["STORE-SSM-PLAIN"])


def test_advice_repeats_what_was_asked(variables: dict[str, str], moto: str, tmp_path: Path) -> None:
    """The advised command makes the secret in the same region, under the same names, of the same credential."""
    (tmp_path / "my.env").write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
    asked = ["--region", "us-east-1", "--endpoint-key", "E", "--headers-key", "H", "--env-file", "my.env"]
    found = {**aws_variables(moto), "GRAFANA_INSTANCE_ID": "", "GRAFANA_API_TOKEN": ""}
    words = ("push-secret", "--yes", "--format", "json")
    result = run(*words, "--secret-id", "app", *asked, variables=found, cwd=tmp_path)
    assert result.found == ["AWS-SECRET-NOT-FOUND"]
    (advised,) = [
        step["command"] for step in result.finding("AWS-SECRET-NOT-FOUND")["fix"] if "--create" in step["command"]
    ]
    done = run(*words, *shlex.split(advised)[2:], variables=found, cwd=tmp_path)
    assert healthy(done)
    there = boto3.client(
        "secretsmanager", endpoint_url=moto, region_name="us-east-1", aws_access_key_id="t", aws_secret_access_key="t"
    )
    assert list(json.loads(there.get_secret_value(SecretId="app")["SecretString"])) == ["E", "H"]


def test_a_name_in_other_case_is_told_in_every_place(variables: dict[str, str], moto: str, tmp_path: Path) -> None:
    """What stands beside ours under a name that differs in case alone is a warning with both names, never changed."""
    secret(moto, json.dumps({H_VARIABLE: OTHERS, "db": "x"}))
    client(moto, "ssm").put_parameter(Name=f"/p/{H_VARIABLE}", Value=OTHERS, Type="SecureString")
    (tmp_path / ".env").write_text(f"{H_KEY}={OTHERS}\n")
    (tmp_path / "s.yaml").write_text(f"kind: Secret\nstringData:\n  {H_KEY}: {OTHERS}\n")
    places = ["--secret-id", "app", "--to", "ssm:/p", "--to", "dotenv:.env", "--to", "k8s:s.yaml"]
    result = push({**variables, **aws_variables(moto)}, *places, "--create", cwd=tmp_path)
    assert result.code == 0
    assert result.found == ["AWS-SECRET-KEY-CASE", "STORE-KEY-CASE", "STORE-KEY-CASE", "STORE-KEY-CASE"]
    assert dotenv_values(tmp_path / ".env")[H_KEY] == OTHERS
    assert client(moto, "ssm").get_parameter(Name=f"/p/{H_KEY}")["Parameter"]["Version"] == 1


def test_what_could_not_be_asked_could_not_be_told(variables: dict[str, str], proxy: AwsProxy) -> None:
    """A throttle and a service that cannot be reached end with 3, a wrong setting of the caller with 1."""
    proxy.always |= dict.fromkeys(
        ("GetSecretValue", "GetParameters"), Trouble(answer=(400, "ThrottlingException", "Rate exceeded"))
    )
    given = {**variables, **aws_variables(proxy.url)}
    away = {**given, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    for place, area in (("--secret-id", "AWS"), ("--to", "STORE-SSM")):
        name = "app" if area == "AWS" else "ssm:/p"
        for one, code in ((given, f"{area}-THROTTLED"), (away, f"{area}-UNREACHABLE")):
            result = push(one, place, name)
            assert (result.code, result.found) == (3, [code])
        result = push({**given, "AWS_PROFILE": "nobody"}, place, name)
        assert (result.code, result.found) == (1, ["AWS-PROFILE"])


ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app-AbCdEf"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (ARN, "AWS-SECRET-NOT-FOUND"),
        (f"{ARN}:key:AWSCURRENT:", "AWS-ARN-SUFFIX"),
        (ARN.replace("eu-west-1", "us-east-1"), "AWS-WRONG-REGION"),
    ],
)
@pytest.mark.parametrize("more", [[], ["--dry-run"]], ids=["", "dry-run"])
def test_an_arn_is_never_made(variables: dict[str, str], moto: str, name: str, code: str, more: list[str]) -> None:
    """AWS gives the ARN to a secret that is made, so one that leads nowhere is a finding under --create as well."""
    result = push({**variables, **aws_variables(moto)}, "--secret-id", name, "--create", *more)
    assert (result.code, result.found) == (1, [code])


def test_an_empty_secret_takes_its_first_value_by_its_arn(variables: dict[str, str], proxy: AwsProxy) -> None:
    """A secret that exists without a value is not made anew, so under --create its ARN names it too."""
    arn = client(proxy.upstream).create_secret(Name="app")["ARN"]
    assert healthy(push({**variables, **aws_variables(proxy.url)}, "--secret-id", arn, "--create"))


def test_a_rotation_that_has_not_ended_is_told(variables: dict[str, str], proxy: AwsProxy) -> None:
    """What a rotation has prepared is a warning beside a write and a rollback, and nobody is asked where none is made.

    Without the permission to read it there is no warning, and the write is done all the same.
    """
    found = secret(proxy.upstream, "{}")
    found.put_secret_value(SecretId="app", SecretString='{"pending": 1}', VersionStages=["AWSPENDING"])
    given = {**variables, **aws_variables(proxy.url)}
    assert healthy(push(given, "--secret-id", "app", "--dry-run"))
    result = push(given, "--secret-id", "app")
    assert (result.code, result.found) == (0, ["AWS-ROTATION-PENDING"])
    (prepared,) = [
        version
        for version, labels in found.describe_secret(SecretId="app")["VersionIdsToStages"].items()
        if "AWSPENDING" in labels
    ]
    assert prepared in result.finding("AWS-ROTATION-PENDING")["summary"]
    assert rollback(proxy.url, "--secret-id", "app").found == ["AWS-ROTATION-PENDING"]
    asked = [params.get("VersionStage") for _, params in proxy.calls].count("AWSPENDING")
    denied = Trouble(answer=(400, "AccessDeniedException", "no"))
    proxy.next("GetSecretValue", Trouble(), denied)
    assert healthy(push(given, "--secret-id", "app"))
    assert healthy(push(given, "--secret-id", "app"))
    assert [params.get("VersionStage") for _, params in proxy.calls].count("AWSPENDING") == asked + 1


# Rollback


def rollback(url: str, *arguments: str, yes: bool = True) -> Result:
    """Run push-secret --rollback with nothing but AWS in the environment."""
    words = ["push-secret", "--rollback", *(["--yes"] if yes else []), "--format", "json", *arguments]
    result = run(*words, variables=aws_variables(url))
    assert OTHERS not in result.stdout + result.stderr
    return result


def secret(url: str, *texts: str, name: str = "app") -> Any:
    """Make a secret that has held these texts, one after the other."""
    found = client(url)
    found.create_secret(Name=name, SecretString=texts[0])
    for text in texts[1:]:
        found.put_secret_value(SecretId=name, SecretString=text)
    return found


def test_a_rollback_returns_to_the_value_before(variables: dict[str, str], moto: str) -> None:
    """What push changed is taken back, by names first; AWSPREVIOUS is then what was current; twice is a warning."""
    text = json.dumps({"db": OTHERS, H_KEY: "old"})
    found = secret(moto, text)
    time.sleep(1.1)  # moto's times are whole seconds
    assert healthy(push({**variables, **aws_variables(moto)}, "--secret-id", "app"))
    pushed = found.get_secret_value(SecretId="app")["SecretString"]
    shown = rollback(moto, "--secret-id", "app", "--dry-run", yes=False)
    assert healthy(shown)
    assert (fact(shown, "Would be removed"), fact(shown, "Would be changed"), fact(shown, "Not touched")) == (
        E_KEY,
        H_KEY,
        "1: db",
    )
    assert found.get_secret_value(SecretId="app")["SecretString"] == pushed
    assert healthy(rollback(moto, "--secret-id", "app"))
    assert found.get_secret_value(SecretId="app")["SecretString"] == text
    assert found.get_secret_value(SecretId="app", VersionStage="AWSPREVIOUS")["SecretString"] == pushed
    again = rollback(moto, "--secret-id", "app")
    assert (again.code, again.found) == (0, ["AWS-ROLLBACK-NEWER"])
    assert found.get_secret_value(SecretId="app")["SecretString"] == pushed


@pytest.mark.parametrize("texts", [('{"a": 1}', OTHERS), (OTHERS, '{"a": 1}'), (OTHERS, f"{OTHERS} 2")])
def test_a_text_whose_keys_cannot_be_compared_returns_whole(moto: str, texts: tuple[str, str]) -> None:
    """A secret that was broken by hand can be rolled back, which the preview calls the whole text."""
    found = secret(moto, *texts)
    result = rollback(moto, "--secret-id", "app")
    assert healthy(result)
    assert "whole text" in fact(result, "Changed")
    assert found.get_secret_value(SecretId="app")["SecretString"] == texts[0]


def test_the_same_value_before_is_no_write(moto: str) -> None:
    """Where both versions say the same there is nothing to return to."""
    found = secret(moto, '{"a": 1}', '{"a": 1}')
    before = found.describe_secret(SecretId="app")["VersionIdsToStages"]
    assert healthy(rollback(moto, "--secret-id", "app"))
    assert found.describe_secret(SecretId="app")["VersionIdsToStages"] == before


def test_a_secret_with_one_version_has_nothing_before(moto: str) -> None:
    """Without AWSPREVIOUS there is nothing to return to, and another secret is rolled back all the same."""
    secret(moto, "{}", name="once")
    found = secret(moto, '{"a": 1}', '{"a": 2}')
    result = rollback(moto, "--secret-id", "once", "--secret-id", "app", "--secret-id", "missing")
    assert (result.code, sorted(result.found)) == (1, ["AWS-NO-PREVIOUS", "AWS-SECRET-NOT-FOUND"])
    assert found.get_secret_value(SecretId="app")["SecretString"] == '{"a": 1}'


def test_a_rollback_over_somebody_elses_write_is_a_conflict(proxy: AwsProxy) -> None:
    """A write between the preview and the move stays current, and the rollback is not tried again on its own."""
    found = secret(proxy.upstream, '{"a": 1}', '{"a": 2}')

    def theirs() -> None:
        found.put_secret_value(SecretId="app", SecretString='{"a": 3}')

    proxy.next("UpdateSecretVersionStage", Trouble(before=theirs))
    result = rollback(proxy.url, "--secret-id", "app")
    assert (result.code, result.found) == (1, ["AWS-CONFLICT"])
    assert found.get_secret_value(SecretId="app")["SecretString"] == '{"a": 3}'


def test_a_rollback_without_the_permission_to_move_labels_says_so(proxy: AwsProxy) -> None:
    """The value before is put as a new version after a comparison, with the weaker guard named."""
    found = secret(proxy.upstream, '{"a": 1}', '{"a": 2}')
    proxy.deny("UpdateSecretVersionStage")
    result = rollback(proxy.url, "--secret-id", "app")
    assert (result.code, result.found) == (0, ["AWS-GUARD-WEAK"])
    assert found.get_secret_value(SecretId="app")["SecretString"] == '{"a": 1}'


def test_a_rollback_whose_answer_is_lost_is_done_once(proxy: AwsProxy) -> None:
    """When the answer to the move is lost, what became of it is read, and no version is made."""
    found = secret(proxy.upstream, '{"a": 1}', '{"a": 2}')
    proxy.next("UpdateSecretVersionStage", Trouble(lost=True))
    assert healthy(rollback(proxy.url, "--secret-id", "app"))
    assert found.get_secret_value(SecretId="app")["SecretString"] == '{"a": 1}'
    assert len(found.list_secret_version_ids(SecretId="app", IncludeDeprecated=True)["Versions"]) == 2


@pytest.mark.parametrize(
    "more",
    [["--to", "dotenv:.env"], ["--endpoint", "https://x"], ["--headers-key", "h"], ["--create"], ["--no-check"],
     ["--env-file", ".env"], ["--keyring", "p"], ["--from-secret", "x"], ["--insecure"]],
)  # fmt: skip
def test_a_rollback_takes_no_values(more: list[str]) -> None:
    """What would be written, or where it would come from, has no place beside --rollback: wrong use, in one line."""
    ended = inprocess.run("push-secret", "--secret-id", "app", "--rollback", *more)
    assert (ended.code, ended.stdout, ended.stderr.count(b"\n")) == (2, b"", 1)
    assert b"--rollback" in ended.stderr


# Many at once


def test_all_kinds_at_once_each_by_itself(keyring: dict[str, str], header: str, moto: str, tmp_path: Path) -> None:
    """Five kinds of place in one call: those that fail, at reading and at planning, stop none of the others."""
    found = secret(moto, json.dumps({"db": OTHERS}))
    secret(moto, OTHERS, name="broken")
    (tmp_path / ".env").touch()
    (tmp_path / "bad.yaml").write_text("kind: Secret\nimmutable: true\n")
    places = ["dotenv:.env", "k8s:bad.yaml", "dotenv:none", "k8s:s.yaml", "keyring:prod", "ssm:/p"]
    (tmp_path / "s.yaml").write_text("kind: Secret\n")
    client(moto, "ssm").put_parameter(Name=f"/p/{H_KEY}", Value="old", Type="SecureString")
    (tmp_path / "keyring").write_text(json.dumps({"otelctl/prod": json.dumps({"instance_id": "1", "token": OTHERS})}))
    arguments = [word for place in places for word in ("--to", place)]
    ids = ["--secret-id", "broken", "--secret-id", "app", "--secret-id", "missing"]
    result = push({**keyring, **aws_variables(moto)}, *arguments, *ids, cwd=tmp_path)
    assert result.code == 1
    assert sorted(result.found) == [
        "AWS-SECRET-NOT-FOUND", "AWS-SECRET-NOT-JSON", "STORE-FILE-ABSENT", "STORE-SECRET-IMMUTABLE",
    ]  # fmt: skip
    assert result.report["target"].split(", ") == ["broken", "app", "missing", *places]
    written = {check["id"].removesuffix(" write") for check in result.report["checks"] if check["id"].endswith("write")}
    assert written == {"app", "dotenv:.env", "k8s:s.yaml", "keyring:prod", "ssm:/p"}
    assert json.loads(found.get_secret_value(SecretId="app")["SecretString"])[H_KEY] == header
    assert dotenv_values(tmp_path / ".env")[H_VARIABLE] == header
    assert f"ssm:/p: {H_KEY}" in fact(result, "Changed").splitlines()
    said = {line.rpartition(": ")[0] for value in result.report["facts"].values() for line in value.splitlines()}
    assert said.isdisjoint({"broken", "missing", "k8s:bad.yaml", "dotenv:none"})


def test_a_write_that_fails_hides_no_other(variables: dict[str, str], proxy: AwsProxy, tmp_path: Path) -> None:
    """A refusal at the write of the first is told, and the second is written."""
    secret(proxy.upstream, "{}")
    proxy.deny("PutSecretValue")
    (tmp_path / ".env").touch()
    result = push({**variables, **aws_variables(proxy.url)}, "--secret-id", "app", "--to", "dotenv:.env", cwd=tmp_path)
    assert (result.code, result.found) == (1, ["AWS-ACCESS-DENIED"])
    assert H_VARIABLE in dotenv_values(tmp_path / ".env")


def test_a_crash_hides_no_other(variables: dict[str, str], tmp_path: Path) -> None:
    """A mistake of ours, or a broken library, at one place is told as such, and the others are written."""
    (tmp_path / "botocore").mkdir()
    (tmp_path / "botocore" / "__init__.py").write_text("raise RuntimeError('a broken installation')\n")
    (tmp_path / ".env").touch()
    broken = {**variables, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    result = push(broken, "--secret-id", "app", "--to", "dotenv:.env", cwd=tmp_path)
    assert (result.code, result.found) == (3, ["INTERNAL-CRASH"])
    assert H_VARIABLE in dotenv_values(tmp_path / ".env")


def test_one_place_named_twice_is_written_once(variables: dict[str, str], tmp_path: Path) -> None:
    """A place that is repeated is one place."""
    result = push(variables, "--to", "dotenv:.env", "--to", "dotenv:.env", "--create", cwd=tmp_path)
    assert healthy(result)
    assert result.report["target"] == "dotenv:.env"


def test_a_secret_named_by_name_and_by_arn_is_one_place(variables: dict[str, str], proxy: AwsProxy) -> None:
    """Two names of one secret are written once and rolled back once; the report is about the first."""
    arn = secret(proxy.upstream, "{}").describe_secret(SecretId="app")["ARN"]
    both = ("--secret-id", "app", "--secret-id", arn)
    result = push({**variables, **aws_variables(proxy.url)}, *both)
    assert healthy(result)
    assert (result.report["target"], proxy.operations().count("PutSecretValue")) == ("app", 1)
    assert healthy(rollback(proxy.url, *both))
    assert client(proxy.upstream).get_secret_value(SecretId="app")["SecretString"] == "{}"


def test_two_paths_of_one_file_are_told_truly(variables: dict[str, str], tmp_path: Path) -> None:
    """A second path to a file finds the values there, and no writer is made up for them."""
    (tmp_path / ".env").touch()
    (tmp_path / "link").symlink_to(".env")
    result = push(variables, "--to", "dotenv:.env", "--to", "dotenv:link", cwd=tmp_path)
    assert healthy(result)
    assert result.check("dotenv:link write")["detail"] == "it has come to hold these values since it was read"


def test_a_refused_credential_is_stored_nowhere(variables: dict[str, str], tmp_path: Path) -> None:
    """The probe comes before every place, and none is written after it failed."""
    (tmp_path / ".env").touch()
    wrong = {**variables, "GRAFANA_INSTANCE_ID": "1"}
    result = push(wrong, "--to", "dotenv:.env", "--to", "k8s:s.yaml", "--create", cwd=tmp_path)
    assert (result.code, result.found) == (1, ["AUTH-INVALID"])
    assert [path.name for path in tmp_path.iterdir()] == [".env"]
    assert (tmp_path / ".env").read_bytes() == b""


@pytest.mark.parametrize(
    ("token", "code"),
    [("glsa_0123456789abcdefghijklmnopqrstuv_12345678", "AUTH-TOKEN-KIND"), ("<your-token-here>", "AUTH-PLACEHOLDER")],
)
def test_a_doubtful_credential_is_not_written_unasked(
    variables: dict[str, str], tmp_path: Path, token: str, code: str
) -> None:
    """Under --no-check no answer can refute a suspicion of the credential, so it counts, and nothing is written."""
    (tmp_path / ".env").write_text(f"{H_VARIABLE}=good\n")
    doubtful = {**variables, "GRAFANA_API_TOKEN": token}
    words = ["push-secret", "--yes", "--format", "json", "--no-check", "--to", "dotenv:.env"]
    result = run(*words, variables=doubtful, cwd=tmp_path)
    assert (result.code, result.found) == (1, [code])
    assert (tmp_path / ".env").read_text() == f"{H_VARIABLE}=good\n"


def test_no_credential_at_all_is_wrong_use(gateway: Gateway) -> None:
    """Without one, a line says what to set."""
    for more in ([], ["--no-check"]):
        ended = inprocess.run("push-secret", "--to", "dotenv:.env", *more, variables={E_VARIABLE: gateway.url})
        assert (ended.code, ended.stdout, ended.stderr.count(b"\n")) == (2, b"", 1)
        assert b"no credential" in ended.stderr


# Confirmation


def answered(variables: dict[str, str], cwd: Path, answers: bytes, *arguments: str) -> tuple[int, str, str]:
    """Run push-secret at a terminal that answers, and return code, standard output and standard error."""
    master, slave = pty.openpty()
    try:
        os.write(master, answers)
        done = subprocess.run(
            [*COMMAND, "push-secret", *arguments],
            env=environment(variables),
            stdin=slave,
            capture_output=True,
            cwd=cwd,
            timeout=50,
            check=False,
        )
    finally:
        os.close(master)
        os.close(slave)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_each_place_is_asked_about_with_its_names(variables: dict[str, str], tmp_path: Path) -> None:
    """The names that would change are shown for each place, and the answer for one is not that for another."""
    (tmp_path / "a.env").write_text(f"X={OTHERS}\n")
    (tmp_path / "b.env").write_text(f"X={OTHERS}\n")
    code, out, err = answered(variables, tmp_path, b"n\ny\n", "--to", "dotenv:a.env", "--to", "dotenv:b.env")
    assert code == 1
    assert out.startswith("✗ STORE-NOT-CONFIRMED  Nothing was written there")
    assert out.splitlines()[1].strip() == "otelctl push-secret --to dotenv:a.env"
    assert err.count(f"+ {H_VARIABLE}") == 2
    assert "not touched (1): X" in err
    assert OTHERS not in out + err
    assert H_VARIABLE not in (tmp_path / "a.env").read_text()
    assert H_VARIABLE in (tmp_path / "b.env").read_text()
    assert "it was not confirmed" in out


@pytest.mark.parametrize(
    ("answers", "said"), [(b"y\n", "interrupted before it was written"), (b"y\ny\n", "the old value or the new one")]
)
def test_an_interrupt_of_the_second_place_keeps_the_report_of_the_first(
    variables: dict[str, str], proxy: AwsProxy, answers: bytes, said: str
) -> None:
    """Ctrl-C at the second question, or in the write after it, ends with 130 after a report of what was written."""
    for name in ("a", "b"):
        secret(proxy.upstream, json.dumps({"db": OTHERS}), name=name)
    hold, held = threading.Event(), list[bool]()
    if answers.count(b"y") == 2:
        proxy.next("PutSecretValue", Trouble(), Trouble(before=lambda: held.append(hold.wait(20)), cut=True))
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "push-secret", "--format", "json", "--secret-id", "a", "--secret-id", "b"],
        env=environment({**variables, **aws_variables(proxy.url)}),
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        os.write(master, answers)
        assert process.stderr is not None
        told = b""
        while told.count(b"[y/N]") < 2:
            told += os.read(process.stderr.fileno(), 4096)
        end = time.monotonic() + 20
        while proxy.operations().count("PutSecretValue") < answers.count(b"y") and time.monotonic() < end:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    finally:
        hold.set()
        process.kill()
        process.wait()
        os.close(master)
        os.close(slave)
    result = Result(process.returncode, out.decode(), err.decode())
    shows_nothing(result, variables)
    assert (result.code, result.report["ok"]) == (130, False)
    assert (result.check("a write")["status"], result.check("b write")["status"]) == ("passed", "unknown")
    assert said in result.check("b write")["detail"]
    assert result.stderr.endswith("otelctl: interrupted; what the report says of the write is done\n")
    assert f"a: {E_KEY}, {H_KEY}" in fact(result, "Added")


def test_where_nobody_can_be_asked_a_failure_is_told_all_the_same(variables: dict[str, str], tmp_path: Path) -> None:
    """Without a terminal and without --yes nothing is written; what failed beside it is not hidden by that."""
    (tmp_path / ".env").touch()
    words = ["push-secret", "--to", "dotenv:.env", "--format", "json"]
    alone = run(*words, variables=variables, cwd=tmp_path)
    assert alone.code == 2
    assert "add --yes" in alone.stderr
    beside = run(*words, "--to", "dotenv:none", variables=variables, cwd=tmp_path)
    assert (beside.code, beside.found) == (1, ["STORE-FILE-ABSENT"])
    assert "add --yes" in fact(beside, "Written")
    assert (tmp_path / ".env").read_bytes() == b""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--to"),
        (["--to", "nonsense"], "names no place"),
        (["--to", "s3:bucket"], "names no place"),
        (["--to", "dotenv:"], "names no place"),
        (["--to", "ssm:/"], "a prefix"),
        (["--to", "ssm:/x", "--headers-key", "a b"], "--headers-key"),
        (["--to", "k8s:x", "--endpoint-key", "a/b"], "--endpoint-key"),
        (["--secret-id", " "], "--secret-id"),
        (["--secret-id", "x", "--profile", ""], "--profile"),
        (["--secret-id", "x", "--region", " "], "--region"),
        (["--secret-id", "x", "--rollback", "--region", ""], "--region"),
        (["--secret-id", "bad name!", "--create"], "no secret's name"),
        (["--secret-id", "x", "--kms", "alias/shop"], "--kms"),
        (["--secret-id", "x", "--create", "--kms", " "], "--kms"),
        (["--to", "dotenv:.env", "--create", "--kms", "alias/shop"], "--kms"),
        (["--secret-id", "x" * 513, "--create", "--dry-run"], "no secret's name"),
        (["--secret-id", "x", "--redeploy", "nonsense"], "--redeploy"),
    ],
)
def test_what_cannot_be_meant_is_wrong_use(arguments: list[str], said: str) -> None:
    """One line says what and where, before anything is read."""
    ended = inprocess.run("push-secret", "--yes", *arguments)
    assert (ended.code, ended.stdout, ended.stderr.count(b"\n")) == (2, b"", 1)
    assert said.encode() in ended.stderr


def test_what_is_made_is_kept_under_the_key_that_was_named(variables: dict[str, str], moto: str) -> None:
    """--kms holds for a secret and for parameters that --create makes, and what is there already keeps its own."""
    found = {**variables, **aws_variables(moto)}
    places = ("--secret-id", "new", "--to", "ssm:/new")
    assert healthy(push(found, *places, "--create", "--kms", "alias/shop"))
    assert client(moto).describe_secret(SecretId="new")["KmsKeyId"] == "alias/shop"
    about = client(moto, "ssm").describe_parameters()["Parameters"]
    assert [one["KeyId"] for one in about] == ["alias/shop"] * 2
    other = {**found, E_VARIABLE: variables[E_VARIABLE].replace("127.0.0.1", "localhost")}
    assert healthy(push(other, *places, "--create", "--kms", "alias/other"))
    assert client(moto).describe_secret(SecretId="new")["KmsKeyId"] == "alias/shop"
    assert [one["KeyId"] for one in client(moto, "ssm").describe_parameters()["Parameters"]] == ["alias/shop"] * 2


# Deploying a service anew

REDEPLOY = ("--redeploy", "shop/api")


@pytest.fixture
def overlay(moto: str) -> Iterator[Overlay]:
    """A service of ECS, in a script before moto, whose next deployment is stable at once."""
    deployment = {"id": "ecs-svc/1", "status": "PRIMARY", "rolloutState": "COMPLETED", "runningCount": 1}
    service = {"serviceName": "api", "status": "ACTIVE", "desiredCount": 1, "deployments": [deployment]}
    with aws_overlay(moto) as overlay:
        overlay.answers |= {"UpdateService": {"service": service}, "DescribeServices": {"services": [service]}}
        overlay.answers["ListTasks"] = {"taskArns": []}
        secret(moto, "{}")
        yield overlay


def test_a_service_is_deployed_anew_after_a_verified_write(variables: dict[str, str], overlay: Overlay) -> None:
    """The deployment is forced once the value was read back, and watched; a value that stays deploys nothing."""
    found = {**variables, **aws_variables(overlay.url)}
    result = push(found, "--secret-id", "app", *REDEPLOY)
    assert healthy(result)
    assert [check["status"] for check in result.report["checks"][-3:]] == ["passed"] * 3
    (asked,) = overlay.asked("UpdateService")
    assert (asked["cluster"], asked["service"], asked["forceNewDeployment"]) == ("shop", "api", True)
    operations = [operation for operation, _ in overlay.calls]
    moved = len(operations) - operations[::-1].index("UpdateSecretVersionStage")
    assert "GetSecretValue" in operations[moved : operations.index("UpdateService")]
    again = push(found, "--secret-id", "app", *REDEPLOY)
    assert healthy(again)
    assert "nothing was written" in again.check("deploy")["reason"]
    assert len(overlay.asked("UpdateService")) == 1


def running(overlay: Overlay, started: float) -> None:
    """Have the service run one task, started so many seconds from now."""
    moment = time.time() + started
    arn = "arn:aws:ecs:eu-west-1:123456789012:task/shop/1"
    task = {"taskArn": arn, "lastStatus": "RUNNING", "createdAt": moment - 1, "startedAt": moment}
    overlay.answers |= {"ListTasks": {"taskArns": [arn]}, "DescribeTasks": {"tasks": [task]}}


def test_a_service_that_is_not_there_gets_nothing_written(variables: dict[str, str], overlay: Overlay) -> None:
    """A mistyped service is told before the secret is touched, in a dry run too."""
    overlay.answers["DescribeServices"] = {"services": [], "failures": [{"reason": "MISSING"}]}
    found = {**variables, **aws_variables(overlay.url)}
    for more in ((), ("--dry-run",)):
        result = push(found, "--secret-id", "app", *REDEPLOY, *more)
        assert (result.code, result.found) == (1, ["ECS-SERVICE-NOT-FOUND"])
    assert client(overlay.upstream).get_secret_value(SecretId="app")["SecretString"] == "{}"
    assert overlay.asked("UpdateService") == []


def test_a_run_that_wrote_and_did_not_deploy_is_made_good(variables: dict[str, str], overlay: Overlay) -> None:
    """Where the values are there and tasks are older than they, the repeated command deploys; newer tasks are left."""
    found = {**variables, **aws_variables(overlay.url)}
    assert healthy(push(found, "--secret-id", "app"))
    running(overlay, 3600)
    again = push(found, "--secret-id", "app", *REDEPLOY)
    assert (healthy(again), len(overlay.asked("UpdateService"))) == (True, 0)
    assert "its tasks have the values" in again.check("deploy")["reason"]
    running(overlay, -3600)
    again = push(found, "--secret-id", "app", *REDEPLOY)
    assert (healthy(again), len(overlay.asked("UpdateService"))) == (True, 1)


def test_what_cannot_be_told_of_the_tasks_is_not_called_healthy(variables: dict[str, str], overlay: Overlay) -> None:
    """Where nothing was written and the tasks may not be listed, it is unknown whether they have the values."""
    found = {**variables, **aws_variables(overlay.url)}
    assert healthy(push(found, "--secret-id", "app"))
    del overlay.answers["ListTasks"]
    result = push(found, "--secret-id", "app", *REDEPLOY)
    assert result.code in (1, 3)
    assert overlay.asked("UpdateService") == []


def test_a_rollback_can_be_deployed_too(overlay: Overlay) -> None:
    """A service that was broken by a value needs the value before in its containers."""
    client(overlay.upstream).put_secret_value(SecretId="app", SecretString='{"a": 1}')
    assert healthy(rollback(overlay.url, "--secret-id", "app", *REDEPLOY))
    assert len(overlay.asked("UpdateService")) == 1


def test_nothing_is_deployed_where_a_place_was_not_written(variables: dict[str, str], overlay: Overlay) -> None:
    """One place of several that fails, or a dry run, keeps the service as it is."""
    found = {**variables, **aws_variables(overlay.url)}
    assert healthy(push(found, "--secret-id", "app", "--dry-run", *REDEPLOY))
    result = push(found, "--secret-id", "app", "--secret-id", "missing", *REDEPLOY)
    assert (result.code, result.found) == (1, ["AWS-SECRET-NOT-FOUND"])
    assert "not every place was written" in result.check("deploy")["reason"]
    assert overlay.asked("UpdateService") == []


def test_a_deployment_is_confirmed_by_itself(variables: dict[str, str], overlay: Overlay, tmp_path: Path) -> None:
    """A yes to the write is none to the deployment; where nobody can be asked, nothing is written either."""
    found = {**variables, **aws_variables(overlay.url)}
    silent = run("push-secret", "--secret-id", "app", *REDEPLOY, variables=found)
    assert (silent.code, "add --yes" in silent.stderr) == (2, True)
    assert client(overlay.upstream).get_secret_value(SecretId="app")["SecretString"] == "{}"
    code, out, err = answered(found, tmp_path, b"y\nn\n", "--secret-id", "app", *REDEPLOY)
    assert (code, "Deploy shop/api anew?" in err, "it was not confirmed" in out) == (0, True, True)
    assert H_KEY in json.loads(client(overlay.upstream).get_secret_value(SecretId="app")["SecretString"])
    assert overlay.asked("UpdateService") == []


def test_an_interrupt_of_the_watching_keeps_the_report_of_the_write(
    variables: dict[str, str], overlay: Overlay
) -> None:
    """Ctrl-C while a deployment is watched ends with 130, after a report of what was written and what is not known."""
    going = {"id": "ecs-svc/1", "status": "PRIMARY", "rolloutState": "IN_PROGRESS"}
    service = {"serviceName": "api", "status": "ACTIVE", "desiredCount": 1, "deployments": [going]}
    overlay.answers |= {"UpdateService": {"service": service}, "DescribeServices": {"services": [service]}}
    process = subprocess.Popen(
        [*COMMAND, "push-secret", "--yes", "--format", "json", "--secret-id", "app", *REDEPLOY],
        env=environment({**variables, **aws_variables(overlay.url)}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        end = time.monotonic() + 30
        while len(overlay.asked("DescribeServices")) < 2 and time.monotonic() < end:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    result = Result(process.returncode, out.decode(), err.decode())
    assert result.code == 130
    assert (result.report["ok"], result.check("write")["status"]) == (False, "passed")
    assert (result.check("deploy")["status"], result.check("stable")["status"]) == ("passed", "unknown")
    assert fact(result, "Added") == f"{E_KEY}, {H_KEY}"
    assert result.stderr == "otelctl: interrupted; what the report says of the write is done\n"
    assert H_KEY in json.loads(client(overlay.upstream).get_secret_value(SecretId="app")["SecretString"])


# From a secret

READERS = [
    ["check-endpoint"],
    ["send-test-span"],
    ["send-test-metric"],
    ["send-test-log"],
    ["smoke"],
    ["inspect-auth"],
    ["push-secret", "--to", "dotenv:copy.env", "--create", "--yes"],
]
EACH = pytest.mark.parametrize("command", READERS, ids=[words[0] for words in READERS])


@pytest.fixture
def aws(moto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty moto server, from a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    return moto


def from_secret(url: str, command: list[str], name: str, *, form: str = "json", **more: str) -> Result:
    """Run a command that reads a secret, with nothing but AWS and `more` in the environment."""
    words = [*command, "--from-secret", name, "--format", form]
    ended = inprocess.run(*words, variables={**aws_variables(url), **more})
    result = Result(ended.code, ended.stdout.decode(), ended.stderr.decode())
    assert OTHERS not in result.stdout + result.stderr
    return result


@EACH
def test_a_command_takes_both_values_from_a_secret(aws: str, gateway: Gateway, header: str, command: list[str]) -> None:
    """Endpoint and headers come from the secret, and win over variables that say something else."""
    secret(aws, json.dumps({"db": OTHERS, E_KEY: gateway.url, H_KEY: header}))
    wrong = {E_VARIABLE: "http://127.0.0.1:9", H_VARIABLE: "Authorization=Basic d3Jvbmc6d3Jvbmc="}
    assert healthy(from_secret(aws, command, "app", **wrong))


@EACH
def test_what_is_stored_is_judged_though_the_variables_are_right(
    aws: str, gateway: Gateway, header: str, stack: Tenant, command: list[str]
) -> None:
    """A reversed header in the secret is found, whatever good one the shell holds."""
    pair = base64.b64encode(f"{stack.token.reveal()}:{stack.instance_id}".encode()).decode()
    secret(aws, json.dumps({E_KEY: gateway.url, H_KEY: f"Authorization=Basic {pair}"}))
    result = from_secret(aws, command, "app", **{E_VARIABLE: gateway.url, H_VARIABLE: header})
    assert result.code == 1
    assert "AUTH-REVERSED" in result.found


@EACH
def test_the_key_of_the_headers_can_be_named(aws: str, gateway: Gateway, header: str, command: list[str]) -> None:
    """NAME#KEY takes the headers from that key; one that is missing, or no text, is wrong use that names it."""
    secret(aws, json.dumps({E_KEY: gateway.url, "mine": header, H_KEY: "wrong", "number": 5}))
    assert healthy(from_secret(aws, command, "app#mine"))
    for key in ("missing", "number"):
        result = from_secret(aws, command, f"app#{key}", form="text")
        assert (result.code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
        assert key in result.stderr


@EACH
def test_the_key_of_the_endpoint_can_be_named_too(aws: str, gateway: Gateway, header: str, command: list[str]) -> None:
    """NAME#KEY,KEY takes the endpoint from the second key, whatever stands under the usual one."""
    secret(aws, json.dumps({E_KEY: "http://127.0.0.1:9", "url": gateway.url, "mine": header}))
    assert healthy(from_secret(aws, command, "app#mine,url"))
    result = from_secret(aws, command, "app#mine,nothing", form="text")
    assert (result.code, "'nothing'" in result.stderr) == (2, True)


@EACH
def test_a_secret_without_headers_is_not_judged_by_the_shells(
    aws: str, gateway: Gateway, header: str, command: list[str]
) -> None:
    """Where the secret lacks the headers, those of the environment are neither judged nor stored in its name."""
    secret(aws, json.dumps({E_KEY: gateway.url}))
    result = from_secret(aws, command, "app", form="text", **{H_VARIABLE: header})
    assert (result.code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert H_KEY in result.stderr


@pytest.mark.parametrize(("form", "mark"), [("junit", "<testsuite"), ("github", "::error"), ("markdown", "AWS-SECRET")])
def test_a_refusal_comes_in_the_format_asked_for(aws: str, tmp_path: Path, form: str, mark: str) -> None:
    """A secret that is not there is told in every format, and in the JUnit file that a step of CI reads."""
    result = from_secret(aws, ["smoke", "--junit", "report.xml"], "absent", form=form)
    assert (result.code, mark in result.stdout) == (1, True)
    assert "AWS-SECRET-NOT-FOUND" in result.stdout
    assert "AWS-SECRET-NOT-FOUND" in (tmp_path / "report.xml").read_text()


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_refused_step_annotates_the_run(aws: str, tmp_path: Path, form: str) -> None:
    """On GitHub Actions a step that gets no further than its secret has its annotation and its summary too."""
    github = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    result = from_secret(aws, ["smoke"], "absent", form=form, **github)
    assert (result.code, "::error" in result.stdout + result.stderr) == (1, True)
    assert "AWS-SECRET-NOT-FOUND" in (tmp_path / "summary.md").read_text()


def test_an_arn_says_where_its_secret_is(aws: str, gateway: Gateway, header: str) -> None:
    """A secret named by its ARN is read in the ARN's region, and one that is not there is said to be missing there."""
    made = boto3.client("secretsmanager", endpoint_url=aws, region_name="us-east-2",
                        aws_access_key_id="testing", aws_secret_access_key="testing")  # fmt: skip
    arn = made.create_secret(Name="app", SecretString=json.dumps({E_KEY: gateway.url, H_KEY: header}))["ARN"]
    assert healthy(from_secret(aws, ["check-endpoint"], arn))
    absent = from_secret(aws, ["check-endpoint"], arn[:-6] + "AbCdEf")
    assert (absent.code, absent.found) == (1, ["AWS-SECRET-NOT-FOUND"])
    assert "us-east-2" in json.dumps(absent.report)


@EACH
def test_a_secret_that_holds_neither_is_wrong_use(aws: str, command: list[str]) -> None:
    """An object without our keys, a binary secret, and an absent one are told apart, in a line or by a code."""
    found = secret(aws, json.dumps({"db": OTHERS}))
    neither = from_secret(aws, command, "app", form="text")
    assert (neither.code, neither.stderr.count("\n")) == (2, 1)
    assert H_KEY in neither.stderr
    found.create_secret(Name="bytes", SecretBinary=OTHERS.encode())
    binary = from_secret(aws, command, "bytes", form="text")
    assert (binary.code, "is binary" in binary.stderr) == (2, True)
    absent = from_secret(aws, command, "absent")
    assert (absent.code, absent.found) == (1, ["AWS-SECRET-NOT-FOUND"])


@EACH
def test_a_secret_that_is_no_json_is_the_headers(aws: str, gateway: Gateway, header: str, command: list[str]) -> None:
    """A bare text is taken for the headers, the endpoint then comes from elsewhere; a key in it is wrong use."""
    secret(aws, header)
    assert healthy(from_secret(aws, command, "app", **{E_VARIABLE: gateway.url}))
    keyed = from_secret(aws, command, "app#k", form="text")
    assert (keyed.code, "no JSON object" in keyed.stderr) == (2, True)


@EACH
def test_the_current_version_is_read_and_no_other(aws: str, gateway: Gateway, header: str, command: list[str]) -> None:
    """What a rotation has prepared under AWSPENDING, or what was there before, is not what is judged."""
    found = secret(aws, json.dumps({H_KEY: "old"}), json.dumps({E_KEY: gateway.url, H_KEY: header}))
    found.put_secret_value(SecretId="app", SecretString='{"pending": 1}', VersionStages=["AWSPENDING"])
    assert healthy(from_secret(aws, command, "app"))


# From a finding to the place that it is about


def backwards(stack: Tenant) -> str:
    """Return the headers with token and instance ID in each other's place."""
    pair = base64.b64encode(f"{stack.token.reveal()}:{stack.instance_id}".encode()).decode()
    return f"Authorization=Basic {pair}"


def advised(result: Result, code: str = "AUTH-REVERSED") -> list[str]:
    """Return the first command that a report advises for a code, as a shell splits it."""
    assert result.code == 1
    (found,) = [one for check in result.report["checks"] for one in check["findings"] if one["code"] == code]
    return shlex.split(found["fix"][0]["command"])


@pytest.mark.parametrize("key", [H_KEY, "mine"])
@pytest.mark.parametrize("command", READERS[:2], ids=["inspect-auth", "check-endpoint"])
def test_the_advised_command_mends_a_stored_header(
    aws: str, gateway: Gateway, header: str, stack: Tenant, command: list[str], key: str
) -> None:
    """A reversed header in a secret is mended there by the command on the second line, and nothing else is changed."""
    text = f'{{"db": "{OTHERS}",  "{E_KEY}": "{gateway.url}", "{key}": "%s"}}'
    found = secret(aws, text % backwards(stack))
    name = "app" if key == H_KEY else f"app#{key}"
    words = advised(from_secret(aws, command, name))
    assert words[:4] == ["otelctl", "push-secret", "--secret-id", "app"]
    mended = inprocess.run(*words[1:], "--yes", "--format", "json", variables=aws_variables(aws))
    assert mended.code == 0, mended
    assert found.get_secret_value(SecretId="app")["SecretString"] == text % header
    assert healthy(from_secret(aws, command, name))


def test_the_advised_command_mends_a_header_in_an_env_file(
    gateway: Gateway, header: str, stack: Tenant, tmp_path: Path
) -> None:
    """A reversed header in a .env file is mended there, and the other lines stay."""
    lines = f"# of the team\nDB={OTHERS}\n{E_VARIABLE}={gateway.url}\n{H_VARIABLE}='%s'\n"
    (tmp_path / ".env").write_text(lines % backwards(stack))
    words = advised(run("check-endpoint", "--env-file", ".env", "--format", "json", cwd=tmp_path))
    assert words == ["otelctl", "push-secret", "--to", "dotenv:.env", "--env-file", ".env", "--fix"]
    assert run(*words[1:], "--yes", cwd=tmp_path).code == 0
    assert (tmp_path / ".env").read_text().startswith((lines % "")[: lines.index(H_VARIABLE)])
    assert dotenv_values(tmp_path / ".env")[H_VARIABLE] == header
    assert healthy(run("check-endpoint", "--env-file", ".env", "--format", "json", cwd=tmp_path))


def test_the_advised_command_mends_an_endpoint_in_its_place(
    aws: str, gateway: Gateway, header: str, tmp_path: Path
) -> None:
    """An endpoint without /otlp is written right into the secret or the .env file from which it came."""
    bare = gateway.url.removesuffix("/otlp")
    found = secret(aws, json.dumps({"db": OTHERS, E_KEY: bare, H_KEY: header}))
    words = advised(from_secret(aws, ["check-endpoint"], "app"), "URL-OTLP-MISSING")
    assert words == ["otelctl", "push-secret", "--secret-id", "app", "--from-secret", "app", "--endpoint", gateway.url]
    assert inprocess.run(*words[1:], "--yes", variables=aws_variables(aws)).code == 0
    stored = json.loads(found.get_secret_value(SecretId="app")["SecretString"])
    assert stored == {"db": OTHERS, E_KEY: gateway.url, H_KEY: header}

    (tmp_path / ".env").write_text(f"{E_VARIABLE}={bare}\n{H_VARIABLE}={header!r}\n")
    result = run("smoke", "--env-file", ".env", "--format", "json", cwd=tmp_path)
    words = advised(result, "URL-OTLP-MISSING")
    assert words[:4] == ["otelctl", "push-secret", "--to", "dotenv:.env"]
    assert run(*words[1:], "--yes", cwd=tmp_path).code == 0
    assert healthy(run("smoke", "--env-file", ".env", "--format", "json", cwd=tmp_path))


def test_a_push_of_a_wrong_endpoint_advises_the_push_of_the_right_one(
    variables: dict[str, str], gateway: Gateway, tmp_path: Path
) -> None:
    """An endpoint without /otlp, from wherever it came, is put right on its way by the advised command."""
    bare = gateway.url.removesuffix("/otlp")
    for given, options in (({**variables, E_VARIABLE: bare}, ()), (variables, ("--endpoint", bare))):
        result = push(given, "--to", "dotenv:.env", "--create", *options, cwd=tmp_path)
        words = advised(result, "URL-OTLP-MISSING")
        assert words == ["otelctl", "push-secret", "--to", "dotenv:.env", "--create", "--endpoint", gateway.url]
        assert not (tmp_path / ".env").exists()
        assert run(*words[1:], "--yes", variables=given, cwd=tmp_path).code == 0
        assert dotenv_values(tmp_path / ".env")[E_VARIABLE] == gateway.url
        (tmp_path / ".env").unlink()


def test_a_header_whose_endpoint_is_elsewhere_is_printed(
    aws: str, gateway: Gateway, header: str, stack: Tenant, tmp_path: Path
) -> None:
    """A place without the endpoint is not given one by the way: the command prints the header and writes nowhere."""
    (tmp_path / ".env").write_text(f"{H_VARIABLE}='{backwards(stack)}'\n")
    words = advised(run("check-endpoint", gateway.url, "--env-file", ".env", "--format", "json", cwd=tmp_path))
    assert words == ["otelctl", "inspect-auth", "--fix", "--env-file", ".env"]
    assert run(*words[1:], cwd=tmp_path).stdout.strip() == header
    secret(aws, backwards(stack))
    words = advised(from_secret(aws, ["check-endpoint", gateway.url], "app"))
    assert words == ["otelctl", "inspect-auth", "--fix", "--from-secret", "app"]


@pytest.mark.parametrize("own", ["ENDPOINT", "HEADERS"])
def test_what_one_signal_has_of_its_own_takes_nobodys_place(
    gateway: Gateway, header: str, stack: Tenant, tmp_path: Path, own: str
) -> None:
    """Beside an endpoint or a header for traces alone, the command prints: a push would store that one for all."""
    value = f"{gateway.url}/v1/traces" if own == "ENDPOINT" else header
    lines = [f"{E_VARIABLE}={gateway.url}", f'{H_VARIABLE}="{backwards(stack)}"']
    (tmp_path / ".env").write_text("\n".join([*lines, f'OTEL_EXPORTER_OTLP_TRACES_{own}="{value}"\n']))
    command = ("check-endpoint", "--signal", "metrics", "--env-file", ".env", "--format", "json")
    words = advised(run(*command, cwd=tmp_path))
    assert words == ["otelctl", "inspect-auth", "--fix", "--env-file", ".env"]


def test_the_url_of_one_signal_is_not_stored_for_all(gateway: Gateway, header: str, tmp_path: Path) -> None:
    """OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is used as it is; under the general name every path would be put after it."""
    given = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{gateway.url}/v1/traces", H_VARIABLE: header}
    result = run("push-secret", "--to", "dotenv:.env", "--create", "--yes", variables=given, cwd=tmp_path)
    assert (result.code, "--endpoint" in result.stderr, list(tmp_path.iterdir())) == (2, True, [])


def test_a_key_with_a_comma_is_a_key(aws: str, gateway: Gateway, header: str) -> None:
    """What follows the # is one key where the secret holds it, and two where it does not."""
    secret(aws, json.dumps({E_KEY: gateway.url, "a,b": header}))
    assert healthy(from_secret(aws, ["check-endpoint"], "app#a,b"))


@pytest.mark.parametrize("option", ["--env-file", "--ca-file", "--header-file", "--junit"])
def test_a_path_that_cannot_be_looked_at_is_wrong_use(gateway: Gateway, tmp_path: Path, option: str) -> None:
    """A name longer than the system takes is told in a line, wherever it stands."""
    result = run("smoke", gateway.url, option, "a" * 5000, cwd=tmp_path)
    assert (result.code, result.stdout, result.stderr.count("\n")) == (2, "", 1)


def test_a_push_of_a_wrong_header_advises_the_push_of_the_mended_one(
    gateway: Gateway, header: str, stack: Tenant, tmp_path: Path
) -> None:
    """What is on its way into two places is mended on the way by the advised command, wherever it came from."""
    given = {E_VARIABLE: gateway.url, H_VARIABLE: backwards(stack) + ",x-team=shop"}
    options = ("--to", "dotenv:.env", "--to", "dotenv:b.env", "--create", "--headers-key", "HEADERS")
    words = advised(run("push-secret", *options, "--yes", "--format", "json", variables=given, cwd=tmp_path))
    assert words[-1] == "--fix"
    assert list(tmp_path.iterdir()) == []
    mended = run(*words[1:], "--yes", "--format", "json", variables=given, cwd=tmp_path)
    assert healthy(mended), mended
    for name in (".env", "b.env"):
        assert dotenv_values(tmp_path / name)["HEADERS"] == f"{header},x-team=shop"


def test_what_cannot_be_mended_is_not_stored(gateway: Gateway, tmp_path: Path) -> None:
    """--fix stores nothing of a header that holds no credential, and says what is wrong with it."""
    given = {E_VARIABLE: gateway.url, H_VARIABLE: "Authorization=Basic "}
    result = run("push-secret", "--to", "dotenv:.env", "--create", "--fix", "--yes", "--format", "json",
                 variables=given, cwd=tmp_path)  # fmt: skip
    assert "otelctl encode-auth" in advised(result, "AUTH-VALUE-MISSING")[-1]
    assert list(tmp_path.iterdir()) == []


def test_a_good_header_is_stored_as_it_is_with_or_without_fix(
    variables: dict[str, str], header: str, tmp_path: Path
) -> None:
    """--fix changes nothing of a header in which nothing is wrong."""
    assert healthy(push(variables, "--to", "dotenv:.env", "--create", "--fix", cwd=tmp_path))
    before = (tmp_path / ".env").read_bytes()
    assert header.encode() in before
    assert healthy(push(variables, "--to", "dotenv:.env", cwd=tmp_path))
    assert (tmp_path / ".env").read_bytes() == before


def test_the_region_of_a_push_is_the_one_that_its_source_is_read_in(aws: str, gateway: Gateway, header: str) -> None:
    """--region holds for --from-secret too: what is copied between two names of one region is found there."""
    made = boto3.client("secretsmanager", endpoint_url=aws, region_name="us-east-2",
                        aws_access_key_id="testing", aws_secret_access_key="testing")  # fmt: skip
    made.create_secret(Name="app", SecretString=json.dumps({E_KEY: gateway.url, H_KEY: header}))
    made.create_secret(Name="copy", SecretString="{}")
    options = ("--secret-id", "copy", "--from-secret", "app", "--yes", "--format", "json")
    assert run("push-secret", *options, variables=aws_variables(aws)).found == ["AWS-SECRET-NOT-FOUND"]
    assert healthy(run("push-secret", *options, "--region", "us-east-2", variables=aws_variables(aws)))
    assert json.loads(made.get_secret_value(SecretId="copy")["SecretString"])[H_KEY] == header


# Files that cannot be written, and runs that die


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """Mount a small file system in memory, or skip the test where that is not allowed."""
    mount = shutil.which("mount")
    if mount is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root mounts file systems")
    if subprocess.run(
        [mount, "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False
    ).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_full_disk_leaves_the_old_file(variables: dict[str, str], tmp_path: Path) -> None:
    """Where the new text does not fit, the old one stays whole, nothing is left beside it, and the finding says so."""
    with mounted(tmp_path, "size=32k"):
        (tmp_path / ".env").write_text("A=1\n" * 1000)
        (tmp_path / "filler").write_bytes(b"x" * 24_576)
        before = (tmp_path / ".env").read_bytes()
        result = push(variables, "--to", "dotenv:.env", cwd=tmp_path)
        assert (result.code, result.found) == (1, ["STORE-DISK-FULL"])
        assert (tmp_path / ".env").read_bytes() == before
        assert sorted(path.name for path in tmp_path.iterdir()) == [".env", "filler"]


def test_a_limit_on_the_size_of_files_leaves_the_old_one(variables: dict[str, str], tmp_path: Path) -> None:
    """A limit of the process is met as a full disk is."""
    before = "A=1\n" * 1000
    (tmp_path / ".env").write_text(before)
    words = ["sh", "-c", 'ulimit -f 1; exec "$@"', "sh", *COMMAND, "push-secret", "--yes", "--format", "json"]
    done = subprocess.run(
        [*words, "--to", "dotenv:.env"],
        env=environment({**variables, "PYTHONDONTWRITEBYTECODE": "1"}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=tmp_path,
        timeout=50,
        check=False,
    )
    result = Result(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert (result.code, result.found) == (1, ["STORE-DISK-FULL"])
    assert (tmp_path / ".env").read_text() == before
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


def test_a_read_only_file_system_is_told(variables: dict[str, str], tmp_path: Path) -> None:
    """Nothing can be written there, and it is not called a missing permission."""
    with mounted(tmp_path, "size=64k"):
        (tmp_path / ".env").write_text("A=1\n")
        subprocess.run(["mount", "-o", "remount,ro", tmp_path], check=True)
        result = push(variables, "--to", "dotenv:.env", cwd=tmp_path)
        assert (result.code, result.found) == (1, ["STORE-READ-ONLY"])


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_permission_is_told(variables: dict[str, str], tmp_path: Path) -> None:
    """A folder in which this user may make no file is a matter of permission."""
    (tmp_path / ".env").write_text("A=1\n")
    tmp_path.chmod(0o500)
    try:
        result = push(variables, "--to", "dotenv:.env", cwd=tmp_path)
    finally:
        tmp_path.chmod(0o700)
    assert (result.code, result.found) == (1, ["STORE-FILE-DENIED"])


# Dies by SIGKILL just before the system call of number N that concerns the folder, as python itself reports them.
DYING = """
import os, signal, sys
count, folder = int(sys.argv[1]), sys.argv[2]
def watch(event, arguments):
    global count
    if event in ("open", "os.rename", "os.chown", "os.chmod", "os.remove", "os.setxattr", "fcntl.flock"):
        if event in ("os.chown", "os.chmod", "fcntl.flock") or folder in str(arguments[0]):
            count -= 1
            if count == 0:
                os.kill(os.getpid(), signal.SIGKILL)
from pathlib import Path
from otelctl.adapters.file_store import FileStore
from otelctl.secret import Secret
store = FileStore(Path(folder, ".env"))
before = store.read()
sys.addaudithook(watch)
store.replace(Secret("NEW=" + "n" * 100_000), before)
"""


def test_a_write_killed_at_any_step_leaves_one_whole_text(variables: dict[str, str], tmp_path: Path) -> None:
    """Killed before each system call of a write, the file is the old or the new one; the next run clears the rest."""
    old, new = "OLD=" + "o" * 100_000, "NEW=" + "n" * 100_000
    file = tmp_path / ".env"
    left = steps = 0
    for step in range(1, 40):
        file.write_text(old)
        done = subprocess.run(
            [sys.executable, "-c", DYING, str(step), str(tmp_path)],
            env=environment(),
            timeout=20,
            check=False,
        )
        assert file.read_text() in (old, new)
        left += len(list(tmp_path.glob(".*.otelctl-new")))
        if done.returncode == 0:
            assert file.read_text() == new
            break
        assert done.returncode == -signal.SIGKILL
        steps += 1
    else:
        pytest.fail("the write has more steps than were tried")
    assert steps >= 5
    assert left >= 1
    (tmp_path / "..env.0123456789abcdef.otelctl-new").write_text("left")
    assert healthy(push(variables, "--to", "dotenv:.env", cwd=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


@pytest.mark.parametrize("words", [[], ["--rollback"]], ids=["push", "rollback"])
def test_a_label_of_a_killed_run_is_dropped_by_one_that_writes_no_value(
    variables: dict[str, str], proxy: AwsProxy, words: list[str]
) -> None:
    """A rerun that finds its values in place, and a rollback, drop our label; a dry run leaves it where it is."""
    found = secret(proxy.upstream, "{}")
    given = {**variables, **aws_variables(proxy.url)}
    assert healthy(push(given, "--secret-id", "app"))
    current = found.get_secret_value(SecretId="app")["VersionId"]
    found.update_secret_version_stage(SecretId="app", VersionStage="OTELCTL", MoveToVersionId=current)

    def labels() -> list[str]:
        return sorted(
            label for one in found.describe_secret(SecretId="app")["VersionIdsToStages"].values() for label in one
        )

    def again(*more: str) -> Result:
        return rollback(proxy.url, "--secret-id", "app", *more) if words else push(given, "--secret-id", "app", *more)

    assert healthy(again("--dry-run"))
    assert "OTELCTL" in labels()
    assert healthy(again())
    assert labels() == ["AWSCURRENT", "AWSPREVIOUS"]


def test_a_label_that_no_rerun_may_drop_is_told(variables: dict[str, str], proxy: AwsProxy) -> None:
    """Without the permission to move labels, a run that writes nothing says that ours is still there."""
    found = secret(proxy.upstream, "{}")
    given = {**variables, **aws_variables(proxy.url)}
    assert healthy(push(given, "--secret-id", "app"))
    current = found.get_secret_value(SecretId="app")["VersionId"]
    found.update_secret_version_stage(SecretId="app", VersionStage="OTELCTL", MoveToVersionId=current)
    proxy.deny("UpdateSecretVersionStage")
    result = push(given, "--secret-id", "app")
    assert (result.code, result.found) == (0, ["AWS-LABEL-LEFT"])


def test_the_new_file_of_a_killed_run_is_removed_by_one_that_writes_nothing(
    variables: dict[str, str], tmp_path: Path
) -> None:
    """What a killed run left holds the token: a run that finds the values in place removes it, a dry run does not."""
    assert healthy(push(variables, "--to", "dotenv:.env", "--create", cwd=tmp_path))
    left = tmp_path / "..env.0123456789abcdef.otelctl-new"
    left.write_text("left")
    assert healthy(push(variables, "--to", "dotenv:.env", "--dry-run", cwd=tmp_path))
    assert left.exists()
    assert healthy(push(variables, "--to", "dotenv:.env", cwd=tmp_path))
    assert not left.exists()
    left.mkdir()
    result = push(variables, "--to", "dotenv:.env", cwd=tmp_path)
    assert (result.code, result.found) == (0, ["STORE-LEFTOVER"])


def test_a_push_killed_at_random_converges(variables: dict[str, str], tmp_path: Path) -> None:
    """Killed at any time, a push leaves the file as it was or as it should be; a rerun ends it, with nothing left."""
    chance = random.Random(4)  # noqa: S311  - of nothing but time
    before = f"# {OTHERS}\n" + "A=1\n" * 5000
    file = tmp_path / ".env"
    words = [*COMMAND, "push-secret", "--to", "dotenv:.env", "--yes", "--no-check"]
    file.write_text(before)
    assert healthy(push(variables, "--to", "dotenv:.env", cwd=tmp_path))
    after = file.read_text()
    for _ in range(3 * ROUNDS):
        file.write_text(before)
        # The write comes late in the run: most of the kills fall there.
        with subprocess.Popen(
            words,
            env=environment(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=tmp_path,
        ) as process:
            time.sleep(chance.uniform(0.15, 0.6))
            process.kill()
        assert file.read_text() in (before, after)
    assert healthy(push(variables, "--to", "dotenv:.env", cwd=tmp_path))
    assert file.read_text() == after
    assert [path.name for path in tmp_path.iterdir()] == [".env"]
