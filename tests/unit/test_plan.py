"""Tests of the plan: what it changes in a stored text, and that it changes nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otelctl.facts.store import Refusal, RefusalReason
from otelctl.plan import MAX_BYTES, Action, Plan, difference, plan

WANTED = {
    "otel_exporter_otlp_endpoint": "https://g.example/otlp",
    "otel_exporter_otlp_headers": "Authorization=Basic eA==",
}


def planned(stored: str | None, wanted: dict[str, str]) -> Plan:
    """Return the plan, which must not be a refusal."""
    result = plan(stored, wanted)
    assert isinstance(result, Plan), result
    return result


def refused(stored: str, wanted: dict[str, str] = WANTED) -> Refusal:
    """Return the refusal, which must not be a plan."""
    result = plan(stored, wanted)
    assert isinstance(result, Refusal), result
    return result


@pytest.mark.parametrize(
    ("stored", "after"),
    [
        ("{}", '{"k": "v", "l": "w"}'),
        ("{ }", '{ "k": "v", "l": "w" }'),
        ("{\n}", '{\n  "k": "v",\n  "l": "w"\n}'),
        ("{\r\n}\r\n", '{\r\n  "k": "v",\r\n  "l": "w"\r\n}\r\n'),
        ('{"a":1}', '{"a":1,"k":"v","l":"w"}'),
        ('{"a": 1}', '{"a": 1, "k": "v", "l": "w"}'),
        ('{ "a":1 }', '{ "a":1, "k":"v", "l":"w" }'),
        ('{"a":1 ,"b" : 2}', '{"a":1 ,"b" : 2 ,"k" : "v" ,"l" : "w"}'),
        ('{\n\t"a": 1\n}\n', '{\n\t"a": 1,\n\t"k": "v",\n\t"l": "w"\n}\n'),
        ('{\n    "a": 1,\n    "b": 2\n}', '{\n    "a": 1,\n    "b": 2,\n    "k": "v",\n    "l": "w"\n}'),
        ('{"k":"old","z":1e400}', '{"k":"v","z":1e400,"l":"w"}'),
        ('{"l": null, "k": {"x": [1.10]}}', '{"l": "w", "k": "v"}'),
        ('{"\\u006b":"\\u0076","l":"w"}', '{"\\u006b":"\\u0076","l":"w"}'),
    ],
)
def test_new_keys_follow_the_style_that_is_there(stored: str, after: str) -> None:
    """Values are replaced in place, and new keys take the separators, indentation and newlines of the object."""
    assert planned(stored, {"k": "v", "l": "w"}).text.reveal() == after


def test_an_absent_text_becomes_an_object_of_our_keys_alone() -> None:
    """Where nothing is stored, the text is an object that holds the wanted keys."""
    made = planned(None, WANTED)
    assert json.loads(made.text.reveal()) == WANTED
    assert [change.action for change in made.changes] == [Action.CREATE, Action.CREATE]


def test_numbers_and_escapes_that_no_parser_keeps_survive() -> None:
    """A float beyond range, trailing zeros, 5,000 digits and escapes stay as they are written."""
    digits = "9" * 5000
    stored = f'{{"a": 1e400, "b": 1.10, "c": "\\u00e9\\/é", "d": {digits}, "e": -0.0, "f": {{"x": 1, "x": 2}}}}'
    assert planned(stored, {"k": "v"}).text.reveal() == stored[:-1] + ', "k": "v"}'


def test_the_same_values_are_a_no_op() -> None:
    """When every wanted key has its value already, nothing is to be written and the text is the same."""
    stored = json.dumps({"password": "x", **WANTED}, indent=3)
    same = planned(stored, WANTED)
    assert same.unchanged
    assert same.text.reveal() == stored


def test_a_number_that_looks_like_the_wanted_string_is_replaced() -> None:
    """The number 5 is not the string "5"."""
    assert planned('{"k":5}', {"k": "5"}).text.reveal() == '{"k":"5"}'


def test_the_diff_names_keys_and_never_values() -> None:
    """A diff shows each wanted key with its sign and the names of the others; no value, old or new, is in it."""
    shown = planned(
        '{"db_password": "hunter22", "k": "old-value", "l": "same"}', {"k": "new-value", "l": "same", "m": "1"}
    )
    assert shown.diff() == ("~ k", "= l", "+ m", "  not touched (1): db_password")
    assert "value" not in repr(shown)
    assert "hunter22" not in repr(shown)


def test_a_key_with_control_characters_is_shown_escaped() -> None:
    """A stored key name cannot send control sequences to the terminal."""
    assert planned('{"\\u001b[2J": 1}', {}).diff() == ('  not touched (1): "\\u001b[2J"',)


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        ("", RefusalReason.NOT_JSON),
        ("Authorization=Basic eA==", RefusalReason.NOT_JSON),
        ("{'a': 1}", RefusalReason.NOT_JSON),
        ('{"a": 1,}', RefusalReason.NOT_JSON),
        ('{"a" 1}', RefusalReason.NOT_JSON),
        ('{"a": 1 "b": 2}', RefusalReason.NOT_JSON),
        ('{"a": 1}}', RefusalReason.NOT_JSON),
        ('{"a": 1', RefusalReason.NOT_JSON),
        ('{"a": NaN}', RefusalReason.NOT_JSON),
        ('{"a": -Infinity}', RefusalReason.NOT_JSON),
        ('{"a": "\t"}', RefusalReason.NOT_JSON),
        ('\ufeff{"a": 1}', RefusalReason.NOT_JSON),
        ("[]", RefusalReason.NOT_OBJECT),
        ('"text"', RefusalReason.NOT_OBJECT),
        ("12.50", RefusalReason.NOT_OBJECT),
        ("null", RefusalReason.NOT_OBJECT),
        ("true", RefusalReason.NOT_OBJECT),
        ('{"a": 1, "a": 1}', RefusalReason.DUPLICATE_KEYS),
        ('{"a": 1, "\\u0061": 1}', RefusalReason.DUPLICATE_KEYS),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", RefusalReason.TOO_DEEP),
    ],
)
def test_a_text_that_cannot_take_keys_is_refused(stored: str, reason: RefusalReason) -> None:
    """What is no JSON object, or one that a reader would cut in silence, is left alone with its reason."""
    assert refused(stored).reason is reason


def test_a_refusal_names_the_place_and_not_the_text() -> None:
    """The position of a mistake is given in line and column; nothing of the stored text is repeated."""
    refusal = refused('{"a": 1,\n "password": hunter22}')
    assert "line 2, column 14" in refusal.detail
    assert "hunter22" not in repr(refusal)


def test_the_limit_of_the_service_is_met_to_the_byte() -> None:
    """65,536 bytes of UTF-8 pass, one more is refused, and characters of two bytes count twice."""
    frame = len('{"p": "", "k": "v"}')
    fits = '{"p": "' + "x" * (MAX_BYTES - frame) + '"}'
    assert len(planned(fits, {"k": "v"}).text.reveal()) == MAX_BYTES
    assert refused(fits.replace("x", "xx", 1), {"k": "v"}).size == MAX_BYTES + 1
    assert refused(fits.replace("x", "é", 1), {"k": "v"}).reason is RefusalReason.TOO_LARGE


def test_a_full_secret_that_needs_no_change_is_no_refusal() -> None:
    """The limit counts only where something is to be written."""
    assert planned('{"p": "' + "x" * MAX_BYTES + '", "k": "v"}', {"k": "v"}).unchanged


def test_a_way_back_is_shown_by_names() -> None:
    """The preview of a rollback names the keys that change, appear and vanish, and lists the others."""
    back = difference('{"a": 1.0, "b": "x", "c": "y", "e": "é"}', '{"a": 1.00, "b": "x", "d": "z", "e": "\\u00e9"}')
    assert isinstance(back, Plan)
    assert back.diff() == ("- c", "~ a", "+ d", "  not touched (2): b, e")


@pytest.mark.parametrize(("old", "new"), [("[]", "{}"), ("{}", "[]")])
def test_no_way_back_is_shown_from_or_to_something_else(old: str, new: str) -> None:
    """Both sides of a rollback must be JSON objects for names to be shown."""
    assert isinstance(difference(old, new), Refusal)


SPACES = st.text(" \t\n\r", max_size=3)
SCALARS = st.sampled_from(
    ["1e400", "1.10", "-0", "true", "null", "12345678901234567890.5E-7", '"\\ud83d\\ude00"', "[]", "{}"]
)
VALUES = st.recursive(
    SCALARS
    | st.text(max_size=8).map(json.dumps)
    | st.text(max_size=8).map(lambda text: json.dumps(text, ensure_ascii=False)),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: "[" + " , ".join(items) + "]")
        | st.dictionaries(st.text(max_size=3), inner, max_size=3).map(
            lambda members: "{" + ",".join(f"{json.dumps(key)}:{value}" for key, value in members.items()) + "}"
        )
    ),
    max_leaves=6,
)
KEYS = st.text(max_size=6)


@st.composite
def objects(draw: st.DrawFn) -> list[str]:
    """Return an object in pieces: the opening, four for each member (the last is its value), the closing."""
    members = draw(st.dictionaries(KEYS, VALUES, max_size=5))
    pieces = [draw(SPACES) + "{"]
    for number, (key, value) in enumerate(members.items()):
        comma = draw(SPACES) + "," if number else ""
        name = json.dumps(key, ensure_ascii=draw(st.booleans()))
        pieces += [comma + draw(SPACES), name, draw(SPACES) + ":" + draw(SPACES), value]
    return [*pieces, draw(SPACES) + "}" + draw(SPACES)]


def loaded(text: str) -> dict[str, object]:
    """Return what a text means, with numbers as they are written."""
    meaning: dict[str, object] = json.loads(text, parse_float=str, parse_int=str)
    return meaning


@given(
    pieces=objects(), wanted=st.dictionaries(KEYS, st.text(max_size=8), min_size=1, max_size=3), pick=st.integers(0, 9)
)
def test_nothing_but_the_wanted_keys_changes(pieces: list[str], wanted: dict[str, str], pick: int) -> None:
    """For any object: the result means old | wanted, every other byte is where it was, and a second plan is a no-op."""
    stored = "".join(pieces)
    there = list(loaded(stored))
    if pick < len(there):
        wanted = {**wanted, there[pick]: "replaced"}
    made = planned(stored, wanted)
    text = made.text.reveal()
    assert loaded(text) == loaded(stored) | wanted
    assert planned(text, wanted).unchanged
    assert planned(text, wanted).text.reveal() == text

    for number, name in enumerate(there):
        if Action.UPDATE in [change.action for change in made.changes if change.key == name]:
            pieces[4 + 4 * number] = json.dumps(wanted[name])
    head, tail = "".join(pieces[:-1]), pieces[-1]
    assert text.startswith(head)
    assert text.endswith(tail)
    created = [change.key for change in made.changes if change.action is Action.CREATE]
    assert list(loaded("{" + text[len(head) : len(text) - len(tail)].strip().removeprefix(",") + "}")) == created


@given(text=st.text(max_size=40) | st.text('{}[]":,\\u01e.- \n', max_size=30))
def test_any_text_gives_a_plan_or_a_refusal(text: str) -> None:
    """No text makes the planner fail, and it takes exactly those that Python's strict reader takes as objects."""
    result = plan(text, {"k": "v"})
    try:
        readable = isinstance(json.loads(text, parse_int=str), dict)
    except (ValueError, RecursionError):
        readable = False
    if isinstance(result, Plan):
        assert readable
    elif readable:
        assert result.reason in (RefusalReason.DUPLICATE_KEYS, RefusalReason.NOT_JSON)
        assert result.reason is RefusalReason.DUPLICATE_KEYS or "NaN" in text or "Infinity" in text
