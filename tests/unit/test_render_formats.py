"""The formats that programs read: JSON, JUnit, GitHub annotations, Markdown, and the pages of codes."""

from __future__ import annotations

import dataclasses
import json as stdlib_json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import otelctl.render
from otelctl.model import Certainty, CheckResult, Report, Severity, Status
from otelctl.render import github, json, junit, markdown, page
from otelctl.render.line import join
from otelctl.render.wording import url
from tests.golden.samples import HERE, PLAINTEXT, REPORTS, RETIRED, REVERSED, outputs

SCHEMA = stdlib_json.loads((Path(otelctl.render.__file__).parent / "report.schema.json").read_text(encoding="utf-8"))

# What a server could want to say: commands of a runner, markup, broken encodings.
HOSTILE = st.one_of(
    st.text(),
    st.sampled_from(
        [
            "\n::error::owned",
            "\r::add-mask::x",
            "::stop-commands::t",
            "##[group]x",
            "]]></failure>",
            "\x1b[31m\x00\x07",
            "</td>|<script>`````\n```",
            "[a](javascript:x) ![i](http://x/) <b> https://evil.example www.evil.example",
            "# h\n- l\n1. n\n---",
            "[red]x[/red]",
            "\ud800",
        ]
    ),
)


def _hostile(hostile: str, severity: Severity = Severity.ERROR) -> Report:
    finding = dataclasses.replace(PLAINTEXT, severity=severity).found(Certainty.CERTAIN, hostile, url=hostile)
    results = (
        CheckResult("a", hostile, Status.FAILED, (finding,), detail=hostile),
        CheckResult("b", "b", Status.SKIPPED, reason=hostile),
        CheckResult("c", "c", Status.PASSED, detail=hostile),
    )
    return Report("smoke", "0.1.0", hostile, results, {"fact": hostile})


@pytest.mark.parametrize("name", outputs())
def test_golden(name: str) -> None:
    """Each format of each sample is what it was; `python -m tests.golden.samples` writes them anew after a change."""
    assert (HERE / name).read_text(encoding="utf-8") == outputs()[name]


def test_golden_directory_holds_nothing_else() -> None:
    """Every golden file belongs to a sample."""
    files = {path.name for path in HERE.iterdir() if path.is_file() and path.suffix != ".py"}
    assert files == set(outputs())


@pytest.mark.parametrize("name", REPORTS)
def test_json_keeps_the_published_schema(name: str) -> None:
    """Every report is valid by the published schema, and every key in it is named there."""
    value = json.document(REPORTS[name])
    jsonschema.Draft202012Validator(_closed(SCHEMA)).validate(value)


def test_json_of_an_early_error_keeps_the_schema() -> None:
    """A run that ended before its first check still gives a document of the same shape."""
    value = json.error_document("smoke", "0.1.0", "no such option: --x", 2)
    jsonschema.Draft202012Validator(_closed(SCHEMA)).validate(value)
    assert (value["ok"], value["exit_code"], value["error"]) == (False, 2, "no such option: --x")


def _closed(schema: Any) -> Any:
    """Refuse keys that the schema does not name: readers may meet more, but ours must be documented."""
    if isinstance(schema, dict):
        closed = {key: _closed(value) for key, value in schema.items()}
        if "properties" in closed:
            closed.setdefault("additionalProperties", False)
        return closed
    return [_closed(item) for item in schema] if isinstance(schema, list) else schema


@pytest.mark.parametrize(("fail_on", "code"), [(Severity.ERROR, 0), (Severity.WARNING, 1)])
def test_json_exit_code_follows_fail_on(fail_on: Severity, code: int) -> None:
    """`exit_code` and `ok` are those of the process, warnings counted where the user said so."""
    value = json.document(REPORTS["warned"], fail_on)
    assert (value["exit_code"], value["ok"]) == (code, code == 0)
    assert value["primary"] == ("URL-PLAINTEXT" if code else None)


@given(HOSTILE)
def test_json_is_one_ascii_document(hostile: str) -> None:
    """Whatever a server said, the output is ASCII without control characters and reads back as it was."""
    shown = json.dump(json.document(_hostile(hostile)))
    assert re.fullmatch(r"[ -~\n]+", shown)
    assert stdlib_json.loads(shown)["target"] == hostile


@given(HOSTILE)
def test_junit_is_well_formed(hostile: str) -> None:
    """Characters that XML forbids are replaced; the document parses and counts right."""
    report = _hostile(hostile)
    shown = junit.render(report)
    suite = ET.fromstring(shown.encode()).find("testsuite")  # noqa: S314 - our own document
    assert suite is not None
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "3",
        "failures": "1",
        "errors": "0",
        "skipped": "1",
    }


def test_junit_tells_failure_error_and_warning_apart() -> None:
    """A crash is an `error`; a warning is a note, and a `failure` only under --fail-on warning."""
    assert "<error " in junit.render(REPORTS["crashed"])
    assert "<failure " not in junit.render(REPORTS["warned"])
    assert "<failure " in junit.render(REPORTS["warned"], Severity.WARNING)


@given(HOSTILE, st.sampled_from(Severity))
def test_github_is_one_command_a_finding(hostile: str, severity: Severity) -> None:
    """Server text cannot end our workflow command nor begin one of its own."""
    shown = github.render(_hostile(hostile, severity))
    (line,) = [line for line in re.split("[\r\n]", shown) if line]
    command, properties, message = re.fullmatch(r"::(\w+) title=([^:,]*)::(.*)", line, re.DOTALL).groups()  # type: ignore[union-attr]
    assert command in {"error", "warning", "notice"}
    assert properties.startswith("URL-PLAINTEXT")
    assert message


def test_github_guard_stops_commands() -> None:
    """Text between the guard's lines is shown and not obeyed, with or without a line break at its end."""
    assert github.guarded("::error::x", "t0k") == "::stop-commands::t0k\n::error::x\n::t0k::\n"
    assert github.guarded("x\n", "t0k") == "::stop-commands::t0k\nx\n::t0k::\n"


GFM = MarkdownIt("gfm-like", {"linkify": False}).enable("table")


@given(HOSTILE)
def test_markdown_escape_shows_the_text_itself(hostile: str) -> None:
    """Escaped text renders as one paragraph with the same words and no markup of any kind."""
    escaped = markdown.escape(hostile)
    tokens = GFM.parse(f"x {escaped}") + GFM.parse(escaped.strip())
    kinds = {token.type for token in tokens} | {child.type for token in tokens for child in token.children or ()}
    assert kinds <= {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}


@given(HOSTILE)
def test_markdown_report_keeps_its_frame(hostile: str) -> None:
    """Server text adds no link, no HTML, no row and no heading to a summary."""
    tokens = GFM.parse(markdown.render(_hostile(hostile)))
    inline = [child for token in tokens for child in token.children or ()]
    assert [token.attrGet("href") for token in inline if token.type == "link_open"] == [url(PLAINTEXT)]
    assert not [token for token in [*tokens, *inline] if "html" in token.type or token.type == "image"]
    assert sum(token.type == "tr_open" for token in tokens) == 2 + 4
    assert sum(token.type == "heading_open" for token in tokens) == 2


@pytest.mark.parametrize("inside", ["x", "`", "```", "a\n````sh\nb"])
def test_markdown_fence_is_longer_than_any_inside(inside: str) -> None:
    """A code block ends where we end it."""
    (token,) = GFM.parse(markdown.fenced(inside, "sh"))
    assert (token.type, token.content) == ("fence", inside + "\n")


def test_page_shows_placeholders_by_name() -> None:
    """A page speaks of nobody's values: `<instance-id>` stands for the user's own, unquoted."""
    assert "  otelctl encode-auth <instance-id>\n" in page.text(REVERSED)
    assert page.document(REVERSED)["fix"][0]["command"] == "otelctl encode-auth <instance-id>"
    assert "otelctl encode-auth <instance-id>\n```" in page.markdown(REVERSED)


def test_page_of_a_retired_code_says_so() -> None:
    """A retired row keeps its page, which says that it is retired; the list leaves it out."""
    assert "Retired:" in page.text(RETIRED)
    assert "Retired:" in page.markdown(RETIRED)
    assert join(page.index_lines([REVERSED, RETIRED])).splitlines() == [
        "AUTH-REVERSED  The token stands before the instance ID"
    ]


def test_index_page_links_every_code() -> None:
    """The index names each area's codes with a link to the page, retired ones marked."""
    shown = page.index_markdown({"credential": [REVERSED, RETIRED], "aws": []})
    assert "| [AUTH-REVERSED](AUTH-REVERSED.md) | The token stands before the instance ID | error |" in shown
    assert "| [AUTH-OLD](AUTH-OLD.md) | Nobody sees this any more | retired |" in shown
    assert "Aws" not in shown
