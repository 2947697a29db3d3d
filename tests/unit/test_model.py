"""The model: evidence, commands, and which finding is the root."""

from __future__ import annotations

import itertools
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otelctl.model import Certainty, CheckResult, Diagnosis, Finding, Report, Severity, Status, Step, status_of

CERTAIN, LIKELY, POSSIBLE = Certainty.CERTAIN, Certainty.LIKELY, Certainty.POSSIBLE
ROW = Diagnosis(
    "AUTH-X",
    "The pair is wrong",
    Severity.ERROR,
    "{host} says {text}.",
    "Because.",
    (Step("Look at {host}.", "otelctl check-endpoint {host} --signal logs"), Step("Set it.", "{mend_command}")),
)


def row(severity: Severity, code: str = "AUTH-X") -> Diagnosis:
    """Return a diagnosis without evidence."""
    return Diagnosis(code, "It is so", severity, "Seen.", "Because.", (Step("Do."),))


def report(*checks: tuple[Finding, ...], status: Status | None = None) -> Report:
    """Return a report of checks with these findings."""
    results = (
        CheckResult(str(at), "good", status or status_of(findings), findings) for at, findings in enumerate(checks)
    )
    return Report("check-endpoint", "0", "x", tuple(results))


def test_evidence_is_neither_missing_nor_surplus() -> None:
    """A finding is made of exactly the evidence that its words need."""
    assert ROW.placeholders == {"host", "text", "mend_command"}
    with pytest.raises(ValueError, match=r"missing evidence \[mend_command, text\]"):
        ROW.found(CERTAIN, host="x")
    with pytest.raises(ValueError, match=r"surplus evidence \[more\]"):
        ROW.found(CERTAIN, host="x", text="y", mend_command="z", more=1)


@given(host=st.text(), text=st.text())
def test_evidence_cannot_leave_its_word(host: str, text: str) -> None:
    """Whatever the evidence: in a command it is one word, in a sentence it is itself, braces included."""
    finding = ROW.found(CERTAIN, host=host, text=text, mend_command="a 'command' of ours")
    assert finding.summary == f"{host} says {text}."
    look, mend = finding.fix
    assert look.text == f"Look at {host}."
    assert look.command is not None
    assert shlex.split(look.command) == ["otelctl", "check-endpoint", host, "--signal", "logs"]
    assert mend.command == "a 'command' of ours"


SURE = {CERTAIN: 0, LIKELY: 1, POSSIBLE: 2}


@pytest.mark.parametrize(
    ("findings", "primary"),
    [
        ([], None),
        ([(Severity.WARNING, CERTAIN)], None),
        ([(Severity.NOTICE, CERTAIN)], None),
        ([(Severity.UNKNOWN, CERTAIN)], 0),
        ([(Severity.UNKNOWN, CERTAIN), (Severity.ERROR, POSSIBLE)], 1),
        ([(Severity.ERROR, LIKELY), (Severity.ERROR, CERTAIN)], 1),
        ([(Severity.ERROR, CERTAIN), (Severity.ERROR, CERTAIN)], 0),
        ([(Severity.ERROR, POSSIBLE), (Severity.ERROR, LIKELY)], 0),
        ([(Severity.WARNING, CERTAIN), (Severity.ERROR, POSSIBLE)], 1),
    ],
)
def test_the_root_cause(findings: list[tuple[Severity, Certainty]], primary: int | None) -> None:
    """The earliest certain error leads, else the earliest error, else what could not be told; a warning never."""
    made = [row(severity, f"AUTH-{at}").found(sure) for at, (severity, sure) in enumerate(findings)]
    found = report(*((one,) for one in made)).primary
    assert found == (None if primary is None else made[primary])


def test_exit_codes() -> None:
    """0 is healthy, 1 found something as bad as asked for, 3 could not tell; the worst that was found decides."""
    for severities in itertools.chain.from_iterable(itertools.combinations(Severity, n) for n in range(5)):
        one = report(tuple(row(severity).found(CERTAIN) for severity in severities))
        for fail_on, counted in (
            (Severity.ERROR, {Severity.ERROR}),
            (Severity.WARNING, {Severity.ERROR, Severity.WARNING}),
            (Severity.NOTICE, {Severity.ERROR, Severity.WARNING, Severity.NOTICE}),
        ):
            if counted & set(severities):
                expected = 1
            else:
                expected = 3 if Severity.UNKNOWN in severities and Severity.ERROR not in severities else 0
            assert one.exit_code(fail_on) == expected


def test_errors_never_exit_with_0() -> None:
    """However sure and wherever it stands: a report with an error in it does not exit with 0."""
    for sure in Certainty:
        for fail_on in (Severity.ERROR, Severity.WARNING, Severity.NOTICE):
            assert report((), (row(Severity.ERROR).found(sure),), ()).exit_code(fail_on) == 1


def test_a_crash_exits_with_3() -> None:
    """A crashed check could not tell, whatever its finding's severity."""
    assert report((), status=Status.CRASHED).exit_code() == 3


@pytest.mark.parametrize(
    ("severities", "status"),
    [
        ((), Status.PASSED),
        ((Severity.NOTICE,), Status.PASSED),
        ((Severity.WARNING, Severity.NOTICE), Status.WARNED),
        ((Severity.WARNING, Severity.UNKNOWN), Status.UNKNOWN),
        ((Severity.UNKNOWN, Severity.ERROR), Status.FAILED),
    ],
)
def test_the_status_of_findings(severities: tuple[Severity, ...], status: Status) -> None:
    """The worst finding makes the status of a check."""
    assert status_of(tuple(row(severity).found(CERTAIN) for severity in severities)) is status


def test_what_makes_a_place_rolls_nothing_back() -> None:
    """A command that makes a place anew takes the options on, but for --rollback, beside which it is wrong use."""
    row_ = Diagnosis(
        "AWS-X", "It is so", Severity.ERROR, "Seen.", "Because.",
        (Step("Make it.", "otelctl push-secret --secret-id x --create"),
         Step("See.", "otelctl push-secret --secret-id x --dry-run"),
         Step("List.", "aws secretsmanager list-secrets --region eu-west-1 | head"),
         Step("Profiles.", "aws configure list-profiles")),
    )  # fmt: skip
    options = " --rollback --region us-east-1 --profile 'o p'"
    found = Finding(row_, CERTAIN, "", {}, options)
    assert [step.command for step in found.fix] == [
        "otelctl push-secret --secret-id x --create --region us-east-1 --profile 'o p'",
        "otelctl push-secret --secret-id x --dry-run --rollback --region us-east-1 --profile 'o p'",
        "aws --profile 'o p' secretsmanager list-secrets --region eu-west-1 | head",
        "aws configure list-profiles",
    ]
