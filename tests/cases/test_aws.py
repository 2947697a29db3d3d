"""What is told of AWS Secrets Manager's answers, of the texts that it holds, and of a write."""

from __future__ import annotations

import dataclasses
import shlex
import shutil
import subprocess
from datetime import UTC, datetime

import pytest

from otelctl.diagnose.aws import (
    judge_key_case,
    judge_label,
    judge_previous,
    judge_readback,
    judge_refusal,
    judge_return,
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
from otelctl.secret import Secret
from tests.cases.marks import case, near_miss

SUBJECT = "--secret-id"
NAME = "prod/app"
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/app-AbCdEf"
WHERE = {"region": "eu-west-1", "endpoint": "https://secretsmanager.eu-west-1.amazonaws.com", "profile": "ops"}
DENIED = (
    "User: arn:aws:sts::123456789012:assumed-role/ci/run is not authorized to perform: "
    "secretsmanager:PutSecretValue on resource: prod/app because no identity-based policy allows the "
    "secretsmanager:PutSecretValue action"
)


def fault(code: str, message: str = "the text", status: int | None = 400, **detail: str) -> StoreFault:
    """Return what the service refused, in the region of ARN."""
    return StoreFault("PutSecretValue", code, message, status, {**WHERE, **detail})


def never_sent(code: str, message: str = "the text", **detail: str) -> StoreFault:
    """Return what stopped before a service answered."""
    return StoreFault("GetSecretValue", code, message, None, detail)


def judge(
    fact: StoredSecret | SecretAbsent | Written | StoreConflict | StoreFault, secret_id: str = NAME
) -> tuple[Finding, ...]:
    """Return the findings; their words are filled in on the way, so that a placeholder without a value fails."""
    findings = judge_store(fact, secret_id=secret_id, subject=SUBJECT, region="eu-west-1")
    for finding in findings:
        assert finding.subject == SUBJECT
        assert finding.summary + finding.cause + "".join(f"{step.text}{step.command}" for step in finding.fix)
    return findings


def codes(findings: tuple[Finding, ...]) -> list[str]:
    """Return the codes."""
    return [finding.code for finding in findings]


FAULTS = [
    (
        "AWS-SECRET-DELETED",
        fault(
            "InvalidRequestException",
            "You can't perform this operation on the secret because it was marked for deletion.",
        ),
    ),
    (
        "AWS-SECRET-DELETED",
        fault(
            "InvalidRequestException",
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
        ),
    ),
    (
        "AWS-SECRET-DELETED",
        fault(
            "InvalidRequestException", "You tried to perform the operation on a secret that's currently marked deleted."
        ),
    ),
    (
        "AWS-SECRET-MANAGED",
        fault(
            "InvalidRequestException",
            "The secret is managed by another service, and you must use that service to update it.",
        ),
    ),
    (
        "AWS-SECRET-REPLICA",
        fault(
            "InvalidParameterException",
            "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
        ),
    ),
    ("AWS-ACCESS-DENIED", fault("AccessDeniedException", DENIED)),
    ("AWS-ACCESS-DENIED", fault("AccessDeniedException", "with an explicit deny in a service control policy")),
    ("AWS-ACCESS-DENIED", fault("AccessDenied", "no")),
    ("AWS-KMS-DENIED", fault("AccessDeniedException", "Access to KMS is not allowed")),
    ("AWS-DECRYPTION", fault("DecryptionFailure")),
    ("AWS-DECRYPTION", fault("EncryptionFailure")),
    ("AWS-INVALID-PARAMETER", fault("InvalidParameterException", "Invalid name.")),
    ("AWS-INVALID-PARAMETER", fault("ValidationException", "1 validation error detected")),
    ("AWS-INVALID-REQUEST", fault("InvalidRequestException", "A previous rotation isn't complete.")),
    ("AWS-SECRET-EXISTS", fault("ResourceExistsException", "A resource with the ID you requested already exists.")),
    ("AWS-LIMIT", fault("LimitExceededException", "You have reached the quota of versions")),
    ("AWS-THROTTLED", fault("ThrottlingException", "Rate exceeded")),
    ("AWS-SERVICE-FAULT", fault("InternalServiceError", "An error occurred on the server side.", 500)),
    ("AWS-SERVICE-FAULT", fault("Surprise", "?", 503)),
    ("AWS-FAULT", fault("Surprise")),
    ("AWS-TOKEN-EXPIRED", fault("ExpiredTokenException", "The security token included in the request is expired")),
    (
        "AWS-CREDENTIALS-INVALID",
        fault("UnrecognizedClientException", "The security token included in the request is invalid."),
    ),
    (
        "AWS-CREDENTIALS-INVALID",
        fault("InvalidSignatureException", "The request signature we calculated does not match"),
    ),
    (
        "AWS-CLOCK",
        fault("InvalidSignatureException", "Signature expired: 20261101T100000Z is now earlier than 20261101T110000Z"),
    ),
    (
        "AWS-CLOCK",
        fault("InvalidSignatureException", "Signature not yet current: 20261101T120000Z is still later than"),
    ),
    ("AWS-NOT-SECRETS-MANAGER", fault("404", "", 404)),
    ("AWS-NOT-SECRETS-MANAGER", fault("502", "", 502)),
    ("AWS-NOT-SECRETS-MANAGER", fault("", "", 403)),
    ("AWS-NOT-SECRETS-MANAGER", fault("NotSecretsManager", "the answer holds no ARN", 200)),
    ("AWS-OUTCOME-UNKNOWN", fault("ReadTimeout", status=None, outcome="unknown")),
    ("AWS-NO-CREDENTIALS", never_sent("NoCredentials", "Unable to locate credentials")),
    (
        "AWS-NO-CREDENTIALS",
        never_sent("PartialCredentials", "Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY"),
    ),
    ("AWS-CREDENTIALS-SOURCE", never_sent("CredentialRetrieval")),
    ("AWS-SSO-LOGIN", never_sent("SsoToken", profile="ops")),
    ("AWS-NO-REGION", never_sent("NoRegion", "You must specify a region.")),
    ("AWS-REGION-INVALID", never_sent("InvalidRegion")),
    ("AWS-PROFILE", never_sent("ProfileNotFound", "The config profile (ops) could not be found", profile="ops")),
    ("AWS-CONFIG", never_sent("Config")),
    ("AWS-ENDPOINT-URL", never_sent("InvalidEndpoint", "Invalid endpoint: nonsense")),
    ("AWS-UNREACHABLE", never_sent("EndpointConnection", **WHERE)),
    ("AWS-UNREACHABLE", never_sent("ConnectTimeout", **WHERE)),
    ("AWS-UNREACHABLE", never_sent("ReadTimeout", **WHERE)),
    ("AWS-TLS", never_sent("Tls", **WHERE)),
]

# What a fault looks like at first sight, and is not.
LOOKS_LIKE = {
    "AWS-SECRET-DELETED": ["AWS-INVALID-REQUEST", "AWS-SECRET-NOT-FOUND"],
    "AWS-SECRET-MANAGED": ["AWS-SECRET-DELETED", "AWS-ACCESS-DENIED"],
    "AWS-SECRET-REPLICA": ["AWS-INVALID-PARAMETER", "AWS-WRONG-REGION"],
    "AWS-ACCESS-DENIED": ["AWS-KMS-DENIED", "AWS-CREDENTIALS-INVALID"],
    "AWS-KMS-DENIED": ["AWS-ACCESS-DENIED", "AWS-DECRYPTION"],
    "AWS-INVALID-PARAMETER": ["AWS-SECRET-REPLICA"],
    "AWS-SECRET-EXISTS": ["AWS-FAULT", "AWS-CONFLICT"],
    "AWS-INVALID-REQUEST": ["AWS-SECRET-MANAGED", "AWS-SECRET-EXISTS"],
    "AWS-LIMIT": ["AWS-THROTTLED", "AWS-SECRET-TOO-LARGE"],
    "AWS-THROTTLED": ["AWS-LIMIT", "AWS-SERVICE-FAULT"],
    "AWS-SERVICE-FAULT": ["AWS-FAULT"],
    "AWS-FAULT": ["AWS-NOT-SECRETS-MANAGER"],
    "AWS-TOKEN-EXPIRED": ["AWS-CLOCK", "AWS-SSO-LOGIN"],
    "AWS-CREDENTIALS-INVALID": ["AWS-TOKEN-EXPIRED", "AWS-NO-CREDENTIALS"],
    "AWS-NOT-SECRETS-MANAGER": ["AWS-UNREACHABLE", "AWS-ENDPOINT-URL"],
    "AWS-NO-CREDENTIALS": ["AWS-PROFILE", "AWS-CREDENTIALS-SOURCE"],
    "AWS-NO-REGION": ["AWS-REGION-INVALID"],
    "AWS-REGION-INVALID": ["AWS-NO-REGION"],
    "AWS-PROFILE": ["AWS-CONFIG"],
    "AWS-UNREACHABLE": ["AWS-TLS", "AWS-OUTCOME-UNKNOWN"],
}


@pytest.mark.parametrize(
    ("code", "fact"),
    [
        pytest.param(code, fact, marks=[case(code), near_miss(*LOOKS_LIKE.get(code, ()))], id=f"{code}-{number}")
        for number, (code, fact) in enumerate(FAULTS)
    ],
)
def test_each_fault_has_one_cause(code: str, fact: StoreFault) -> None:
    """A store's refusal gives exactly the one finding that its code and message tell, of a name and of a full ARN."""
    assert codes(judge(fact)) == [code]
    assert codes(judge(fact, ARN)) == [code]


@case("AWS-ACCESS-DENIED")
def test_a_denial_names_who_and_what() -> None:
    """The principal, the missing action and the kind of refusal are taken from AWS's own words."""
    (finding,) = judge(fault("AccessDeniedException", DENIED))
    assert finding.summary == (
        "arn:aws:sts::123456789012:assumed-role/ci/run may not do secretsmanager:PutSecretValue: no policy allows it."
    )
    (finding,) = judge(fault("AccessDeniedException", DENIED.partition(" because")[0] + " with an explicit deny in x"))
    assert finding.evidence["why"] == "a policy denies it outright"
    (finding,) = judge(fault("AccessDeniedException", "no"))
    assert finding.summary == "The caller may not do secretsmanager:PutSecretValue: no."


@case("AWS-SECRET-NOT-FOUND")
@near_miss("AWS-SECRET-EMPTY")
@pytest.mark.parametrize("fact", [SecretAbsent(NAME), fault("ResourceNotFoundException")])
@pytest.mark.parametrize("secret_id", [NAME, ARN])
def test_an_absent_secret(fact: SecretAbsent | StoreFault, secret_id: str) -> None:
    """A secret that is not there is named with its region, and a command makes it by its bare name."""
    (finding,) = judge(fact, secret_id)
    assert finding.code == "AWS-SECRET-NOT-FOUND"
    assert "eu-west-1" in finding.summary
    assert finding.fix[-1].command == "otelctl push-secret --secret-id prod/app --create"


@case("AWS-SECRET-EMPTY")
@near_miss("AWS-SECRET-NOT-FOUND")
def test_an_empty_secret() -> None:
    """A secret without a value exists."""
    assert codes(judge(SecretAbsent(NAME, empty=True))) == ["AWS-SECRET-EMPTY"]


@case("AWS-NO-PREVIOUS")
@near_miss("AWS-NO-PREVIOUS")
def test_a_secret_without_a_version_before() -> None:
    """A secret that was written once has nothing to return to; one that cannot be read is another matter."""
    names = {"secret_id": NAME, "subject": SUBJECT}
    assert codes(judge_previous(SecretAbsent(NAME, empty=True), **names)) == ["AWS-NO-PREVIOUS"]
    assert judge_previous(StoredSecret(ARN, Secret("{}"), "v"), **names) == ()
    assert codes(judge_previous(fault("AccessDeniedException", DENIED), **names)) == ["AWS-ACCESS-DENIED"]


@case("AWS-ROLLBACK-NEWER")
@near_miss("AWS-ROLLBACK-NEWER")
def test_a_return_to_a_newer_version() -> None:
    """Only a version before that was made after the current one is warned of, and only where both times are known."""
    names = {"secret_id": NAME, "subject": SUBJECT}
    old, new, unknown = (
        StoredSecret(ARN, Secret("{}"), version, created=created)
        for version, created in (
            ("v1", datetime(2026, 1, 1, tzinfo=UTC)),
            ("v2", datetime(2026, 1, 2, tzinfo=UTC)),
            ("v3", None),
        )
    )
    (finding,) = judge_return(old, new, **names)
    assert (finding.code, finding.severity) == ("AWS-ROLLBACK-NEWER", Severity.WARNING)
    assert "AWSPREVIOUS at v2 of 2026-01-02 00:00:00 UTC" in finding.summary
    for current, before in ((new, old), (old, old), (unknown, new), (old, unknown)):
        assert judge_return(current, before, **names) == ()


@case("AWS-WRONG-REGION")
@near_miss("AWS-SECRET-NOT-FOUND", "AWS-ACCESS-DENIED", "AWS-INVALID-PARAMETER")
@pytest.mark.parametrize(
    "fact",
    [
        SecretAbsent("x"),
        fault("AccessDeniedException", DENIED),
        fault("InvalidParameterException"),
        fault("ResourceNotFoundException"),
    ],
)
def test_an_arn_of_another_region(fact: SecretAbsent | StoreFault) -> None:
    """When a call with another region's ARN fails, the region is the cause, and the command asks in the ARN's.

    For push-secret that is an option, which wins over one that was given; the commands without it need the variable.
    """
    arn = ARN.replace("eu-west-1", "us-east-1")
    (finding,) = judge(fact, arn)
    assert finding.code == "AWS-WRONG-REGION"
    assert finding.certainty is Certainty.CERTAIN
    again = dataclasses.replace(finding, options=" --profile ops --region eu-west-1").fix[0].command
    assert again == f"otelctl push-secret --secret-id {arn} --region us-east-1 --dry-run --profile ops"
    (finding,) = judge_store(fact, secret_id=arn, subject=f"--from-secret {arn}", region="eu-west-1")
    assert finding.fix[0].command == "export AWS_DEFAULT_REGION=us-east-1"


@near_miss("AWS-WRONG-REGION", "AWS-ARN-SUFFIX")
def test_another_region_is_no_cause_of_what_has_one() -> None:
    """Expired credentials stay the cause, whatever the ARN says; and a secret that was read has no finding."""
    elsewhere = ARN.replace("eu-west-1", "us-east-1")
    assert codes(judge(fault("ExpiredTokenException"), elsewhere)) == ["AWS-TOKEN-EXPIRED"]
    assert judge(StoredSecret(elsewhere, Secret("{}"), "v1"), elsewhere) == ()
    assert judge(StoredSecret(ARN, Secret("{}"), "v1"), ARN) == ()


@case("AWS-ARN-SUFFIX")
@near_miss("AWS-SECRET-NOT-FOUND")
@pytest.mark.parametrize("suffix", [":headers::", ":::", ":headers:AWSCURRENT:"])
def test_an_arn_with_the_suffix_of_ecs(suffix: str) -> None:
    """The valueFrom of a task definition is told from a secret's ARN, and the command names the ARN alone."""
    (finding,) = judge(SecretAbsent("x"), ARN + suffix)
    assert finding.code == "AWS-ARN-SUFFIX"
    assert finding.fix[0].command == f"otelctl push-secret --secret-id {ARN} --dry-run"


@pytest.mark.parametrize("fact", [*[fact for _, fact in FAULTS], SecretAbsent(NAME), SecretAbsent(NAME, empty=True)])
def test_advised_commands_ask_the_same_account_and_region(fact: StoreFault | SecretAbsent) -> None:
    """Every advised command of push-secret or the AWS tool carries profile and region on, each option once."""
    for finding in judge(fact):
        given = dataclasses.replace(finding, options=" --headers-key 'my key' --profile ops --region ap-south-1")
        for command in (step.command or "" for step in given.fix):
            words = shlex.split(command)
            if command.startswith(("otelctl push-secret", "aws ")) and "list-profiles" not in words:
                assert (words.count("--profile"), words.count("--region")) == (1, 1)
                assert ("my key" in words) is command.startswith("otelctl")


@case("AWS-NO-REGION")
def test_the_region_is_taken_from_the_arn() -> None:
    """Where no region is set and the secret is named by ARN, the command holds the ARN's region."""
    found = judge_store(never_sent("NoRegion"), secret_id=ARN, subject=SUBJECT)
    assert found[0].fix[0].command == "export AWS_DEFAULT_REGION=eu-west-1"


def refused(stored: str) -> Refusal:
    """Return the plan's own refusal."""
    refusal = plan(stored, {"k": "v"})
    assert isinstance(refusal, Refusal)
    return refusal


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        pytest.param(refused("Basic x"), "AWS-SECRET-NOT-JSON", marks=case("AWS-SECRET-NOT-JSON")),
        pytest.param(refused("[1]"), "AWS-SECRET-NOT-OBJECT", marks=case("AWS-SECRET-NOT-OBJECT")),
        pytest.param(refused('{"a":1,"a":2}'), "AWS-SECRET-DUPLICATE-KEYS", marks=case("AWS-SECRET-DUPLICATE-KEYS")),
        pytest.param(refused('{"a":' + "[" * 99_999), "AWS-SECRET-TOO-DEEP", marks=case("AWS-SECRET-TOO-DEEP")),
        pytest.param(refused(f'{{"a":"{"x" * 65_536}"}}'), "AWS-SECRET-TOO-LARGE", marks=case("AWS-SECRET-TOO-LARGE")),
        pytest.param(Refusal(RefusalReason.BINARY), "AWS-SECRET-BINARY", marks=case("AWS-SECRET-BINARY")),
    ],
)
def test_a_text_that_takes_no_keys(refusal: Refusal, code: str) -> None:
    """Each reason why a text is left alone has its row, with the place or the names and no value."""
    (finding,) = judge_refusal(refusal, secret_id=NAME, subject=SUBJECT)
    assert finding.code == code
    assert NAME in finding.summary
    assert finding.fix[0].text


@near_miss("AWS-SECRET-NOT-JSON", "AWS-SECRET-NOT-OBJECT", "AWS-SECRET-DUPLICATE-KEYS", "AWS-SECRET-TOO-DEEP")
@near_miss("AWS-SECRET-TOO-LARGE", "AWS-SECRET-BINARY")
@pytest.mark.parametrize(
    "stored",
    [
        ' {"a": 1e400}\n',
        '{"a": {"b": 1, "b": 2}, "A": 1}',
        '{"a": ' + "[" * 200 + "]" * 200 + "}",
        '{"a": "' + "x" * (65_536 - len('{"a": "", "k": "v"}')) + '"}',
    ],
)
def test_a_text_that_takes_keys(stored: str) -> None:
    """Numbers beyond a float, equal names in different objects, deep values and 65,536 bytes are all fine."""
    assert isinstance(plan(stored, {"k": "v"}), Plan)
    assert judge(StoredSecret(NAME, Secret(stored), "v1")) == ()


def piped(finding: Finding, text: str) -> subprocess.CompletedProcess[str]:
    """Return what the advised pipeline makes of a text where AWS would have given it."""
    command = (finding.fix[0].command or "").partition(" | ")[2]
    return subprocess.run(["sh", "-c", command], input=text, capture_output=True, text=True, check=False, timeout=20)


@case("AWS-SECRET-NOT-JSON")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": NaN}', "NaN"),
        ('{"a": [-Infinity]}', "-Infinity"),
        ('\ufeff{"a": 1}', "byte order mark"),
        ("x", "line 1"),
    ],
)
def test_what_is_no_json_is_named_and_found(text: str, said: str) -> None:
    """What other tools let pass is named in the summary, and the advised command stops at it too."""
    (finding,) = judge_refusal(refused(text), secret_id=NAME, subject=SUBJECT)
    assert finding.code == "AWS-SECRET-NOT-JSON"
    assert said in finding.summary
    assert piped(finding, text).returncode != 0
    assert piped(finding, '{"a": 1e400}').returncode == 0


@case("AWS-SECRET-DUPLICATE-KEYS")
@pytest.mark.skipif(shutil.which("jq") is None, reason="the advised command is jq's")
def test_the_advised_command_names_the_keys_that_are_there_twice() -> None:
    """The keys of objects further in, and those that are there once, are not among them."""
    text = '{"a":1,"n":{"x":1,"y":[1,2]},"m":{"x":2},"a":{"z":1},"e":{},"e":[],"o":{"x":1,"x":2}}'
    (finding,) = judge_refusal(refused(text), secret_id=NAME, subject=SUBJECT)
    assert finding.evidence["names"] == "a, e"
    assert piped(finding, text).stdout.split() == ["a", "e"]


@case("AWS-SECRET-KEY-CASE")
@near_miss("AWS-SECRET-KEY-CASE")
def test_a_key_that_differs_in_case() -> None:
    """It is a warning that names both keys, and the command writes to the other; other names are none of ours."""
    key, other = "otel_exporter_otlp_headers", "OTEL_EXPORTER_OTLP_HEADERS"
    assert alike(key, (other, key, f"{key}_2", "db")) == (other,)
    (finding,) = judge_key_case("--headers-key", key, (other,), secret_id=NAME, subject=SUBJECT)
    assert (finding.code, finding.severity) == ("AWS-SECRET-KEY-CASE", Severity.WARNING)
    assert (key in finding.summary, other in finding.summary) == (True, True)
    assert finding.fix[0].command == f"otelctl push-secret --secret-id {NAME} --headers-key {other}"


@case("AWS-SECRET-BINARY")
def test_a_binary_secret_that_was_read() -> None:
    """A secret without text is found by reading already."""
    assert codes(judge(StoredSecret(NAME, None, "v1"))) == ["AWS-SECRET-BINARY"]


@case("AWS-CONFLICT")
def test_a_conflict_that_does_not_end() -> None:
    """Both versions are named: the one that was expected and the one that was found."""
    (finding,) = judge(StoreConflict(NAME, "v1", "v2"))
    assert (finding.code, finding.evidence["expected"], finding.evidence["found"]) == ("AWS-CONFLICT", "v1", "v2")
    assert codes(judge(StoreConflict(NAME, "", None))) == ["AWS-CONFLICT"]


@near_miss("AWS-CONFLICT", "AWS-GUARD-WEAK", "AWS-OVERWROTE", "AWS-LABEL-LEFT")
def test_a_write_under_the_swap_is_fine() -> None:
    """A write guarded by the service, even after conflicts, gives no finding."""
    assert judge(Written("v2", Guard.SWAP, attempts=4)) == ()


@case("AWS-GUARD-WEAK")
@near_miss("AWS-OVERWROTE")
def test_a_write_that_only_compared() -> None:
    """The weaker guard is a warning that names the missing permission."""
    (finding,) = judge(Written("v2", Guard.COMPARE))
    assert (finding.code, finding.severity) == ("AWS-GUARD-WEAK", Severity.WARNING)
    assert "UpdateSecretVersionStage" in finding.summary


@case("AWS-OVERWROTE", "AWS-GUARD-WEAK")
def test_a_write_that_put_somebody_aside() -> None:
    """A version that came between is named first, with the command that shows its keys."""
    findings = judge(Written("v3", Guard.COMPARE, displaced="v2"))
    assert codes(findings) == ["AWS-OVERWROTE", "AWS-GUARD-WEAK"]
    assert "--version-id v2" in (findings[0].fix[0].command or "")


@case("AWS-ROTATION-PENDING")
@near_miss("AWS-ROTATION-PENDING")
def test_a_write_beside_a_rotation() -> None:
    """A version that a rotation had prepared is a warning that names it, and without one there is none."""
    (finding,) = judge(Written("v3", Guard.SWAP, pending="v2"))
    assert (finding.code, finding.severity) == ("AWS-ROTATION-PENDING", Severity.WARNING)
    assert "v2 under AWSPENDING" in finding.summary
    assert judge(Written("v3", Guard.SWAP)) == ()


@case("AWS-LABEL-LEFT")
def test_a_label_that_stayed() -> None:
    """Our label left behind is a notice, after a write and after a run that wrote nothing."""
    (finding,) = judge(Written("v2", Guard.SWAP, label_left="OTELCTL"))
    assert (finding.code, finding.severity) == ("AWS-LABEL-LEFT", Severity.NOTICE)
    assert judge_label("OTELCTL", secret_id=NAME, subject=SUBJECT) == (finding,)


@case("AWS-VERIFY")
@near_miss("AWS-UNVERIFIED")
def test_another_text_read_back() -> None:
    """A text that differs under the version just written is an error that names the endpoint."""
    found = StoredSecret(NAME, Secret("{}"), "v2")
    written = Written("v2", Guard.SWAP)
    (finding,) = judge_readback(written, found, secret_id=NAME, subject=SUBJECT, endpoint="http://127.0.0.1:5000")
    assert finding.code == "AWS-VERIFY"
    assert "http://127.0.0.1:5000" in finding.cause


@case("AWS-UNVERIFIED")
@near_miss("AWS-VERIFY")
@pytest.mark.parametrize("found", [SecretAbsent(NAME), fault("ThrottlingException")])
def test_nothing_read_back(found: SecretAbsent | StoreFault) -> None:
    """A write whose read-back failed is neither good nor bad."""
    (finding,) = judge_readback(Written("v2", Guard.SWAP), found, secret_id=NAME, subject=SUBJECT)
    assert (finding.code, finding.severity) == ("AWS-UNVERIFIED", Severity.UNKNOWN)


def test_a_long_message_is_bounded() -> None:
    """A server's text takes 300 characters at most."""
    (finding,) = judge(fault("Surprise", "x" * 5000))
    assert len(finding.summary) < 400
