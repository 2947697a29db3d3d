"""The text that people read."""

from __future__ import annotations

import dataclasses
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otelctl.model import Certainty, CheckResult, Diagnosis, Report, Severity, Status, Step
from otelctl.render import text
from otelctl.render.line import Style, columns
from otelctl.secret import MASK
from tests.golden.samples import PLAINTEXT, REPORTS, REVERSED, plaintext, reversed_pair


def _failing(diagnosis: Diagnosis, **evidence: str) -> Report:
    finding = diagnosis.found(Certainty.CERTAIN, **evidence)
    return Report("smoke", "0.1.0", "", (CheckResult("a", "all is well", Status.FAILED, (finding,)),))


def test_the_first_two_lines_are_the_cause_and_the_command() -> None:
    """A failure begins with the code and the problem; the very next line is the command, bare but for two spaces."""
    first, second, *_ = text.plain(REPORTS["failed"]).splitlines()
    assert first == "✗ AUTH-REVERSED  The token stands before the instance ID"
    assert second == "  otelctl encode-auth 123456"


def test_without_a_command_the_second_line_is_the_fix() -> None:
    """Where no step has a command, the first step's words stand under the title, and are not said twice."""
    report = _failing(dataclasses.replace(PLAINTEXT, severity=Severity.ERROR), url="http://x")
    shown = text.plain(report)
    assert shown.splitlines()[1] == "  Write https:// in OTEL_EXPORTER_OTLP_ENDPOINT."
    assert shown.count("Write https://") == 1


def test_a_first_step_without_a_command_is_the_second_line() -> None:
    """Where no command mends, a sentence says what to do; a command that only looks around stays in its place."""
    row = dataclasses.replace(REVERSED, fix=(Step("Think."), Step("Look.", "otelctl smoke")), summary="s")
    lines = text.plain(_failing(row)).splitlines()
    assert lines[1] == "  Think."
    assert lines[lines.index("  Look.") + 1] == "  otelctl smoke"


def test_a_certain_error_comes_before_an_earlier_warning() -> None:
    """The root cause is on top even when an earlier check warned; the warning follows."""
    shown = text.plain(REPORTS["failed"])
    assert shown.index("AUTH-REVERSED") < shown.index("URL-PLAINTEXT")


def test_health_begins_with_the_verdict() -> None:
    """A healthy run begins with what passed; no finding, no command."""
    lines = text.plain(REPORTS["healthy"]).splitlines()
    assert lines[0] == "✓ 2 checks passed, 1 skipped"
    assert "explain" not in "\n".join(lines)


def test_a_short_target_stands_in_the_verdict() -> None:
    """A target that fits is part of the first line."""
    report = dataclasses.replace(REPORTS["warned"], target="http://127.0.0.1:4318")
    assert text.plain(report).startswith("✓ 1 check passed, 1 warned: http://127.0.0.1:4318\n")


def test_doubt_is_said() -> None:
    """A finding that the evidence does not prove says so before its title; a certain one says nothing."""
    assert "! URL-PLAINTEXT  likely: The credential" in text.plain(REPORTS["warned"])
    assert "certain" not in text.plain(REPORTS["failed"])


def test_a_crash_is_no_verdict_on_the_set_up() -> None:
    """What could not be told has a question mark, neither tick nor cross."""
    shown = text.plain(REPORTS["crashed"])
    assert shown.startswith("? INTERNAL-CRASH")
    assert not {"✓", "✗"} & set(shown)


def test_what_the_same_command_mends_is_a_line() -> None:
    """Findings that share the mend of the first, and repeats of its code, follow it in a line each."""
    first = reversed_pair()
    other = dataclasses.replace(first, diagnosis=dataclasses.replace(first.diagnosis, code="AUTH-OTHER", title="Ill"))
    findings = (first, other, dataclasses.replace(first), other)
    report = dataclasses.replace(
        REPORTS["failed"], results=(CheckResult("b", "b", Status.FAILED, findings),), facts={}, trace=None
    )
    shown = text.plain(report).splitlines()
    assert shown.count(f"  {first.fix[0].command}") == 1
    at = shown.index("✗ AUTH-OTHER  Ill")
    assert shown[at - 1 : at + 4] == [
        "",
        "✗ AUTH-OTHER  Ill",
        f"✗ {first.code}  {first.title}",
        "✗ AUTH-OTHER  Ill",
        "",
    ]
    assert text.plain(report, verbose=True).count(f"  {first.fix[0].command}\n") == len(findings)


def test_the_same_code_twice_is_explained_once() -> None:
    """A second finding of a code adds what it saw and where, not the cause and the steps again."""
    check = CheckResult("b", "b", Status.FAILED, (dataclasses.replace(reversed_pair(), subject="elsewhere"),))
    report = dataclasses.replace(REPORTS["failed"], results=(*REPORTS["failed"].results, check))
    shown = text.plain(report)
    assert shown.count("The gateway reads") == 1
    assert "Where: elsewhere" in shown


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("ascii_only", [False, True])
def test_prose_fits_eighty_columns(name: str, ascii_only: bool) -> None:
    """No line is wider than 80 columns but commands and the values of facts, which are never broken."""
    for line in text.lines(REPORTS[name], ascii_only=ascii_only):
        styles = {style for _, style in line}
        value = bool(line) and line[0][1] is Style.FAINT and len(line) == 2
        if Style.COMMAND not in styles and not value:
            assert columns("".join(piece for piece, _ in line)) <= 80


def test_a_long_command_stays_on_one_line() -> None:
    """A command is copied whole, however long it is."""
    command = "otelctl push-secret --secret-id " + "very/long/name " * 12
    row = dataclasses.replace(REVERSED, fix=(Step("Do.", command),), summary="s")
    assert f"\n  {command}\n" in text.plain(_failing(row))


def test_a_value_of_several_lines_keeps_its_bytes_in_a_command() -> None:
    """A quoted line break in a command gets no spaces behind it, which would change the value."""
    row = dataclasses.replace(REVERSED, summary="s", fix=(Step("Do.", "otelctl encode-auth {id}"),))
    assert "\n  otelctl encode-auth '1\n2'\n" in text.plain(_failing(row, id="1\n2"))


def test_a_fact_stays_whole_and_aligned() -> None:
    """Values of facts stand in one column, and a query is not broken."""
    lines = text.plain(REPORTS["healthy"]).splitlines()
    trace = next(line for line in lines if "trace ID" in line)
    query = next(line for line in lines if "TraceQL" in line)
    assert trace.index("4bf9") == query.index("{")
    assert query.endswith('break" }')


def test_ascii_output_is_ascii() -> None:
    """For an encoding without our signs, every sign, the mask and the user's own letters become ASCII."""
    report = dataclasses.replace(REPORTS["healthy"], target=f"https://{MASK}@xn.example/ä", facts={"a": "→"})
    shown = text.plain(report, ascii_only=True)
    assert shown.isascii()
    assert shown.startswith("+ 2 checks passed")
    assert "https://****@xn.example/\\xe4" in shown


@given(st.text() | st.text(alphabet="a\x1b[31m\x07\x9b\u202e\u200b\r\n\ud800"))
def test_nothing_steers_the_terminal(hostile: str) -> None:
    """No control, bidirectional or zero-width character of evidence, subject, detail or target gets through."""
    finding = PLAINTEXT.found(Certainty.CERTAIN, hostile, url=hostile)
    check = CheckResult("a", "t", Status.WARNED, (finding,), detail=hostile, reason=hostile)
    shown = text.plain(Report("smoke", "0.1.0", hostile, (check,), {"fact": hostile}), verbose=True)
    steering = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not [char for char in shown if char != "\n" and unicodedata.category(char) in steering]


@given(st.text(alphabet="ab 文字é\u0301", max_size=200), st.integers(min_value=10, max_value=90))
def test_wrapping_loses_no_word(words: str, room: int) -> None:
    """Wrapped lines hold the same words in order, and only a single too long word is wider than the room."""
    lines = text.wrap(words, room)
    assert " ".join(lines).split() == words.split()
    assert all(columns(line) <= room or len(line.split()) == 1 for line in lines)


def test_wide_characters_count_twice() -> None:
    """East Asian wide characters take two columns and combining marks none."""
    assert (columns("文字"), columns("e\u0301"), columns("abc")) == (4, 1, 3)


def test_verbose_adds_evidence_page_and_references() -> None:
    """The evidence, the page and the references are there for those who ask."""
    extra = ("instance_id = 123456", "docs/codes/AUTH-REVERSED.md", "See: RFC 7617")
    assert all(word in text.plain(REPORTS["failed"], verbose=True) for word in extra)
    assert not any(word in text.plain(REPORTS["failed"]) for word in extra)


def test_a_report_of_facts_alone_has_no_verdict() -> None:
    """A command that checked nothing shows its facts and claims nothing."""
    assert text.plain(Report("receive", "0.1.0", "x", (), {"a": "1"})) == "  a  1\n"


def test_warnings_follow_the_verdict() -> None:
    """A run that only warned is told as passed, and the warning comes right after."""
    finding = plaintext()
    shown = text.plain(REPORTS["warned"])
    assert shown.startswith("✓ 1 check passed, 1 warned")
    assert finding.summary in shown


def test_a_warning_that_fails_the_run_leads() -> None:
    """Under --fail-on warning the first line is the warning and not a tick: the text agrees with the exit code."""
    shown = text.plain(REPORTS["warned"], fail_on=Severity.WARNING)
    assert shown.startswith("! URL-PLAINTEXT  likely: The credential goes over plain HTTP\n  Write https://")
    assert "passed" not in shown
