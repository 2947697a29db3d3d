"""What holds for every row of the catalogue."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import otelctl
from docs.generate import LOCK
from otelctl.catalog import AREAS, area_of, every, lookup, rows
from otelctl.model import Certainty, Diagnosis, Severity

PACKAGE = Path(otelctl.__file__).parent
TESTS = Path(__file__).parents[1]
ROWS = every()
EACH = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)

# A title that begins so tells what to do, and the first line of a report must tell what is wrong.
IMPERATIVES = {
    "Add",
    "Append",
    "Ask",
    "Build",
    "Change",
    "Check",
    "Choose",
    "Copy",
    "Create",
    "Drop",
    "Encode",
    "Export",
    "Fix",
    "Give",
    "Install",
    "Make",
    "Open",
    "Pass",
    "Put",
    "Remove",
    "Rename",
    "Replace",
    "Restart",
    "Run",
    "Send",
    "Set",
    "Strip",
    "Take",
    "Try",
    "Turn",
    "Update",
    "Upgrade",
    "Use",
    "Verify",
    "Wait",
    "Write",
}


def test_codes_are_unique() -> None:
    """No two rows of any areas share a code."""
    codes = [row.code for area in AREAS for row in rows(area)]
    assert len(codes) == len(set(codes))


def test_every_area_has_its_modules() -> None:
    """Each module of the catalogue is an area that is known, and the other way about."""
    modules = {path.stem for path in (PACKAGE / "catalog").glob("*.py")} - {"__init__"}
    assert modules == set(AREAS)


def test_every_row_is_listed() -> None:
    """A Diagnosis that a module of the catalogue defines is in its ROWS, or nobody could look it up."""
    for area in AREAS:
        module = importlib.import_module(f"otelctl.catalog.{area}")
        defined = {value.code for value in vars(module).values() if isinstance(value, Diagnosis)}
        assert defined <= {row.code for row in rows(area)}


def test_no_code_vanished() -> None:
    """Every code that was ever released is still a row, retired or not; a new one is in the lock."""
    assert set(LOCK.read_text(encoding="utf-8").split()) == set(ROWS)


@EACH
def test_the_code_tells_its_area(row: Diagnosis) -> None:
    """A code is AREA-WHAT in capitals, and its prefix leads to the module that holds it."""
    assert re.fullmatch(r"[A-Z]+(-[A-Z0-9]+)+", row.code)
    area = area_of(row.code)
    assert area is not None
    assert row in rows(area)
    assert lookup(row.code.lower()) is row


@EACH
def test_the_title_names_the_problem(row: Diagnosis) -> None:
    """A title is no advice, ends in no full stop, and fits beside its code in 80 columns."""
    assert row.title.split()[0] not in IMPERATIVES
    assert not row.title.endswith((".", "!", " "))
    assert len(f"✗ {row.code}  {row.title}") <= 80
    assert "{" not in row.title


@EACH
def test_the_words_can_be_filled(row: Diagnosis) -> None:
    """With every piece of evidence given, summary, cause and steps are whole sentences, and each command parses."""
    evidence = dict.fromkeys(row.placeholders, "an example")
    finding = row.found(Certainty.CERTAIN, **evidence)
    assert all(name.isidentifier() for name in row.placeholders)
    assert finding.summary
    assert finding.cause.endswith((".", "?", ".)"))
    for step in finding.fix:
        assert step.text.endswith((".", "?", ":"))
        if step.command is not None:
            assert step.command == step.command.strip()
            subprocess.run(["sh", "-n", "-c", step.command], check=True, timeout=10)


@EACH
def test_evidence_is_no_secret_by_its_name(row: Diagnosis) -> None:
    """No row asks for a secret as evidence: reports, logs and commands show evidence."""
    assert not row.placeholders & {"token", "password", "authorization", "credential", "key"}


@EACH
def test_what_breaks_can_be_mended(row: Diagnosis) -> None:
    """An error or a warning says at least one thing to do."""
    assert row.fix or row.retired or row.severity in (Severity.NOTICE, Severity.UNKNOWN)


@EACH
def test_references_can_be_followed(row: Diagnosis) -> None:
    """A reference is an address over TLS or the number of an RFC."""
    assert all(re.match(r"https://[\w.-]+/\S*$|RFC \d+", reference) for reference in row.references)


def _advised() -> Iterator[str]:
    """Yield every `otelctl …` that a row advises or that our own code puts together, placeholders filled in."""
    for row in ROWS.values():
        for step in row.found(Certainty.CERTAIN, **dict.fromkeys(row.placeholders, "1")).fix:
            yield from re.findall(r"\botelctl [^)|;&`]*", step.command or "")
        for words in (row.summary, row.cause, *(step.text for step in row.fix)):
            yield from re.findall(r"`(otelctl [^`]*)`", words)
    for path in sorted(PACKAGE.rglob("*.py")):
        if "catalog" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                # A value on its own is an argument; one that is glued to a word may be empty.
                pieces = (str(piece.value) if isinstance(piece, ast.Constant) else "\0" for piece in node.values)
                text = re.sub(r"(?<![\w\0-])\0", "1", "".join(pieces)).replace("\0", "")
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value
            else:
                continue
            # One line that begins as a command does, and is neither a sentence nor the name of our test span.
            if re.match(r"otelctl (?!test )[a-z-]+( |$)", text) and "\n" not in text and not text.endswith("."):
                yield text


ADVISED = sorted({" ".join(command.split()) for command in _advised()})


@pytest.fixture(scope="module")
def program() -> Any:
    """The commands as Typer built them."""
    from otelctl.cli.app import build  # noqa: PLC0415 - only this test needs Typer

    return build()


@pytest.mark.parametrize("command", ADVISED)
def test_every_advised_command_exists(command: str, program: Any) -> None:
    """Each `otelctl …` that a fix advises is a command of this version, with the options that it is advised with."""
    _, *words = shlex.split(command, comments=True)
    context = program.context_class(program, info_name="otelctl")
    known = program
    if not words[0].startswith("-"):
        known = program.get_command(context, words.pop(0))
        assert known is not None
    options = {name for parameter in known.get_params(context) for name in (*parameter.opts, *parameter.secondary_opts)}
    assert {word.partition("=")[0] for word in words if word.startswith("-") and word != "-"} <= options


@pytest.fixture(scope="module")
def marked() -> dict[str, set[str]]:
    """The codes that tests/cases marks, by the name of the mark, as pytest itself collects them."""
    script = (
        "import pytest, sys\n"
        "class Marks:\n"
        "    def pytest_collection_modifyitems(self, items):\n"
        "        for item in items:\n"
        "            for mark in item.iter_markers():\n"
        "                if mark.name in ('case', 'near_miss'):\n"
        "                    print('\\n@', mark.name, *mark.args[0])\n"
        "sys.exit(pytest.main(['--collect-only', '-q', '-p', 'no:cacheprovider', sys.argv[1]], plugins=[Marks()]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(TESTS / "cases")],
        capture_output=True,
        text=True,
        cwd=TESTS.parent,
        check=False,
        timeout=50,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, set[str]] = {"case": set(), "near_miss": set()}
    for line in done.stdout.splitlines():
        if line.startswith("@ "):
            _, mark, *codes = line.split()
            found[mark].update(codes)
    return found


@pytest.mark.parametrize("mark", ["case", "near_miss"])
def test_every_diagnosis_is_met_and_nearly_met(mark: str, marked: dict[str, set[str]]) -> None:
    """Each code has a test that gives it and one that looks like it and must not; no mark names an unknown code."""
    live = {code for code, row in ROWS.items() if not row.retired}
    assert marked[mark] >= live, f"without a {mark}: {', '.join(sorted(live - marked[mark]))}"
    assert marked[mark] <= set(ROWS)
