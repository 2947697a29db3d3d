"""What is told of files, the keyring and Parameter Store, and of the texts that they hold."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from otelctl.adapters.file_store import LIMIT, FileStore
from otelctl.diagnose.store import (
    judge_declined,
    judge_key_case,
    judge_leftover,
    judge_readback,
    judge_refusal,
    judge_shadowed,
    judge_store,
)
from otelctl.facts.store import (
    Guard,
    Refusal,
    RefusalReason,
    SecretAbsent,
    StoreConflict,
    StoredSecret,
    StoreFault,
    Written,
)
from otelctl.model import Certainty, Finding, Severity
from otelctl.plan import Plan, alike, plan
from otelctl.plan.dotenv import plan_dotenv
from otelctl.plan.manifest import plan_manifest
from otelctl.secret import Secret
from tests.cases.marks import case, near_miss

DOTENV, K8S, KEYRING, SSM = "dotenv:app/.env", "k8s:app/secret.yaml", "keyring:prod", "ssm:/shop/prod"
WANTED = {"E": "https://g.example/otlp", "H": "Authorization=Basic eA=="}
WHERE = {"region": "eu-west-1", "endpoint": "https://ssm.eu-west-1.amazonaws.com", "profile": "ops"}
PARAMETER = "/shop/prod/otel_exporter_otlp_headers"


def told(findings: tuple[Finding, ...]) -> list[str]:
    """Return the codes; all words are filled in on the way, so that a placeholder without a value fails."""
    for finding in findings:
        assert finding.certainty is Certainty.CERTAIN
        assert finding.subject == "--to"
        assert finding.summary + finding.cause + "".join(f"{step.text}{step.command}" for step in finding.fix)
    return [finding.code for finding in findings]


def judge(
    fact: StoredSecret | SecretAbsent | Written | StoreConflict | StoreFault, place: str = DOTENV
) -> tuple[Finding, ...]:
    """Return the findings about a place."""
    return judge_store(fact, place=place, subject="--to", region="eu-west-1")


def refused(result: Plan | Refusal, place: str) -> list[str]:
    """Return the codes of a refusal, or nothing for a plan."""
    return told(judge_refusal(result, place=place, subject="--to")) if isinstance(result, Refusal) else []


def system(code: str, operation: str = "write") -> StoreFault:
    """Return what the system refused."""
    return StoreFault(operation, code, os.strerror(1))


def aws(code: str, message: str = "the text", status: int | None = 400, **detail: str) -> StoreFault:
    """Return what Parameter Store refused."""
    return StoreFault("PutParameter", code, message, status, {**WHERE, **detail})


# Files

FILE_FAULTS = [
    ("STORE-FOLDER-ABSENT", "ENOENT", "EACCES"),
    ("STORE-FILE-DENIED", "EACCES", "EROFS"),
    ("STORE-FILE-DENIED", "EPERM", "EBUSY"),
    ("STORE-READ-ONLY", "EROFS", "EACCES"),
    ("STORE-DISK-FULL", "ENOSPC", "EIO"),
    ("STORE-DISK-FULL", "EDQUOT", "EROFS"),
    ("STORE-DISK-FULL", "EFBIG", "TooLarge"),
    ("STORE-FILE-BUSY", "EBUSY", "EPERM"),
    ("STORE-FILE-FAULT", "EIO", "ENOSPC"),
]


@pytest.mark.parametrize(
    ("code", "name", "like"),
    [pytest.param(*row, marks=[case(row[0]), near_miss(row[0])], id=f"{row[0]} {row[1]}") for row in FILE_FAULTS],
)
def test_what_the_system_refused_is_named(code: str, name: str, like: str) -> None:
    """Each error of the system has its diagnosis, and one that looks like it another."""
    assert told(judge(system(name))) == [code]
    assert code not in told(judge(system(like)))


@case("STORE-FILE-ABSENT")
@near_miss("STORE-FILE-ABSENT")
@near_miss("STORE-FOLDER-ABSENT")
def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file is one thing, an empty one is none."""
    file = tmp_path / ".env"
    found = FileStore(file).read()
    assert told(judge(found, f"dotenv:{file}")) == ["STORE-FILE-ABSENT"]
    file.touch()
    assert told(judge(FileStore(file).read())) == []


@case("STORE-NOT-A-FILE")
@near_miss("STORE-NOT-A-FILE")
def test_a_folder_in_the_place_of_a_file(tmp_path: Path) -> None:
    """A folder is no file; a link to a file is one."""
    assert told(judge(FileStore(tmp_path).read())) == ["STORE-NOT-A-FILE"]
    (tmp_path / "real").touch()
    (tmp_path / "link").symlink_to("real")
    assert told(judge(FileStore(tmp_path / "link").read())) == []


@case("STORE-FILE-TOO-LARGE")
@near_miss("STORE-FILE-TOO-LARGE")
def test_a_file_beyond_the_limit(tmp_path: Path) -> None:
    """One byte more than the limit is too much, the limit itself is not."""
    file = tmp_path / ".env"
    file.write_bytes(b"#" * (LIMIT + 1))
    assert told(judge(FileStore(file).read())) == ["STORE-FILE-TOO-LARGE"]
    file.write_bytes(b"#" * LIMIT)
    assert told(judge(FileStore(file).read())) == []


@case("STORE-NOT-TEXT")
@near_miss("STORE-NOT-TEXT")
def test_a_file_in_another_encoding(tmp_path: Path) -> None:
    """UTF-16, as PowerShell writes it, is no text here; UTF-8 with a byte order mark is."""
    file = tmp_path / ".env"
    file.write_text("A=1\n", encoding="utf-16")
    assert told(judge(FileStore(file).read())) == ["STORE-NOT-TEXT"]
    assert refused(Refusal(RefusalReason.BINARY), DOTENV) == ["STORE-NOT-TEXT"]
    file.write_text("A=1\n", encoding="utf-8-sig")
    assert told(judge(FileStore(file).read())) == []


@case("STORE-LEFTOVER")
@near_miss("STORE-LEFTOVER")
def test_a_leftover_that_cannot_be_removed(tmp_path: Path) -> None:
    """What a killed write left and nobody could remove is told with its name; what was removed is not."""
    findings = judge_leftover(".env.0123.otelctl-new", place=DOTENV, subject="--to")
    assert told(findings) == ["STORE-LEFTOVER"]
    assert findings[0].severity is Severity.NOTICE
    (tmp_path / "..env.0123.otelctl-new").touch()
    assert FileStore(tmp_path / ".env").tidy() is None


# .env files


@case("STORE-LAYOUT")
@near_miss("STORE-LAYOUT")
def test_a_quote_that_is_never_closed() -> None:
    """Where our line would be swallowed the file is left alone; a broken line of others elsewhere is no matter."""
    value = {"H": "it's $x"}
    assert refused(plan_dotenv("X='abc\n", value), DOTENV) == ["STORE-LAYOUT"]
    assert refused(plan_dotenv("= x\n", value), DOTENV) == []
    assert refused(plan_manifest("kind: Secret\ndata:\n  ? A\n  : b\n", WANTED), K8S) == ["STORE-LAYOUT"]


@case("STORE-VALUE")
@near_miss("STORE-VALUE")
def test_a_value_that_would_be_expanded() -> None:
    """`${` cannot be written so that it stays; a dollar sign alone can."""
    assert refused(plan_dotenv("", {"H": "a${B}"}), DOTENV) == ["STORE-VALUE"]
    assert refused(plan_dotenv("", {"H": "a$B"}), DOTENV) == []
    assert refused(plan("{}", {"H": "x" * 70_000}), SSM) == ["STORE-VALUE"]


@case("STORE-SHADOWED")
@near_miss("STORE-SHADOWED")
def test_a_variable_that_is_set_twice() -> None:
    """Of two lines of ours one does not count, which is worth a notice; two of others are not our business."""
    found = plan_dotenv("E=1\nE=2\n", WANTED)
    assert isinstance(found, Plan)
    findings = judge_shadowed(found.shadowed, place=DOTENV, subject="--to")
    assert told(findings) == ["STORE-SHADOWED"]
    assert findings[0].severity is Severity.NOTICE
    other = plan_dotenv("X=1\nX=2\n", WANTED)
    assert isinstance(other, Plan)
    assert judge_shadowed(other.shadowed, place=DOTENV, subject="--to") == ()


# Manifests

MANIFESTS = [
    ("STORE-NOT-YAML", "kind: Secret\n\tdata: x\n", "kind: Secret\ndata: # \tx\n"),
    ("STORE-NOT-YAML", "kind: Secret\nx: " + "[" * 200 + "]" * 200, "kind: Secret\nx: [[[]]]\n"),
    ("STORE-NO-SECRET", "kind: ConfigMap\ndata: {}\n", "kind: ConfigMap\n---\nkind: Secret\n"),
    ("STORE-SEVERAL-SECRETS", "kind: Secret\n---\nkind: Secret\n", "kind: Secret\n---\nkind: SecretStore\n"),
    ("STORE-SECRET-IMMUTABLE", "kind: Secret\nimmutable: true\n", "kind: Secret\nimmutable: false\n"),
    ("STORE-ENCRYPTED", "kind: Secret\nsops: {}\n", "kind: Secret\nmetadata: {annotations: {sops: no}}\n"),
    ("STORE-ENCRYPTED", "kind: SealedSecret\n", "kind: SealedSecret\n---\nkind: Secret\n"),
    ("STORE-YAML-ALIAS", "kind: Secret\ndata:\n  H: &h x\n", "kind: Secret\ndata:\n  X: &h eA==\n"),
    ("STORE-SECRET-SHAPE", "kind: Secret\ndata:\n  H: [x]\n", "kind: Secret\ndata:\n  H: x\n"),
    (
        "STORE-DUPLICATE-KEYS",
        "kind: Secret\ndata:\n  A: b\n  A: b\n",
        "kind: Secret\ndata: {A: b}\nstringData: {A: b}\n",
    ),
]


@pytest.mark.parametrize(
    ("code", "text", "like"),
    [
        pytest.param(*row, marks=[case(row[0]), near_miss(row[0])], id=f"{row[0]} {n}")
        for n, row in enumerate(MANIFESTS)
    ],
)
def test_a_manifest_that_takes_no_value(code: str, text: str, like: str) -> None:
    """Each kind of manifest that is left alone has its diagnosis, and one that looks like it takes the values."""
    assert refused(plan_manifest(text, WANTED), K8S) == [code]
    assert refused(plan_manifest(like, WANTED), K8S) == []


def test_the_name_of_a_secret_is_no_part_of_the_path() -> None:
    """Commands about the file name the file, and the place as it was given where otelctl is called."""
    (finding,) = judge(system("EACCES"), "k8s:a b/s.yaml#app")
    assert finding.fix[0].command == "ls -ld -- 'a b' 'a b/s.yaml'"
    (finding,) = judge(SecretAbsent("x"), "k8s:a b/s.yaml#app")
    assert finding.fix[1].command == "otelctl push-secret --to 'k8s:a b/s.yaml#app' --create"


# Keyring

KEYRINGS = [
    ("STORE-KEYRING-NONE", "NoKeyringError", "InitError"),
    ("STORE-KEYRING-LOCKED", "KeyringLocked", "NoKeyringError"),
    ("STORE-KEYRING-REFUSED", "PasswordSetError", "KeyringLocked"),
]


@pytest.mark.parametrize(
    ("code", "name", "like"),
    [pytest.param(*row, marks=[case(row[0]), near_miss(row[0])], id=row[0]) for row in KEYRINGS],
)
def test_what_the_keyring_refused_is_named(code: str, name: str, like: str) -> None:
    """Each error of the keyring library has its diagnosis, and one that looks like it another."""
    backend = {"backend": "keyring.backends.SecretService.Keyring"}
    assert told(judge(StoreFault("read", name, "", None, backend), KEYRING)) == [code]
    assert code not in told(judge(StoreFault("read", like, "", None, backend), KEYRING))


@case("STORE-KEYRING-ABSENT")
@near_miss("STORE-KEYRING-ABSENT")
@near_miss("STORE-KEYRING-FOREIGN")
def test_a_profile_that_is_not_there() -> None:
    """A missing profile is a finding, one that was read is none."""
    assert told(judge(SecretAbsent("prod"), KEYRING)) == ["STORE-KEYRING-ABSENT"]
    stored = StoredSecret("prod", Secret('{"instance_id": "1", "token": "t"}'), "v")
    assert told(judge(stored, KEYRING)) == []
    assert stored.text is not None
    assert refused(plan(stored.text.reveal(), {"token": "u"}), KEYRING) == []


@case("STORE-KEYRING-FOREIGN")
@pytest.mark.parametrize("text", ["a password", "[1]", '{"a": 1, "a": 2}'])
def test_an_entry_of_somebody_else(text: str) -> None:
    """An entry that is no object of keys was not written by otelctl."""
    assert refused(plan(text, WANTED), KEYRING) == ["STORE-KEYRING-FOREIGN"]


@case("STORE-NO-PAIR")
@near_miss("STORE-NO-PAIR")
def test_headers_that_are_no_pair() -> None:
    """Headers without ID and token are named as such, and not as a value that does not print."""
    assert refused(Refusal(RefusalReason.NO_PAIR, "no Basic"), KEYRING) == ["STORE-NO-PAIR"]
    assert "STORE-NO-PAIR" not in refused(Refusal(RefusalReason.UNWRITABLE, "x"), KEYRING)


# Parameter Store

DENIED = (
    "User: arn:aws:sts::123456789012:assumed-role/ci/run is not authorized to perform: ssm:PutParameter on resource: "
    "arn:aws:ssm:eu-west-1:123456789012:parameter/shop because no identity-based policy allows the action"
)
KMS = "User: x is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-west-1:1:key/k"
PARAMETERS = [
    ("STORE-SSM-DENIED", aws("AccessDeniedException", DENIED), aws("AccessDeniedException", KMS)),
    ("STORE-SSM-KMS", aws("AccessDeniedException", KMS), aws("AccessDeniedException", DENIED)),
    ("STORE-SSM-KMS", aws("InvalidKeyId", "the key is disabled"), aws("InvalidParameters")),
    ("STORE-SSM-INVALID", aws("ValidationException", "Parameter name must not begin with ssm"), aws("InvalidKeyId")),
    ("STORE-SSM-INVALID", aws("ParameterPatternMismatchException"), aws("ParameterNotFound")),
    ("STORE-SSM-INVALID", aws("HierarchyTypeMismatchException"), aws("InternalServerError", status=500)),
    ("STORE-SSM-LIMIT", aws("ParameterMaxVersionLimitExceeded"), aws("ValidationException")),
    ("STORE-SSM-LIMIT", aws("ParameterLimitExceeded"), aws("ThrottlingException", "Rate exceeded")),
    ("STORE-SSM-THROTTLED", aws("ThrottlingException", "Rate exceeded"), aws("InternalServerError", status=500)),
    ("STORE-SSM-THROTTLED", aws("TooManyUpdates"), aws("ParameterMaxVersionLimitExceeded")),
    ("STORE-SSM-UNREACHABLE", aws("EndpointConnection", status=None), aws("Tls", status=None)),
    ("STORE-SSM-UNREACHABLE", aws("ReadTimeout", status=None), aws("NoRegion", status=None)),
    ("STORE-SSM-FAULT", aws("InternalServerError", status=500), aws("ThrottlingException")),
    ("STORE-SSM-FAULT", aws("NotDescribed", status=None), aws("EndpointConnection", status=None)),
    ("STORE-SSM-FAULT", aws("NotParameterStore", status=200), aws("EndpointConnection", status=None)),
    ("STORE-SSM-HALF", aws("AccessDeniedException", DENIED, written=PARAMETER), aws("AccessDeniedException", DENIED)),
]


@pytest.mark.parametrize(
    ("code", "fact", "like"),
    [
        pytest.param(*row, marks=[case(row[0]), near_miss(row[0])], id=f"{row[0]} {n}")
        for n, row in enumerate(PARAMETERS)
    ],
)
def test_what_parameter_store_refused_is_named(code: str, fact: StoreFault, like: StoreFault) -> None:
    """Each refusal has its diagnosis, and one that looks like it another."""
    assert told(judge(fact, SSM)) == [code]
    assert code not in told(judge(like, SSM))


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("NoCredentials", "AWS-NO-CREDENTIALS"),
        ("NoRegion", "AWS-NO-REGION"),
        ("ProfileNotFound", "AWS-PROFILE"),
        ("ExpiredTokenException", "AWS-TOKEN-EXPIRED"),
        ("UnrecognizedClientException", "AWS-CREDENTIALS-INVALID"),
        ("InvalidEndpoint", "AWS-ENDPOINT-URL"),
        ("Tls", "AWS-TLS"),
    ],
)
def test_what_is_wrong_with_the_caller_has_the_words_of_aws(name: str, code: str) -> None:
    """Credentials, region and profile are the same for every service, and so are their diagnoses."""
    assert told(judge(aws(name), SSM)) == [code]


def test_a_denial_names_who_and_what() -> None:
    """The principal and the action of a denial are taken from AWS's own words."""
    (finding,) = judge(aws("AccessDeniedException", DENIED), SSM)
    assert finding.summary.startswith("arn:aws:sts::123456789012:assumed-role/ci/run may not do ssm:PutParameter")


@case("STORE-SSM-ABSENT")
@near_miss("STORE-SSM-ABSENT")
@near_miss("STORE-SSM-PLAIN")
def test_parameters_that_are_not_there() -> None:
    """Neither of the two is a finding; one of the two is a text like any other."""
    assert told(judge(SecretAbsent("/shop/prod"), SSM)) == ["STORE-SSM-ABSENT"]
    assert told(judge(StoredSecret("/shop/prod", Secret('{"H": "x"}'), "0.1"), SSM)) == []


@case("STORE-SSM-PLAIN")
def test_a_parameter_that_is_no_secure_string() -> None:
    """A plain String is a warning that names the parameter."""
    stored = StoredSecret("/shop/prod", Secret("{}"), "1.1", exposed=(PARAMETER,))
    (finding,) = judge(stored, SSM)
    assert told((finding,)) == ["STORE-SSM-PLAIN"]
    assert finding.severity is Severity.WARNING
    assert f"--name {PARAMETER}" in str(finding.fix[0].command)


# The write


@case("STORE-CONFLICT")
@near_miss("STORE-CONFLICT")
@near_miss("STORE-OVERWROTE")
def test_a_change_in_between() -> None:
    """A conflict that stayed is a finding; a write that was compared before is none."""
    assert told(judge(StoreConflict(".env", "1", "2"))) == ["STORE-CONFLICT"]
    assert told(judge(StoreConflict(".env", "", None))) == ["STORE-CONFLICT"]
    assert told(judge(Written("2", Guard.COMPARE), SSM)) == []


@case("STORE-OVERWROTE")
def test_a_version_of_somebody_else_that_was_put_aside() -> None:
    """What came between is named with its parameter and version."""
    (finding,) = judge(Written("1.4", Guard.COMPARE, displaced=f"{PARAMETER}:3"), SSM)
    assert told((finding,)) == ["STORE-OVERWROTE"]
    assert f"{PARAMETER}:3" in finding.summary
    assert str(finding.fix[0].command).endswith(f"--name {PARAMETER}")


@case("STORE-VERIFY")
@case("STORE-UNVERIFIED")
@near_miss("STORE-VERIFY")
@near_miss("STORE-UNVERIFIED")
def test_a_value_that_does_not_come_back() -> None:
    """Another text is an error; no answer, or nothing there, leaves it open."""
    names = {"place": DOTENV, "subject": "--to"}
    written = Written("2", Guard.SWAP)
    assert told(judge_readback(written, StoredSecret(".env", Secret("x"), "2"), **names)) == ["STORE-VERIFY"]
    for found in (SecretAbsent(".env"), system("EIO", "read")):
        findings = judge_readback(written, found, **names)
        assert told(findings) == ["STORE-UNVERIFIED"]
        assert findings[0].severity is Severity.UNKNOWN


@case("STORE-KEY-CASE")
@near_miss("STORE-KEY-CASE")
def test_a_name_that_differs_in_case() -> None:
    """It is a warning that names both, and the command writes to the other; other names are none of ours."""
    key, other = "OTEL_EXPORTER_OTLP_HEADERS", "otel_exporter_otlp_headers"
    assert alike(key, (other, key, f"{key}_2", "DB")) == (other,)
    (finding,) = judge_key_case("--headers-key", key, (other,), place=DOTENV, subject="--to")
    assert (finding.code, finding.severity) == ("STORE-KEY-CASE", Severity.WARNING)
    assert finding.fix[0].command == f"otelctl push-secret --to {DOTENV} --headers-key {other}"


@case("STORE-NOT-CONFIRMED")
@near_miss("STORE-NOT-CONFIRMED")
def test_a_no_is_no_success() -> None:
    """What was not confirmed is an error whose command asks again, of a secret as of a place; a write is none."""
    for subject in ("--secret-id a b", "--to dotenv:.env"):
        option, _, name = subject.partition(" ")
        (finding,) = judge_declined(f"{option} {name}")
        assert (finding.code, finding.severity) == ("STORE-NOT-CONFIRMED", Severity.ERROR)
        assert shlex.split(finding.fix[0].command or "") == ["otelctl", "push-secret", option, name]
    assert judge_store(Written("2", Guard.SWAP), place=DOTENV, subject="--to") == ()
