"""Tests of what is written into a .env file: our values as python-dotenv and a shell read them, and no other byte."""

from __future__ import annotations

import re
import shutil
import subprocess
from io import StringIO
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given, settings
from hypothesis import strategies as st

from otelctl.facts.store import Refusal, RefusalReason
from otelctl.plan import Action, Plan
from otelctl.plan.dotenv import plan_dotenv, values

URL = "https://g.example/otlp"
HEADER = "Authorization=Basic MTIzOmdsY18rLz0="
WANTED = {"E": URL, "H": HEADER}


def planned(stored: str | None, wanted: dict[str, str] = WANTED) -> Plan:
    """Return the plan, which must not be a refusal."""
    result = plan_dotenv(stored, wanted)
    assert isinstance(result, Plan), result
    return result


def written(stored: str | None, wanted: dict[str, str] = WANTED) -> str:
    """Return the text that the plan would write."""
    return planned(stored, wanted).text.reveal()


def read(text: str) -> dict[str, str | None]:
    """Return what python-dotenv makes of a text."""
    return dict(dotenv_values(stream=StringIO(text)))


def test_a_new_file_holds_our_lines_alone() -> None:
    """Without a file each variable is a line, in quotes where a shell needs them."""
    assert written(None) == f'E={URL}\nH="{HEADER}"\n'


@pytest.mark.parametrize(
    ("stored", "after"),
    [
        ("", f'E={URL}\nH="{HEADER}"\n'),
        ("A=1", f'A=1\nE={URL}\nH="{HEADER}"\n'),
        ("A=1\r\n# c\r\n", f'A=1\r\n# c\r\nE={URL}\r\nH="{HEADER}"\r\n'),
        ("A='x'\n", f"A='x'\nE={URL}\nH='{HEADER}'\n"),
        ("export A=1\nexport B=2\n", f'export A=1\nexport B=2\nexport E={URL}\nexport H="{HEADER}"\n'),
        ("export A=1\nB=2\n", f'export A=1\nB=2\nE={URL}\nH="{HEADER}"\n'),
        ("E=old\nH=old\n", f'E={URL}\nH="{HEADER}"\n'),
        ("H='o'\nA=1\nE=\"o\"\n", f"H='{HEADER}'\nA=1\nE=\"{URL}\"\n"),
        ("E=old # why\nH='x y'\t# and\n", f"E={URL} # why\nH='{HEADER}'\t# and\n"),
        ("E = old\n  export H =  'x'  \n", f"E = {URL}\n  export H =  '{HEADER}'  \n"),
        ("E\nH=\n", f'E={URL}\nH="{HEADER}"\n'),
        ("E= # later\nH=x", f'E={URL} # later\nH="{HEADER}"'),
        ("'E'=x\nH='a\nb' # two lines\n", f"'E'={URL}\nH='{HEADER}' # two lines\n"),
        ("\ufeffE=1\nH=2\n", f'\ufeffE={URL}\nH="{HEADER}"\n'),
        ("E=1\n\n\n# end\n\nH=2", f'E={URL}\n\n\n# end\n\nH="{HEADER}"'),
        (f"E={URL}\nH={HEADER}\n", f"E={URL}\nH={HEADER}\n"),
        ("A=1\rE=2\r", f'A=1\rE={URL}\rH="{HEADER}"\r'),
    ],
)
def test_what_stands_there_is_followed(stored: str, after: str) -> None:
    """Comments, order, spaces, quotes, `export`, line ends and a byte order mark are as before."""
    assert written(stored) == after


def test_the_last_of_several_lines_is_the_one_that_changes() -> None:
    """Where a variable is set twice the last line counts: it changes, the first stays, and the plan says so."""
    plan = planned("E=first\nA=1\nE=second\n")
    assert plan.text.reveal().startswith(f"E=first\nA=1\nE={URL}\n")
    assert plan.shadowed == ("E",)
    assert [change.action for change in plan.changes] == [Action.UPDATE, Action.CREATE]
    assert plan.others == ("A",)


def test_a_last_line_that_is_right_is_kept_though_the_first_differs() -> None:
    """What counts is the last line, and when that is right nothing is written."""
    assert planned(f"E=first\nE={URL}\nH='{HEADER}'\n").unchanged


@pytest.mark.parametrize("text", ["a${B}", "a\nb", "a\0b", "\ud800", "tab\there"])
def test_a_value_that_no_line_can_hold_is_refused(text: str) -> None:
    """What python-dotenv would expand, and what does not print, is refused with the variable's name, not its value."""
    refusal = plan_dotenv("", {"H": text})
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.keys) == (RefusalReason.UNWRITABLE, ("H",))
    assert text not in refusal.detail


def test_a_quote_that_is_never_closed_swallows_nothing_of_ours() -> None:
    """Below an open quote a line of ours would end it: that is refused, and the line is named."""
    refusal = plan_dotenv("A=1\nX='abc\nB=2", {"H": "it's $x"})
    assert refusal == Refusal(RefusalReason.SYNTAX, "the statement in line 2 is broken")


def test_no_value_is_in_the_names() -> None:
    """The diff of a plan holds names alone."""
    plan = planned("PASSWORD=hunter22\nE=old-value\n")
    assert plan.diff() == ("~ E", "+ H", "  not touched (1): PASSWORD")
    assert set(values("PASSWORD=hunter22\nE='old-value'\nX\n")) == {"hunter22", "old-value"}


# Values

# What a file can hold: everything that prints, but for `${`.
VALUE = st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" \u00a0"), max_size=40).filter(
    lambda text: "${" not in text
)
QUOTES = st.sampled_from(["", "'", '"'])


@settings(deadline=None)
@given(value=VALUE, quote=QUOTES)
def test_python_dotenv_reads_what_was_written(value: str, quote: str) -> None:
    """Whatever prints comes back byte for byte, in place of a value in any quotes."""
    old = f"{quote}old{quote}"
    for text in (written(f"H={old}\nZ=1\n", {"H": value}), written(f"Z={old}\n", {"H": value})):
        assert read(text)["H"] == value
        again = plan_dotenv(text, {"H": value})
        assert isinstance(again, Plan)
        assert again.unchanged
        assert again.text.reveal() == text


@pytest.mark.skipif(shutil.which("sh") is None, reason="no shell")
@pytest.mark.parametrize(
    "value",
    [URL, HEADER, "it's", 'a "b"', "a\\b", "$HOME `id`", "a;b&c|d>e#f", "~ * ? [x] {a,b} !x", "a'b\"c\\d", "é ü 😀"],
)
@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_a_shell_reads_what_was_written(tmp_path: Path, value: str, quote: str) -> None:
    """`. file` gives a shell the same text as python-dotenv."""
    file = tmp_path / ".env"
    file.write_text(written(f"H={quote}old{quote}\nZ=1\n", {"H": value}))
    shown = subprocess.run(
        ["sh", "-c", '. ./.env; printf %s "$H"'], cwd=tmp_path, capture_output=True, check=True, timeout=10
    )
    assert shown.stdout.decode() == value


# Whole files

OTHERS = st.sampled_from(
    [
        "# a comment = with signs",
        "",
        "   ",
        "DB=postgres://u:p@h/d?x=1#frag",
        "export PATH_X=/a:/b",
        "A='single # not a comment'",
        'B="double \\" \\n escaped" # comment',
        "C = spaced",
        "D=",
        "FLAG",
        "'quoted key'='v'",
        "M='two\nlines'",
        "I=${DB}/x",
        "ü=1",
        "= no key",
    ]
)
OURS = st.tuples(
    st.sampled_from(["E=", "H=", "export E=", "E = ", "  H="]),
    st.sampled_from(["", "old", "'old one'", '"old \\" one"', "a=b==", "'two\nlines'", "old#x"]),
    st.sampled_from(["", " # why", "\t", "   # x=y"]),
)


@settings(deadline=None)
@given(
    lines=st.lists(st.one_of(OTHERS, OURS), max_size=8),
    newline=st.sampled_from(["\n", "\r\n"]),
    end=st.booleans(),
)
def test_every_other_byte_stays(lines: list[str | tuple[str, str, str]], newline: str, end: bool) -> None:
    """Only the last value of each of ours differs; everything around it, and every other line, is byte for byte."""
    last = {line[0].split("=")[0].split()[-1]: number for number, line in enumerate(lines) if isinstance(line, tuple)}
    texts = [line if isinstance(line, str) else "".join(line) for line in lines]
    stored = newline.join(texts) + (newline if end and texts else "")
    pattern = newline.join(
        re.escape(text)
        if number not in last.values()
        else re.escape(lines[number][0].rstrip()) + r"\s*\S[^\r\n]*" + re.escape(lines[number][2])
        for number, text in enumerate(texts)
    )
    pattern += r"(\r?\n)?((export )?[EH]=[^\r\n]*\r?\n)*"
    text = written(stored)
    assert re.fullmatch(pattern, text), (stored, text)
    assert {**read(stored), **WANTED} == read(text)
    assert planned(text).unchanged
    assert written(text) == text


@settings(deadline=None)
@given(st.text(st.sampled_from(list("EHA=#'\"\\ \n\r\t$xé")), max_size=30))
def test_any_text_is_changed_safely_or_left_alone(stored: str) -> None:
    """However broken a file is, a plan keeps what others read and gives ours, or there is none."""
    plan = plan_dotenv(stored, WANTED)
    if isinstance(plan, Refusal):
        assert plan.reason is RefusalReason.SYNTAX
        return
    text = plan.text.reveal()
    assert {**read(stored), **WANTED} == read(text)
    assert planned(text).unchanged
