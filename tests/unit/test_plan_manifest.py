"""Tests of what is written into a manifest: our values as Kubernetes reads them, and no other byte."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from otelctl.facts.store import Refusal, RefusalReason
from otelctl.plan import Action, Plan
from otelctl.plan.manifest import plan_manifest, values

URL = "https://g.example/otlp"
HEADER = "Authorization=Basic MTIzOmdsY18rLz0="
ENDPOINT, HEADERS = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS"
WANTED = {ENDPOINT: URL, HEADERS: HEADER}
SLOW = settings(deadline=None)  # a parser in pure Python, on a machine that others use too
HEAD = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: app\n"


def b64(text: str) -> str:
    """Return base64, as `data` holds it."""
    return base64.b64encode(text.encode()).decode()


def planned(stored: str | None, wanted: dict[str, str] = WANTED, name: str = "") -> Plan:
    """Return the plan, which must not be a refusal."""
    result = plan_manifest(stored, wanted, name=name)
    assert isinstance(result, Plan), result
    return result


def written(stored: str | None, wanted: dict[str, str] = WANTED, name: str = "") -> str:
    """Return the text that the plan would write."""
    return planned(stored, wanted, name).text.reveal()


def refused(stored: str, name: str = "") -> Refusal:
    """Return the refusal, which must not be a plan."""
    result = plan_manifest(stored, WANTED, name=name)
    assert isinstance(result, Refusal), result
    return result


def load(text: str) -> list[Any]:
    """Return the documents as ruamel.yaml constructs them, which is not how the planner reads."""
    return list(YAML(typ="safe", pure=True).load_all(text))


def effective(secret: Any) -> dict[str, str]:
    """Return what a pod gets: `data` decoded, and `stringData` over it (Kubernetes API: Secret)."""
    held = {
        key: base64.b64decode(str(value)).decode("utf-8", "replace")
        for key, value in (secret.get("data") or {}).items()
    }
    return held | (secret.get("stringData") or {})


def test_a_new_manifest_is_a_whole_secret() -> None:
    """Without a file there is an Opaque Secret of the name that was given, with our two keys."""
    (made,) = load(written(None, name="otel"))
    assert (made["apiVersion"], made["kind"], made["metadata"], made["type"]) == (
        "v1", "Secret", {"name": "otel"}, "Opaque",
    )  # fmt: skip
    assert made["stringData"] == WANTED
    assert load(written(None))[0]["metadata"]["name"] == "otel-exporter-otlp"


E_NEW, H_NEW = f'{ENDPOINT}: "{URL}"', f'{HEADERS}: "{HEADER}"'
E_B64, H_B64 = f'{ENDPOINT}: "{b64(URL)}"', f'{HEADERS}: "{b64(HEADER)}"'


@pytest.mark.parametrize(
    ("stored", "after"),
    [
        (HEAD, f"{HEAD}stringData:\n  {E_NEW}\n  {H_NEW}\n"),
        (HEAD.rstrip(), f"{HEAD}stringData:\n  {E_NEW}\n  {H_NEW}\n"),
        (HEAD + "# end\n", f"{HEAD}stringData:\n  {E_NEW}\n  {H_NEW}\n# end\n"),
        (HEAD + "data:\n", f"{HEAD}data:\n  {E_B64}\n  {H_B64}\n"),
        (HEAD + "data: {}  # c\n", f'{HEAD}data: {{"{E_B64}, "{H_B64}}}  # c\n'.replace(": ", '": ', 0)),
        (HEAD + "stringData: ~ # c\ntype: Opaque\n", f"{HEAD}stringData:  # c\n  {E_NEW}\n  {H_NEW}\ntype: Opaque\n"),
        (
            HEAD + "stringData:\n    # db\n    DB: x\n",
            f"{HEAD}stringData:\n    {E_NEW}\n    {H_NEW}\n    # db\n    DB: x\n",
        ),
        (
            HEAD + f"stringData:\n  {HEADERS}: 'old' # why\n  Z: 1\n  {ENDPOINT}: https://old # x\n",
            f"{HEAD}stringData:\n  {HEADERS}: '{HEADER}' # why\n  Z: 1\n  {ENDPOINT}: {URL} # x\n",
        ),
        (
            HEAD + f"stringData:\n  {ENDPOINT}: {URL}\n  {HEADERS}: |\n    old\n\n  # z\n  Z: >-\n    a\n    b\n",
            f"{HEAD}stringData:\n  {ENDPOINT}: {URL}\n  {H_NEW}\n\n  # z\n  Z: >-\n    a\n    b\n",
        ),
        (
            HEAD + f"data:\n  {ENDPOINT}: b2xk\n  {HEADERS}: >-\n    b2\n    xk\n",
            f"{HEAD}data:\n  {ENDPOINT}: {b64(URL)}\n  {H_B64}\n",
        ),
        (
            HEAD.replace("\n", "\r\n") + "stringData:\r\n  A: b\r\n",
            HEAD.replace("\n", "\r\n") + f"stringData:\r\n  {E_NEW}\r\n  {H_NEW}\r\n  A: b\r\n",
        ),
        (
            '{"kind": "Secret", "data": {"B": "eA=="}}',
            f'{{"kind": "Secret", "data": {{"{ENDPOINT}": "{b64(URL)}", "{HEADERS}": "{b64(HEADER)}", "B": "eA=="}}}}',
        ),
        (
            f"kind: Secret\nstringData:\n  {HEADERS}:\n  # c\n  {ENDPOINT}:\n    a\n      b\n",
            f"kind: Secret\nstringData:\n  {H_NEW}\n  # c\n  {ENDPOINT}:\n    {URL}\n",
        ),
        ("kind: Secret\nx: |+\n  a\n\n", f"kind: Secret\nstringData:\n  {E_NEW}\n  {H_NEW}\nx: |+\n  a\n\n"),
    ],
)
def test_what_stands_there_is_followed(stored: str, after: str) -> None:
    """Comments, order, quotes, indentation, line ends and the form of each value are as before."""
    if "{}" in stored:
        after = HEAD + f'data: {{"{ENDPOINT}": "{b64(URL)}", "{HEADERS}": "{b64(HEADER)}"}}  # c\n'
    assert written(stored) == after
    assert effective(load(after)[0]).items() >= WANTED.items()


def test_stringdata_counts_and_data_stays() -> None:
    """A key in both places changes in stringData, which wins, and the plan says that data holds it too."""
    stored = HEAD + f"data:\n  {HEADERS}: b2xk\nstringData:\n  {HEADERS}: old\n  {ENDPOINT}: {URL}\n"
    plan = planned(stored)
    assert plan.text.reveal() == stored.replace(": old", f': "{HEADER}"')
    assert plan.shadowed == (HEADERS,)
    assert [change.action for change in plan.changes] == [Action.KEEP, Action.UPDATE]


def test_the_named_document_of_several_is_changed() -> None:
    """Documents beside the Secret, before and after, stay as they are to the byte."""
    before = "# first\nkind: ConfigMap\ndata: {a: &x 1, b: *x}\n---\n"
    other = HEAD.replace("app", "other") + "immutable: true\n"
    after = "---\nkind: Deployment\nspec:\n  template: |\n    kind: Secret\n"
    text = written(f"{before}{HEAD}---\n{other}{after}", name="app")
    assert text == f"{before}{HEAD}stringData:\n  {E_NEW}\n  {H_NEW}\n---\n{other}{after}"


@pytest.mark.parametrize(
    ("stored", "reason", "detail"),
    [
        ("a: {{- if }}\n  - b: c: d\n", RefusalReason.NOT_YAML, "the parser stops at line 1, column 6"),
        ("kind: Secret\n\tdata: x\n", RefusalReason.NOT_YAML, "the parser stops at line 2, column 1"),
        ("kind: Secret\nx: \x07", RefusalReason.NOT_YAML, "the parser stops"),
        ("[" * 200 + "]" * 200, RefusalReason.TOO_DEEP, "nested too deep"),
        ("kind: ConfigMap\n---\nkind: List\nitems: []\n", RefusalReason.NO_MANIFEST, "the kinds are: ConfigMap, List"),
        ("- kind: Secret\n", RefusalReason.NO_MANIFEST, "no Secret"),
        (f"{HEAD}---\n{HEAD}", RefusalReason.SEVERAL_MANIFESTS, "2 Secrets"),
        (HEAD + "immutable: true\n", RefusalReason.IMMUTABLE, "immutable"),
        (HEAD + "immutable: Yes\n", RefusalReason.IMMUTABLE, "immutable"),
        (HEAD + "sops:\n  mac: x\n", RefusalReason.ENCRYPTED, "SOPS"),
        (HEAD + "data:\n  a: ENC[AES256_GCM,data:x]\n", RefusalReason.ENCRYPTED, "SOPS"),
        ("kind: SealedSecret\n", RefusalReason.ENCRYPTED, "SealedSecret"),
        (HEAD + "data:\n  A: b\n  A: c\n", RefusalReason.DUPLICATE_KEYS, "in data"),
        (HEAD + "kind: Secret\n", RefusalReason.DUPLICATE_KEYS, "in the document"),
        (HEAD + f"stringData:\n  {HEADERS}: &a x\n", RefusalReason.ALIAS, f"stringData.{HEADERS}"),
        (f"x: &a y\n{HEAD}stringData:\n  {HEADERS}: *a\n", RefusalReason.ALIAS, f"stringData.{HEADERS}"),
        (HEAD + f"stringData:\n  {HEADERS}: !!str x\n", RefusalReason.ALIAS, f"stringData.{HEADERS}"),
        (f"x: &a {{}}\n{HEAD}stringData: *a\n", RefusalReason.ALIAS, "stringData"),
        (HEAD + "stringData:\n  <<: {a: b}\n", RefusalReason.ALIAS, "stringData"),
        (HEAD + "data: [1]\n", RefusalReason.NOT_OBJECT, "a sequence under data"),
        (HEAD + f"data:\n  {HEADERS}: [1]\n", RefusalReason.NOT_OBJECT, "a sequence under data"),
        (HEAD + "stringData:\n  ? A\n  : b\n", RefusalReason.SYNTAX, "no safe place"),
        (HEAD + "stringData:\n  null\n", RefusalReason.SYNTAX, "no safe place"),
    ],
)
def test_what_cannot_be_changed_safely_is_left_alone(stored: str, reason: RefusalReason, detail: str) -> None:
    """Each kind of manifest that takes no value has its reason, which shows no value."""
    refusal = refused(stored)
    assert refusal.reason is reason
    assert detail in refusal.detail


def test_a_name_that_is_not_there_is_refused_with_those_that_are() -> None:
    """A Secret is not made in a file that has others; their names are told."""
    assert refused(HEAD, name="nope") == Refusal(RefusalReason.NO_MANIFEST, "no Secret called nope", ("app",))


def test_an_alias_of_others_stays() -> None:
    """An anchor and its alias on keys of others are no reason to refuse, and stay."""
    stored = HEAD + "stringData:\n  A: &a x\n  B: *a\n"
    assert written(stored) == stored.replace("stringData:\n", f"stringData:\n  {E_NEW}\n  {H_NEW}\n")


def test_values_are_told_as_they_stand_and_decoded() -> None:
    """All that must not be shown is known: every value of every Secret, base64 and plain."""
    text = HEAD + f"data:\n  A: {b64('hunter22')}\n---\n{HEAD}stringData:\n  B: s3cr3t\n"
    assert set(values(text)) >= {b64("hunter22"), "hunter22", "s3cr3t"}
    assert list(values("{broken")) == []


# What a scalar can hold: everything that prints.
VALUE = st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" \u00a0"), max_size=40)


@SLOW
@given(value=VALUE, quote=st.sampled_from(["", "'", '"']), part=st.sampled_from(["data", "stringData"]))
def test_what_was_written_is_read_back(value: str, quote: str, part: str) -> None:
    """Whatever prints comes back character for character, whatever the quotes of the value before."""
    old = b64("old")
    for line in (f"  K: {quote}{old}{quote}\n", ""):
        text = written(f"{HEAD}{part}:\n  A: {quote}{old}{quote}\n{line}  Z: eA==\n", {"K": value})
        assert effective(load(text)[0])["K"] == value
        assert planned(text, {"K": value}).unchanged


ENTRY = st.sampled_from(
    [
        "A: plain words",
        "B: 'single ''quoted'''",
        'C: "double \\" \\u00e9" # comment',
        "# a comment",
        "",
        "D: |\n    block\n\n    with: colon\n",
        "E: >-\n      folded\n      text",
        "F: {a: [1, 2.0], b: }",
        "G: &anchor 1.10",
        "H: *anchor",
        "I:",
        "J:\n    - 0x1F\n    - ~",
        '"K k": !!str 5',
    ]
)
OURS = st.tuples(
    st.sampled_from([ENDPOINT, HEADERS]),
    st.sampled_from(
        ["old", "'old one'", '"old \\" one"', "|\n      old\n      one", ">-\n      old", "a\n      b", ""]
    ),
    st.sampled_from(["", " # why"]),
)


@SLOW
@given(
    entries=st.lists(
        st.one_of(ENTRY, OURS), max_size=6, unique_by=lambda entry: entry[:5] if isinstance(entry, str) else entry[0]
    ),
    part=st.sampled_from(["data", "stringData"]),
    around=st.tuples(st.sampled_from(["", "# top\n", "kind: Service\n---\n"]), st.sampled_from(["", "type: Opaque\n"])),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_every_other_byte_stays(
    entries: list[str | tuple[str, str, str]], part: str, around: tuple[str, str], newline: str
) -> None:
    """Only our values differ and our new lines are added; everything else is byte for byte, and reads as before."""
    if "H: *anchor" in entries and "G: &anchor 1.10" not in entries[: entries.index("H: *anchor")]:
        entries = [entry for entry in entries if entry != "H: *anchor"]
    body, pattern = "", ""
    for entry in entries:
        if isinstance(entry, str):
            line = f"  {entry}\n"
            pattern += re.escape(line)
        else:
            key, old, comment = entry
            # After a block or a text of several lines a comment would be part of it.
            tail = "" if "\n" in old else comment
            line = f"  {key}: {old}{tail}\n"
            pattern += re.escape(f"  {key}:") + r"\s+\S[^\r\n]*" + re.escape(f"{tail}\n")
        body += line
    head = f"{around[0]}{HEAD}{part}:\n"
    stored = (head + body + around[1]).replace("\n", newline)
    added = r"(  OTEL_EXPORTER_OTLP_(ENDPOINT|HEADERS): ['\"]\S[^\r\n]*\n){0,2}"
    text = written(stored)
    assert text.count(newline) == text.count("\n")
    assert re.fullmatch(re.escape(head) + added + pattern + re.escape(around[1]), text.replace(newline, "\n")), text
    assert planned(text).unchanged
    assert written(text) == text


PIECES = [*"{}[]:,#'\"|>-&*! \n\t", "kind: Secret\n", "data:\n", "stringData:\n", "  K: ", "x", "---\n", "  ? "]


@SLOW
@given(st.lists(st.sampled_from(PIECES), max_size=16))
def test_any_text_is_changed_safely_or_left_alone(pieces: list[str]) -> None:
    """However odd a manifest is, a plan gives our values to whoever reads it, or there is none."""
    stored = "kind: Secret\n" + "".join(pieces)
    plan = plan_manifest(stored, {"K": "value one"})
    try:
        load(stored)
    except YAMLError:
        # Syntax that is right with a meaning that is not, as an alias of nothing: what it says stays what it was.
        return
    if isinstance(plan, Plan):
        secrets = [one for one in load(plan.text.reveal()) if isinstance(one, dict) and one.get("kind") == "Secret"]
        assert [effective(one).get("K") for one in secrets] == ["value one"]
