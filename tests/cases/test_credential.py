"""Every diagnosis of the credential: what must give it, as the primary and this sure, and what must not."""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from otelctl.catalog import credential as catalog
from otelctl.cli import sources
from otelctl.cli.session import Session
from otelctl.credential import TokenKind, header_value, read_header, read_token
from otelctl.diagnose.credential import Consumer, judge_as_endpoint, judge_given, judge_header, judge_region
from otelctl.facts.wire import HttpAnswer, HttpRequest
from otelctl.model import Certainty, Finding, Report, Severity
from otelctl.render import page
from otelctl.secret import Secret
from otelctl.settings import Setting, Signal, Source, SourceKind
from tests.cases.marks import case, near_miss
from tests.support.gateway import transcripts
from tests.support.inprocess import run
from tests.support.world import (
    GATEWAY,
    SUCCESS,
    always,
    answer,
    authorization,
    check,
    grafana_401,
    span,
    status,
    target,
)

CERTAIN, LIKELY, POSSIBLE = Certainty.CERTAIN, Certainty.LIKELY, Certainty.POSSIBLE
VARIABLE = Source(SourceKind.VARIABLE, "OTEL_EXPORTER_OTLP_HEADERS")

OWN = "https://otel.example.com"
LOCAL = "http://127.0.0.1:4318"


def token_of(region: str = "prod-eu-west-2", key: str = "s3cr3ts3cr3t") -> str:
    """Return an access policy token as Grafana Cloud makes them."""
    claims = {"o": "654321", "n": "a-name", "k": key, "m": {"r": region}}
    return "glc_" + base64.b64encode(json.dumps(claims).encode()).decode()


TOKEN = token_of()
ID = "123456"
NONE_SENT = grafana_401("no credentials provided")
LEGACY = grafana_401("legacy auth cannot be upgraded because the host is not found")
UNKNOWN = grafana_401("invalid authentication credentials")
BAD_TOKEN = grafana_401("invalid token")
BAD_SCOPE = grafana_401("invalid scope requested")


def b64(text: str) -> str:
    """Return base64 of a text."""
    return base64.b64encode(text.encode()).decode()


def basic(left: str = ID, right: str = TOKEN) -> str:
    """Return the headers string for a pair."""
    return f"Authorization=Basic {b64(f'{left}:{right}')}"


RIGHT = basic()
PACKED = b64(f"{ID}:{TOKEN}")
WRAPPED = "\n".join(PACKED[i : i + 76] for i in range(0, len(PACKED), 76))


def primary(report: Report) -> tuple[str, Certainty]:
    """Return the code and the certainty of what a report names first."""
    assert report.primary is not None, report
    assert report.exit_code() == 1
    return report.primary.code, report.primary.certainty


def codes(findings: tuple[Finding, ...] | list[Finding]) -> set[str]:
    """Return the codes of what matters: a notice breaks nothing."""
    return {one.code for one in findings if one.severity is not Severity.NOTICE}


# What the form of a header shows at Grafana Cloud's gateway, where the server says no more than that it refuses.
AT_THE_GATEWAY = [
    pytest.param(basic(TOKEN, ID), UNKNOWN, "AUTH-REVERSED", CERTAIN, marks=case("AUTH-REVERSED")),
    pytest.param(basic("glsa_abcdefghijkl", ID), LEGACY, "AUTH-REVERSED", CERTAIN, marks=case("AUTH-REVERSED")),
    pytest.param(basic("eyJrIjoiabcdefgh", ID), LEGACY, "AUTH-REVERSED", CERTAIN, marks=case("AUTH-REVERSED")),
    pytest.param(basic(TOKEN, "my-stack"), UNKNOWN, "AUTH-REVERSED", CERTAIN, marks=case("AUTH-REVERSED")),
    pytest.param("X-Scope-OrgID=1", NONE_SENT, "AUTH-NONE-CONFIGURED", CERTAIN, marks=case("AUTH-NONE-CONFIGURED")),
    pytest.param(None, NONE_SENT, "AUTH-NONE-CONFIGURED", CERTAIN, marks=case("AUTH-NONE-CONFIGURED")),
    pytest.param(RIGHT, NONE_SENT, "AUTH-NONE-SENT", LIKELY, marks=case("AUTH-NONE-SENT")),
    pytest.param("Authorization=", NONE_SENT, "AUTH-VALUE-MISSING", CERTAIN, marks=case("AUTH-VALUE-MISSING")),
    pytest.param("Authorization=Basic", NONE_SENT, "AUTH-VALUE-MISSING", CERTAIN, marks=case("AUTH-VALUE-MISSING")),
    pytest.param("Authorization=Basic ", NONE_SENT, "AUTH-VALUE-MISSING", CERTAIN, marks=case("AUTH-VALUE-MISSING")),
    pytest.param(
        f"Authorization=Basic+{PACKED}", NONE_SENT, "AUTH-PERCENT-ENCODED", LIKELY, marks=case("AUTH-PERCENT-ENCODED")
    ),
    pytest.param(
        f"Authorization=Basic {WRAPPED}", NONE_SENT, "AUTH-LINE-WRAPPED", CERTAIN, marks=case("AUTH-LINE-WRAPPED")
    ),
    pytest.param(
        f"Authorization=Basic {PACKED[:76]} {PACKED[76:]}",
        NONE_SENT,
        "AUTH-LINE-WRAPPED",
        CERTAIN,
        marks=case("AUTH-LINE-WRAPPED"),
    ),
    pytest.param(
        basic(right=TOKEN + "\n"), UNKNOWN, "AUTH-TRAILING-NEWLINE", LIKELY, marks=case("AUTH-TRAILING-NEWLINE")
    ),
    pytest.param(basic(f" {ID}"), UNKNOWN, "AUTH-STRAY-SPACE", LIKELY, marks=case("AUTH-STRAY-SPACE")),
    pytest.param(basic(right=f"{TOKEN} "), UNKNOWN, "AUTH-STRAY-SPACE", LIKELY, marks=case("AUTH-STRAY-SPACE")),
    *(
        pytest.param(f"Authorization=Basic{gap}{PACKED}", NONE_SENT, "AUTH-ODD-SPACE", CERTAIN, marks=marks)
        for gap, marks in (
            ("\u00a0", [case("AUTH-ODD-SPACE"), near_miss("AUTH-NONE-SENT")]),
            (" \u200b", case("AUTH-ODD-SPACE")),
            ("%C2%A0", case("AUTH-ODD-SPACE")),
        )
    ),
    *(
        pytest.param(f"Authorization={lead}Basic {PACKED}", NONE_SENT, "AUTH-PREFIX-TWICE", CERTAIN, marks=marks)
        for lead in ("Basic ", "Authorization=", "Bearer ", "Basic Basic ", "Basic Authorization: ")
        for marks in ([case("AUTH-PREFIX-TWICE"), near_miss("AUTH-LINE-WRAPPED", "AUTH-NOT-BASE64")],)
    ),
    *(
        pytest.param(f"{name}=Basic {PACKED}", NONE_SENT, "AUTH-NAME-MISSPELT", CERTAIN, marks=marks)
        for name in ("Autorization", "Authorisation", "authorizaton", "x-team=blue,Authorizations")
        for marks in ([case("AUTH-NAME-MISSPELT"), near_miss("AUTH-NONE-CONFIGURED")],)
    ),
    pytest.param(f"'{RIGHT}'", NONE_SENT, "AUTH-QUOTED", CERTAIN, marks=case("AUTH-QUOTED")),
    pytest.param(f'Authorization="Basic {PACKED}"', NONE_SENT, "AUTH-QUOTED", CERTAIN, marks=case("AUTH-QUOTED")),
    pytest.param(f"Authorization=Basic “{PACKED}”", NONE_SENT, "AUTH-QUOTED", CERTAIN, marks=case("AUTH-QUOTED")),
    pytest.param(basic(f'"{ID}"', f'"{TOKEN}"'), UNKNOWN, "AUTH-QUOTED", LIKELY, marks=case("AUTH-QUOTED")),
    pytest.param(
        f"Authorization: Basic {PACKED}", NONE_SENT, "AUTH-COLON-SYNTAX", CERTAIN, marks=case("AUTH-COLON-SYNTAX")
    ),
    pytest.param(
        f"authorization: Basic {PACKED},X-Scope-OrgID=1",
        NONE_SENT,
        "AUTH-COLON-SYNTAX",
        CERTAIN,
        marks=case("AUTH-COLON-SYNTAX"),
    ),
    pytest.param(f"Basic {PACKED}", NONE_SENT, "AUTH-NAME-MISSING", CERTAIN, marks=case("AUTH-NAME-MISSING")),
    pytest.param(
        f"X-Scope-OrgID=1,Basic {PACKED}", NONE_SENT, "AUTH-NAME-MISSING", CERTAIN, marks=case("AUTH-NAME-MISSING")
    ),
    pytest.param(
        f"Authorization={PACKED}", NONE_SENT, "AUTH-SCHEME-MISSING", CERTAIN, marks=case("AUTH-SCHEME-MISSING")
    ),
    pytest.param(
        f"Authorization=Basic {ID}:{TOKEN}", NONE_SENT, "AUTH-NOT-ENCODED", CERTAIN, marks=case("AUTH-NOT-ENCODED")
    ),
    pytest.param(f"Authorization={TOKEN}", LEGACY, "AUTH-NOT-ENCODED", CERTAIN, marks=case("AUTH-NOT-ENCODED")),
    pytest.param("Authorization=Basic no!base64", NONE_SENT, "AUTH-NOT-BASE64", CERTAIN, marks=case("AUTH-NOT-BASE64")),
    pytest.param(
        RIGHT.rstrip("=") if RIGHT.endswith("=") else basic(right=TOKEN + "x").rstrip("="),
        NONE_SENT,
        "AUTH-BASE64-VARIANT",
        LIKELY,
        marks=case("AUTH-BASE64-VARIANT"),
    ),
    pytest.param(
        "Authorization=Basic " + base64.urlsafe_b64encode(f"{ID}:{TOKEN}>>>?".encode()).decode(),
        NONE_SENT,
        "AUTH-BASE64-VARIANT",
        LIKELY,
        marks=case("AUTH-BASE64-VARIANT"),
    ),
    pytest.param(
        f"Authorization=Basic {b64(TOKEN)}", NONE_SENT, "AUTH-HALF-MISSING", CERTAIN, marks=case("AUTH-HALF-MISSING")
    ),
    pytest.param(
        f"Authorization=Basic {b64(ID)}", NONE_SENT, "AUTH-HALF-MISSING", CERTAIN, marks=case("AUTH-HALF-MISSING")
    ),
    pytest.param(basic(TOKEN, ""), UNKNOWN, "AUTH-HALF-MISSING", CERTAIN, marks=case("AUTH-HALF-MISSING")),
    pytest.param(
        f"Authorization=Basic {b64(PACKED)}",
        NONE_SENT,
        "AUTH-DOUBLE-ENCODED",
        CERTAIN,
        marks=case("AUTH-DOUBLE-ENCODED"),
    ),
    pytest.param(
        f"Authorization=Basic {b64(RIGHT)}",
        NONE_SENT,
        "AUTH-DOUBLE-ENCODED",
        CERTAIN,
        marks=case("AUTH-DOUBLE-ENCODED"),
    ),
    pytest.param(
        f"Authorization=Basic%2520{PACKED}",
        NONE_SENT,
        "AUTH-DOUBLE-ENCODED",
        CERTAIN,
        marks=case("AUTH-DOUBLE-ENCODED"),
    ),
    pytest.param(f"Authorization=Bearer {TOKEN}", LEGACY, "AUTH-SCHEME", CERTAIN, marks=case("AUTH-SCHEME")),
    pytest.param(f"Authorization=Bearer {PACKED}", LEGACY, "AUTH-SCHEME", LIKELY, marks=case("AUTH-SCHEME")),
    pytest.param(f"Authorization=Bearer {ID}:{TOKEN}", LEGACY, "AUTH-SCHEME", LIKELY, marks=case("AUTH-SCHEME")),
    pytest.param("Authorization=ApiKey abcdefgh", NONE_SENT, "AUTH-SCHEME", CERTAIN, marks=case("AUTH-SCHEME")),
    pytest.param(basic(right="glsa_abcdefgh"), LEGACY, "AUTH-TOKEN-KIND", CERTAIN, marks=case("AUTH-TOKEN-KIND")),
    pytest.param(basic(right="eyJrIjoiabcdefg"), LEGACY, "AUTH-TOKEN-KIND", CERTAIN, marks=case("AUTH-TOKEN-KIND")),
    pytest.param(basic(right="hunter2hunter2"), UNKNOWN, "AUTH-TOKEN-KIND", LIKELY, marks=case("AUTH-TOKEN-KIND")),
    pytest.param(
        basic(right=TOKEN[:40]), BAD_TOKEN, "AUTH-TOKEN-TRUNCATED", LIKELY, marks=case("AUTH-TOKEN-TRUNCATED")
    ),
    pytest.param(basic(right=""), UNKNOWN, "AUTH-TOKEN-EMPTY", CERTAIN, marks=case("AUTH-TOKEN-EMPTY")),
    *(
        pytest.param(basic(left), UNKNOWN, "AUTH-ID-NOT-NUMERIC", CERTAIN, marks=case("AUTH-ID-NOT-NUMERIC"))
        for left in ("my-stack", "me@example.com", "https://my.grafana.net", "123 456", "#123456", "１２３４５６")
    ),
    *(
        pytest.param(header, UNKNOWN, "AUTH-PLACEHOLDER", CERTAIN, marks=case("AUTH-PLACEHOLDER"))
        for header in (
            basic(right="glc_xxxxxxxxxxxx"),
            basic("<instance-id>"),
            basic(right="${GRAFANA_API_TOKEN}"),
            "Authorization=Basic <base64 of instanceID:token>",
            "Authorization=Basic $CREDENTIAL",
            "Authorization=Basic $(otelctl encode-auth)",
            "Authorization=Basic $(echo -n 1:2 | base64 -w0)",
            "Authorization=Basic `otelctl encode-auth`",
            "Authorization=$(otelctl encode-auth)",
            "Authorization=Basic ${{ secrets.OTLP }}",
            "$(otelctl inspect-auth --fix)",
            "Authorization=Basic your-token",
            basic(right="your-token"),
        )
    ),
    pytest.param(RIGHT, UNKNOWN, "AUTH-INVALID", CERTAIN, marks=case("AUTH-INVALID")),
    pytest.param(RIGHT, BAD_TOKEN, "AUTH-INVALID", CERTAIN, marks=case("AUTH-INVALID")),
    pytest.param(RIGHT, LEGACY, "AUTH-LEGACY", CERTAIN, marks=case("AUTH-LEGACY")),
    pytest.param(RIGHT, BAD_SCOPE, "AUTH-SCOPE", CERTAIN, marks=case("AUTH-SCOPE")),
    pytest.param(
        RIGHT,
        status(403, 7, "token lacks a scope"),
        "AUTH-SCOPE",
        LIKELY,
        marks=[case("AUTH-SCOPE"), near_miss("AUTH-FORBIDDEN")],
    ),
    pytest.param(
        RIGHT,
        answer(403, b"<html><title>Forbidden</title></html>", "text/html"),
        "AUTH-FORBIDDEN",
        CERTAIN,
        marks=[case("AUTH-FORBIDDEN"), near_miss("AUTH-SCOPE")],
    ),
    pytest.param(
        RIGHT,
        answer(401, b"who are you?", "text/plain"),
        "AUTH-REFUSED",
        CERTAIN,
        marks=[case("AUTH-REFUSED"), near_miss("AUTH-INVALID")],
    ),
]


@pytest.mark.parametrize(("header", "said", "code", "certainty"), AT_THE_GATEWAY)
def test_the_gateway_with_a_header(header: str | None, said: HttpAnswer, code: str, certainty: Certainty) -> None:
    """A header of this form, refused in these words, is told as this and this sure."""
    assert primary(check(target(GATEWAY, header), always(said))) == (code, certainty)


# Forms of the right header, and rightly used others, that an exporter sends and a server takes.
HEALTHY_AT_GRAFANA = [
    RIGHT,
    f"Authorization=Basic%20{quote(PACKED, safe='')}",
    f"Authorization=Basic%20{PACKED}",
    f"authorization=basic {PACKED}",
    f"AUTHORIZATION=Basic {PACKED}",
    f"X-Scope-OrgID=1,Authorization=Basic {PACKED},x-other=a:b=c",
    f" Authorization = Basic {PACKED} ",
    basic(right=token_of("eu")),
    basic(right=token_of("")),
    basic(right=token_of("us-east-0")),
    basic(right=token_of("prod-us-central-0")),
]


@pytest.mark.parametrize("header", HEALTHY_AT_GRAFANA)
@near_miss(
    "AUTH-REVERSED", "AUTH-NONE-CONFIGURED", "AUTH-NONE-SENT", "AUTH-VALUE-MISSING", "AUTH-PERCENT-ENCODED",
    "AUTH-LINE-WRAPPED", "AUTH-QUOTED", "AUTH-COLON-SYNTAX", "AUTH-NAME-MISSING", "AUTH-SCHEME-MISSING",
    "AUTH-NOT-ENCODED", "AUTH-NOT-BASE64", "AUTH-HALF-MISSING", "AUTH-DOUBLE-ENCODED", "AUTH-SCHEME", "AUTH-TOKEN-KIND",
    "AUTH-TOKEN-TRUNCATED", "AUTH-TOKEN-EMPTY", "AUTH-ID-NOT-NUMERIC", "AUTH-PLACEHOLDER", "AUTH-SPACE-DROPPED",
    "AUTH-REGION", "AUTH-STRAY-SPACE", "AUTH-TRAILING-NEWLINE", "AUTH-BASE64-VARIANT", "AUTH-ODD-SPACE",
    "AUTH-PREFIX-TWICE", "AUTH-NAME-MISSPELT",
)  # fmt: skip
def test_a_right_header_that_is_accepted(header: str) -> None:
    """The right header, in every form in which SDKs take it, gives no finding once the gateway accepts it."""
    report = check(target(GATEWAY, header, signals=Signal), always(SUCCESS))
    assert (report.findings, report.exit_code(Severity.NOTICE)) == ((), 0)


HEALTHY_ELSEWHERE = [
    None,
    "X-Scope-OrgID=tenant-1",
    "x-tenant=a:b",
    "api-key=abc=",
    f"x-authorization=Basic {PACKED}",
    f"proxy-authorization=Basic {PACKED}",
    "authorized=yes",
    "Authorization=Bearer eyJhbGciOiJIUzI1NiJ9.e30.abc",
    "Authorization=Bearer invalid-token-1",
    "Authorization=ApiKey dGVzdA==",
    "Authorization=Api-Token dt0c01.ABC.DEF",
    "Authorization=eyJhbGciOiJIUzI1NiJ9.e30.abc",
    "Authorization=2d6f0b5e8a1c4d7f9b3e5a7c1d2f4b6a",
    basic("alice", "password"),
    basic("alice", "glc"),
    basic("token", "none"),
    basic("my-service-id", "secret"),
    basic("alice", "pass word "),
    basic("", "only-a-password"),
    basic("a-user", ""),
    basic("alice", "p:a:s:s"),
    basic("123456", '"quoted"'),
    "Authorization=Basic " + base64.b64encode("alice:pässwörd".encode("latin-1")).decode(),
    "Authorization=Basic " + base64.urlsafe_b64encode(b"alice:>>>???~~~").decode().rstrip("="),
    f"Authorization=Basic%20{quote(b64('alice:password'), safe='')}",
    RIGHT,
    basic(right="glsa_abcdefgh"),
]


@pytest.mark.parametrize("url", [OWN, LOCAL, "http://collector:4318", "http://10.1.2.3:4318"])
@pytest.mark.parametrize("header", HEALTHY_ELSEWHERE)
@near_miss(
    "AUTH-SCHEME", "AUTH-PLACEHOLDER", "AUTH-TOKEN-KIND", "AUTH-ID-NOT-NUMERIC", "AUTH-NOT-BASE64", "AUTH-QUOTED",
    "AUTH-NAME-MISSPELT",
)  # fmt: skip
def test_other_servers_have_rules_of_their_own(url: str, header: str | None) -> None:
    """What another server accepts is no fault, however little it looks like Grafana Cloud's credential."""
    assert check(target(url, header), always(SUCCESS)).findings == ()


def test_a_credential_that_breaks_a_rule_of_http_is_told_everywhere() -> None:
    """Two lines in a header, and a header without a value, can be sent nowhere: no answer refutes them."""
    for header in (f"Authorization=Basic {WRAPPED}", "Authorization=Basic"):
        assert check(target(OWN, header), always(SUCCESS)).primary is not None


AT_OTHERS = [
    pytest.param(None, answer(401, b"", www_authenticate='Basic realm="x"'), "AUTH-WANTED", marks=case("AUTH-WANTED")),
    pytest.param(None, status(401, 16, "no basic auth provided"), "AUTH-WANTED", marks=case("AUTH-WANTED")),
    pytest.param("X-Scope-OrgID=1", answer(401, b"no"), "AUTH-WANTED", marks=case("AUTH-WANTED")),
    pytest.param(
        basic("alice", "wrong-one"),
        status(401, 16, "invalid credentials"),
        "AUTH-REFUSED",
        marks=[case("AUTH-REFUSED"), near_miss("AUTH-INVALID", "AUTH-WANTED")],
    ),
    pytest.param(
        "Authorization=Bearer abc",
        status(401, 16, "invalid token"),
        "AUTH-REFUSED",
        marks=near_miss("AUTH-INVALID", "AUTH-SCHEME"),
    ),
    pytest.param(
        basic("alice", "wrong-one"),
        answer(401, b"<html><title>401 Authorization Required</title></html>", "text/html"),
        "AUTH-REFUSED",
        marks=near_miss("AUTH-INVALID", "AUTH-LEGACY"),
    ),
    pytest.param(
        basic("alice", "x"), answer(403, b"insufficient_scope"), "AUTH-FORBIDDEN", marks=near_miss("AUTH-SCOPE")
    ),
    pytest.param(
        None,
        answer(403, b"blocked by policy"),
        "AUTH-FORBIDDEN",
        marks=[case("AUTH-FORBIDDEN"), near_miss("AUTH-WANTED")],
    ),
]


@pytest.mark.parametrize(("header", "said", "code"), AT_OTHERS)
def test_what_another_server_refuses(header: str | None, said: HttpAnswer, code: str) -> None:
    """A 401 or 403 of a server that is not Grafana Cloud's is told by what it says, not by Grafana's rules."""
    assert primary(check(target(OWN, header), always(said))) == (code, CERTAIN)


@case("AUTH-WANTED")
def test_a_credential_is_wanted_beside_other_headers() -> None:
    """Where headers are set that hold no Authorization, that is said, and the mend keeps them."""
    alone, beside = (check(target(OWN, header), always(answer(401))).primary for header in (None, "x-team=blue"))
    assert alone is not None
    assert beside is not None
    assert "no OTLP headers are set" in alone.cause
    assert alone.fix[0].command == 'export OTEL_EXPORTER_OTLP_HEADERS="$(otelctl encode-auth --prompt)"'
    assert "no OTLP headers are set" not in beside.cause
    assert (
        beside.fix[0].command
        == 'export OTEL_EXPORTER_OTLP_HEADERS="$OTEL_EXPORTER_OTLP_HEADERS,$(otelctl encode-auth --prompt)"'
    )


@pytest.mark.parametrize(
    "header",
    [
        f"Authorization=Basic\u00a0{PACKED}",
        f"Authorization=Basic Basic {PACKED}",
        f"Authorization=Authorization=Basic {PACKED}",
        f"Autorization=Basic {PACKED}",
    ],
)
def test_what_stands_at_the_beginning_is_mended(header: str) -> None:
    """A misspelt name, a doubled beginning and an odd space leave both halves readable: --fix prints the header."""
    ended = run("inspect-auth", "--fix", variables={"OTEL_EXPORTER_OTLP_HEADERS": header})
    assert (ended.code, ended.stdout.decode()) == (0, RIGHT + "\n")


def test_a_command_that_nothing_expanded_does_not_mask_the_advice() -> None:
    """Where the value is a command of ours in `$(…)`, its words are no secret, and the mend can be read."""
    for header in ("Authorization=Basic $(otelctl encode-auth)", "$(otelctl inspect-auth --fix)"):
        ended = run("inspect-auth", variables={"OTEL_EXPORTER_OTLP_HEADERS": header})
        assert ended.code == 1
        assert "otelctl encode-auth --prompt" in ended.stdout.decode()
        assert "••••" not in ended.stdout.decode()


ENCLOSED = [
    json.dumps({"otel_exporter_otlp_headers": RIGHT, "a_key": "a value"}),
    json.dumps({"Authorization": f"Basic {PACKED}"}, indent=2),
    f"curl -H 'Authorization: Basic {PACKED}' -H 'X-Scope-OrgID: 1' https://otlp-gateway-x.grafana.net/otlp/v1/traces",
    f'curl -X POST --header "Authorization: Basic {PACKED}" http://localhost',
]


@pytest.mark.parametrize("text", ENCLOSED)
@case("AUTH-ENCLOSED")
@near_miss("AUTH-ENCLOSED", "AUTH-NAME-MISSING", "AUTH-QUOTED", "AUTH-NOT-ENCODED", "AUTH-COLON-SYNTAX")
def test_a_header_inside_a_document(text: str) -> None:
    """A JSON object or a curl command is read as the header in it, which is no fault but in the variable itself."""
    piped = run("inspect-auth", stdin=text.encode())
    assert (piped.code, b"AUTH-" in piped.stdout) == (0, False)
    beside = ",x-scope-orgid=1" if "X-Scope-OrgID" in text else ""
    assert run("inspect-auth", "--fix", stdin=text.encode()).stdout.decode() == f"{RIGHT}{beside}\n"
    assert primary(check(target(GATEWAY, text), always(NONE_SENT))) == ("AUTH-ENCLOSED", CERTAIN)
    assert PACKED not in piped.stdout.decode()


@pytest.mark.parametrize("text", ['{"a": "b"}', "{not json}", "[1]", '{"Authorization": 1}', "{}", "curl http://x"])
def test_a_document_without_a_header(text: str) -> None:
    """A document that holds no header is not mended into one."""
    assert read_header(text).mended() is None


@pytest.mark.parametrize(
    "text",
    ["https://otlp-gateway-prod-eu-west-2.grafana.net/otlp", "http://localhost:4318", '"HTTPS://x.example/otlp?a=b"',
     "OTEL_EXPORTER_OTLP_HEADERS=https://collector:4318"],
)  # fmt: skip
@case("AUTH-URL-AS-HEADER")
@near_miss("AUTH-NAME-MISSING", "AUTH-NOT-ENCODED")
def test_a_url_in_the_place_of_a_header(text: str) -> None:
    """A URL under the name of the headers is told as that, and as nothing that a header could lack."""
    for grafana in (True, False, None):
        found = judge_header(read_header(text), VARIABLE, "a command", grafana=grafana)
        assert [one.code for one in found] == ["AUTH-URL-AS-HEADER"]


@pytest.mark.parametrize(
    "text",
    ["x-forwarded-to=https://x.example", f"https://x.example,{RIGHT}", f"referer=https://x.example,{RIGHT}", RIGHT],
)
@near_miss("AUTH-URL-AS-HEADER")
def test_a_url_inside_a_header_is_its_own(text: str) -> None:
    """A header whose value is a URL is a header."""
    found = judge_header(read_header(text), VARIABLE, "a command", grafana=False)
    assert "AUTH-URL-AS-HEADER" not in [one.code for one in found]


@pytest.mark.parametrize("text", [RIGHT, PACKED, f"{ID}:{TOKEN}", f"{TOKEN}:{ID}", f"Basic {PACKED}", f'"{RIGHT}"'])
@case("AUTH-TOKEN-WHOLE")
@near_miss("AUTH-TOKEN-KIND")
def test_a_token_file_that_holds_the_whole_header(text: str, tmp_path: Path) -> None:
    """A file with the pair or the header in place of the token is told so, and the advice prints that header."""
    file = tmp_path / "token"
    file.write_text(text + "\n")
    ended = run("encode-auth", ID, "--token-file", str(file))
    assert (ended.code, ended.stdout) == (1, b"")
    said = ended.stderr.decode()
    assert "AUTH-TOKEN-WHOLE" in said
    assert f"inspect-auth --fix --header-file {file}" in said
    assert run("inspect-auth", "--fix", "--header-file", str(file)).stdout.decode() == RIGHT + "\n"


@near_miss("AUTH-TOKEN-WHOLE")
def test_a_token_alone_is_not_the_whole() -> None:
    """A token, a password with a colon and base64 of something else hold no pair."""
    for text in (TOKEN, "pass:word", b64("alice:password"), "123456:hunter2", b64("{}")):
        assert read_token(text).kind is not TokenKind.WHOLE


@pytest.mark.parametrize(
    ("header", "code"),
    [(basic(right=TOKEN[:40]), "AUTH-TOKEN-TRUNCATED"), (basic("glsa_abcdefghijkl", ID), "AUTH-TOKEN-KIND")],
)
def test_what_a_mended_header_still_lacks(header: str, code: str) -> None:
    """--fix prints nothing where the token itself is at fault, and says what is: no order mends it."""
    ended = run("inspect-auth", "--fix", variables={"OTEL_EXPORTER_OTLP_HEADERS": header})
    assert (ended.code, ended.stdout) == (1, b"")
    assert code in ended.stderr.decode()


RENEWED = "otelctl encode-auth --prompt"


@pytest.mark.parametrize(
    ("kind", "command"),
    [(SourceKind.VARIABLE, f'export OTEL_EXPORTER_OTLP_HEADERS="$({RENEWED})"'), (SourceKind.ENV_FILE, RENEWED)],
)
@pytest.mark.parametrize("header", [RIGHT, basic("my-stack"), f"Authorization=Bearer {TOKEN}", basic(right=TOKEN[:40])])
def test_a_new_header_goes_where_the_old_one_was(header: str, kind: SourceKind, command: str) -> None:
    """What only a new header mends is mended by a command that sets the variable, where it stands in one."""
    place = ".env:3" if kind is SourceKind.ENV_FILE else ""
    source = Source(kind, "OTEL_EXPORTER_OTLP_HEADERS", place)
    aim = replace(target(GATEWAY, header), headers=Setting(Secret(header), source))
    found = check(aim, always(UNKNOWN)).primary
    assert found is not None
    assert next(step.command for step in found.fix if step.command) == command


def test_a_dropped_space_is_mended_from_what_is_there() -> None:
    """AUTH-SPACE-DROPPED needs no token again: the header that is there is printed percent-encoded."""
    mend = 'export X="$(otelctl inspect-auth --fix --signal traces --env-file .env)"'
    found = judge_header(read_header(RIGHT), VARIABLE, mend, grafana=True, consumer=Consumer("python", (1, 26)))
    assert found[0].fix[0].command == (
        'export X="$(otelctl inspect-auth --fix --as percent-encoded --signal traces --env-file .env)"'
    )


@pytest.mark.parametrize(
    ("header", "summary"),
    [
        (PACKED, "The value is base64 alone, without"),
        (f"Basic {PACKED}", "The value is the header's value alone, without"),
        (f"{ID}:{TOKEN}", "The value is the pair in plain text, without"),
        (f"{RIGHT}\nX-Other: 1", "The value reads `x-other: …`; the variable takes `x-other=…`."),
        (f"Authorization: Basic {PACKED}", "The value reads `Authorization: …`;"),
        ("", "The value is empty: no"),
        ("Authorization=Basic", "The value is Authorization=Basic: no"),
    ],
)
def test_summaries_say_what_was_seen(header: str, summary: str) -> None:
    """What a summary says of the form is a sentence, and is true of this header."""
    found = judge_header(read_header(header), VARIABLE, "a command", grafana=True)
    assert any(one.summary.startswith(summary) for one in found), [one.summary for one in found]


def test_the_page_of_a_credentials_code_holds_a_command() -> None:
    """`explain` names a command for each code of the credential whose mend is put together for the case in hand."""
    for row in catalog.ROWS:
        assert "The report of a run holds the command" not in page.text(row)
    assert "otelctl inspect-auth --fix" in page.text(catalog.REVERSED)


@near_miss("AUTH-TOKEN-TRUNCATED", "AUTH-TOKEN-KIND", "AUTH-STRAY-SPACE", "AUTH-ID-NOT-NUMERIC")
def test_what_stands_inside_a_pair_explains_no_missing_header() -> None:
    """Where the server saw no credential at all, the token's own faults are not the reason."""
    report = check(target(GATEWAY, basic(right=TOKEN[:40])), always(NONE_SENT))
    assert primary(report) == ("AUTH-NONE-SENT", LIKELY)


# What only some of the programs that read the variable stumble over.
CONSUMERS = [
    (f"Authorization=Basic%20{PACKED}", None, "AUTH-PERCENT-FORM", POSSIBLE),
    (f"Authorization=Basic%20{PACKED}", "erlang", "AUTH-PERCENT-ENCODED", CERTAIN),
    (f"Authorization=Basic%20{PACKED}", "java 1.34", "AUTH-PERCENT-ENCODED", CERTAIN),
    (f"Authorization=Basic%20{PACKED}", "dotnet 1.7", "AUTH-PERCENT-ENCODED", CERTAIN),
    (f"Authorization=Basic%20{PACKED}", "curl", "AUTH-PERCENT-ENCODED", CERTAIN),
    (f"Authorization=Basic%20{PACKED}", "java 1.35", None, None),
    (f"Authorization=Basic%20{PACKED}", "dotnet 1.8", None, None),
    (f"Authorization=Basic%20{PACKED}", "python 1.26", None, None),
    (f"Authorization=Basic+{PACKED}", "python 1.27", "AUTH-PERCENT-ENCODED", LIKELY),
    (f"Authorization=Basic+{PACKED}", "java 1.40", None, None),
    (RIGHT, "python 1.26", "AUTH-SPACE-DROPPED", CERTAIN),
    (RIGHT, "python 1.27", None, None),
    (RIGHT, "python", None, None),
    (RIGHT, "erlang", None, None),
    (RIGHT, None, None, None),
]


@pytest.mark.parametrize(("header", "sdk", "code", "certainty"), CONSUMERS)
@case("AUTH-PERCENT-FORM", "AUTH-PERCENT-ENCODED", "AUTH-SPACE-DROPPED")
@near_miss("AUTH-PERCENT-FORM", "AUTH-PERCENT-ENCODED", "AUTH-SPACE-DROPPED")
def test_a_form_is_wrong_for_some_sdks(
    header: str, sdk: str | None, code: str | None, certainty: Certainty | None
) -> None:
    """The two spellings of the space are told for those SDKs alone that do not take them, by their versions."""
    consumer = None
    if sdk is not None:
        language, _, version = sdk.partition(" ")
        consumer = Consumer(language, tuple(int(part) for part in version.split(".")) if version else ())
    found = judge_header(read_header(header), VARIABLE, "a command", grafana=True, consumer=consumer)
    assert [(one.code, one.certainty) for one in found] == ([] if code is None else [(code, certainty)])


@case("AUTH-REGION")
@near_miss("AUTH-REGION")
def test_a_region_is_told_beside_a_refusal_alone() -> None:
    """A token of another region is told where the gateway does not know the pair, and is nothing once it does."""
    header = basic(right=token_of("prod-us-east-0"))
    refused = check(target(GATEWAY, header), always(UNKNOWN))
    assert primary(refused) == ("AUTH-INVALID", CERTAIN)
    assert [(one.code, one.certainty) for one in refused.findings[1:]] == [("AUTH-REGION", LIKELY)]
    assert check(target(GATEWAY, header), always(SUCCESS)).findings == ()


@pytest.mark.parametrize(
    ("region", "zone", "differs"),
    [
        ("prod-eu-west-2", "prod-eu-west-2", False),
        ("eu-west-2", "prod-eu-west-2", False),
        ("eu", "prod-eu-west-2", False),
        ("eu", "prod-eu-north-0", False),
        ("us", "prod-eu-west-2", True),
        ("prod-us-east-0", "prod-eu-west-2", True),
        ("prod-us-central-0", "prod-us-central-05", True),
        ("", "prod-eu-west-2", False),
        ("prod-us-east-0", "", False),
        ("12", "prod-eu-west-2", False),
    ],
)
@case("AUTH-REGION")
@near_miss("AUTH-REGION")
def test_regions_and_zones(region: str, zone: str, differs: bool) -> None:
    """A region is compared with a zone in each of the spellings that tokens have; what is unknown is no difference."""
    found = judge_region(read_token(token_of(region)), zone, "x")
    assert [(one.code, one.certainty) for one in found] == ([("AUTH-REGION", LIKELY)] if differs else [])


@case("AUTH-ID-WRONG-PRODUCT")
@near_miss("AUTH-INVALID")
@pytest.mark.parametrize("signals", [(Signal.TRACES,), tuple(Signal)])
def test_a_pair_that_is_known_for_another_signal(signals: tuple[Signal, ...]) -> None:
    """Traces refused while the same pair is accepted for metrics: the instance ID is that of another product."""

    def server(request: HttpRequest) -> HttpAnswer:
        return SUCCESS if request.path.endswith("/metrics") else UNKNOWN

    report = check(target(GATEWAY, RIGHT, signals=signals), server)
    assert primary(report) == ("AUTH-ID-WRONG-PRODUCT", LIKELY)
    assert report.primary is not None
    assert report.primary.evidence.items() >= {"instance_id": ID, "works": "metrics"}.items()


@near_miss("AUTH-ID-WRONG-PRODUCT")
def test_a_pair_that_is_known_for_no_signal() -> None:
    """All signals refused: nothing tells of which product the ID is."""
    report = check(target(GATEWAY, RIGHT, signals=Signal), always(UNKNOWN))
    assert codes(report.findings) == {"AUTH-INVALID"}


@near_miss("AUTH-ID-WRONG-PRODUCT")
def test_a_missing_scope_is_no_other_product() -> None:
    """Traces without their scope while metrics pass is a matter of the policy."""

    def server(request: HttpRequest) -> HttpAnswer:
        return SUCCESS if request.path.endswith("/metrics") else BAD_SCOPE

    assert primary(check(target(GATEWAY, RIGHT, signals=Signal), server)) == ("AUTH-SCOPE", CERTAIN)


RESPONDED = "error exporting items, request to https://x/v1/traces responded with HTTP Status Code 401"


@case("AUTH-BEHIND")
@pytest.mark.parametrize(
    ("text", "certainty"), [(RESPONDED, CERTAIN), ("rpc error: code = Unauthenticated desc = nope", LIKELY)]
)
def test_a_collector_that_passes_on_its_backends_refusal(text: str, certainty: Certainty) -> None:
    """A span refused with 401 after an empty request was accepted is refused by what stands behind the Collector."""

    def server(request: HttpRequest) -> HttpAnswer:
        return status(401, 16, text) if request.body else SUCCESS

    report = check(target(LOCAL, RIGHT, trace=span()), server, send=True)
    assert primary(report) == ("AUTH-BEHIND", certainty)


@case("AUTH-BEHIND")
def test_a_collectors_words_are_proof_without_a_probe() -> None:
    """What a Collector says of its backend is read to its end, however long the backend's address is."""
    said = f"Permanent error: rpc error: {RESPONDED.replace('https://x', 'https://' + 'x' * 200)}"
    assert primary(check(target(LOCAL, RIGHT), always(status(401, 16, said)))) == ("AUTH-BEHIND", CERTAIN)


@near_miss("AUTH-BEHIND")
def test_a_collector_that_refuses_by_itself() -> None:
    """A 401 to the empty request is the receiver's own."""
    report = check(target(LOCAL, basic("alice", "x"), trace=span()), always(status(401, 16, "unauthorized")), send=True)
    assert primary(report) == ("AUTH-REFUSED", CERTAIN)


@near_miss("AUTH-NONE-SENT", "AUTH-INVALID", "AUTH-REFUSED", "AUTH-WANTED")
@pytest.mark.parametrize("number", [200, 201, 204, 302, 400, 404, 405, 413, 415, 429, 500, 502, 503])
def test_another_status_than_401_says_nothing_good_of_a_credential(number: int) -> None:
    """A status other than 401 is never `the credential is accepted`, unless an OTLP success comes with it."""
    said = answer(number, b"<html><title>Grafana</title></html>", "text/html", location="/login")
    report = check(target(GATEWAY, RIGHT), always(said))
    assert report.exit_code() != 0
    assert not any("accepted" in result.detail for result in report.results)
    assert not any(one.code.startswith("AUTH-") for one in report.findings)


@pytest.mark.parametrize("said", [NONE_SENT, UNKNOWN, BAD_SCOPE, answer(401), answer(401, b"{}", "application/json")])
@pytest.mark.parametrize("url", [GATEWAY, OWN, LOCAL])
@pytest.mark.parametrize("header", [None, RIGHT, "X-Scope-OrgID=1"])
def test_a_401_is_never_success(said: HttpAnswer, url: str, header: str | None) -> None:
    """Whoever answers it, to whatever was sent: 401 fails the run."""
    assert check(target(url, header), always(said)).exit_code() == 1


@pytest.mark.parametrize("source", [SourceKind.STDIN, SourceKind.FILE, SourceKind.SECRET])
@pytest.mark.parametrize("header", [f"Authorization: Basic {PACKED}", f"Basic {PACKED}", "Authorization: Bearer abc"])
@near_miss("AUTH-COLON-SYNTAX", "AUTH-NAME-MISSING")
def test_a_pasted_header_is_tried_as_it_was_meant(source: SourceKind, header: str) -> None:
    """A header from a pipe, a file or a secret may be meant for something else than the variable: it is tried."""
    seen: list[str | None] = []

    def server(request: HttpRequest) -> HttpAnswer:
        seen.append(authorization(request))
        return SUCCESS

    aim = target(OWN, header, headers_kind=source)
    assert check(aim, server).findings == ()
    assert seen == [header.removeprefix("Authorization: ")]
    assert primary(check(aim, always(answer(401))))[1] is LIKELY


def test_advice_never_wraps_base64() -> None:
    """No command that a diagnosis of the credential advises pipes through a base64 that wraps its output."""
    for row in catalog.ROWS:
        for step in row.found(CERTAIN, **dict.fromkeys(row.placeholders, "1")).fix:
            assert "base64" not in (step.command or "")
            assert "base64" not in step.text or "base64 -w0" in step.text


def test_a_mended_header_is_one_line() -> None:
    """However long the token, the header that comes out has one space and no line break."""
    value = header_value(Secret(ID), Secret(token_of(key="k" * 500))).reveal()
    assert value.split(" ") == ["Basic", value.partition(" ")[2]]
    assert len(value.splitlines()) == 1


GIVEN = [
    (ID, TOKEN, None),
    (ID, "", "AUTH-TOKEN-EMPTY"),
    (ID, "glc_xxxxxxxx", "AUTH-PLACEHOLDER"),
    (ID, "glc_abcdefgh", "AUTH-TOKEN-TRUNCATED"),
    (ID, "glsa_abcdefgh", "AUTH-TOKEN-KIND"),
    (ID, "eyJrIjoiabcdefg", "AUTH-TOKEN-KIND"),
    (ID, "hunter2hunter2", "AUTH-TOKEN-KIND"),
    ("my-stack", TOKEN, "AUTH-ID-NOT-NUMERIC"),
    ("²", TOKEN, "AUTH-ID-NOT-NUMERIC"),
    ("<id>", TOKEN, "AUTH-PLACEHOLDER"),
]


@pytest.mark.parametrize(("instance_id", "token", "code"), GIVEN)
@case("AUTH-TOKEN-EMPTY", "AUTH-PLACEHOLDER", "AUTH-TOKEN-TRUNCATED", "AUTH-TOKEN-KIND", "AUTH-ID-NOT-NUMERIC")
@near_miss("AUTH-TOKEN-EMPTY", "AUTH-PLACEHOLDER", "AUTH-TOKEN-TRUNCATED", "AUTH-TOKEN-KIND", "AUTH-ID-NOT-NUMERIC")
def test_halves_given_by_themselves(instance_id: str, token: str, code: str | None) -> None:
    """An instance ID and a token that cannot make a credential are refused before they are encoded."""
    found = judge_given(instance_id, token, read_token(token), "the ID", "the token")
    assert [one.code for one in found] == ([] if code is None else [code])


@pytest.mark.parametrize(
    ("arguments", "variables", "codes_noted"),
    [
        ([ID], {"GRAFANA_API_TOKEN": TOKEN}, []),
        ([TOKEN], {"GRAFANA_API_TOKEN": ID}, ["AUTH-SWAPPED"]),
        ([], {"GRAFANA_INSTANCE_ID": TOKEN, "GRAFANA_API_TOKEN": ID}, ["AUTH-SWAPPED"]),
        ([ID], {"GRAFANA_API_TOKEN": f" '{TOKEN}' "}, ["AUTH-STRIPPED"]),
        ([f'"{ID}"'], {"GRAFANA_API_TOKEN": TOKEN + "\n"}, ["AUTH-STRIPPED"]),
        ([ID], {"GRAFANA_API_TOKEN": TOKEN + "\n"}, []),
    ],
)
@case("AUTH-SWAPPED", "AUTH-STRIPPED")
@near_miss("AUTH-SWAPPED", "AUTH-STRIPPED")
def test_what_encode_auth_puts_right(arguments: list[str], variables: dict[str, str], codes_noted: list[str]) -> None:
    """Swapped slots and stray characters are put right with a notice, and the right header is printed."""
    ended = run("encode-auth", *arguments, variables=variables)
    assert (ended.code, ended.stdout.decode()) == (0, RIGHT + "\n")
    assert re.findall(r"\((AUTH-[A-Z-]+)\)", ended.stderr.decode()) == codes_noted


@case("AUTH-SWAPPED")
def test_swapped_slots_are_refused_where_that_is_asked_for(tmp_path: Path) -> None:
    """With --strict swapped slots end the command, in words that speak of slots and of nothing decoded."""
    file = tmp_path / "id"
    file.write_text(ID)
    ended = run("encode-auth", TOKEN, "--token-file", str(file), "--strict")
    assert (ended.code, ended.stdout) == (1, b"")
    assert "AUTH-SWAPPED" in ended.stderr.decode()
    assert "decoded" not in ended.stderr.decode()


@case("AUTH-SWAPPED")
@near_miss("AUTH-SWAPPED")
@pytest.mark.parametrize(("first", "second", "notes"), [(TOKEN, ID, 1), (ID, TOKEN, 0)])
def test_a_swapped_pair_of_variables_is_told(first: str, second: str, notes: int) -> None:
    """A pair of variables in each other's place is used, and said once, whatever command reads it."""
    ended = run("inspect-auth", variables={"GRAFANA_INSTANCE_ID": first, "GRAFANA_API_TOKEN": second})
    assert ended.code == 0
    assert ended.stderr.decode().count("AUTH-SWAPPED") == notes


@case("AUTH-TOKEN-AS-ENDPOINT")
@pytest.mark.parametrize("text", [TOKEN, TOKEN[:30], "glsa_abcdefghijkl", RIGHT, f"Basic {PACKED}", PACKED])
@pytest.mark.parametrize("by_variable", [False, True])
def test_a_token_given_as_the_endpoint(text: str, by_variable: bool) -> None:
    """A token or a header in the endpoint's place is told as that, whatever gave it, and shown nowhere."""
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": text} if by_variable else {}
    ended = run("check-endpoint", *([] if by_variable else [text]), variables=variables)
    said = (ended.stdout + ended.stderr).decode()
    assert ended.code == 1
    assert "AUTH-TOKEN-AS-ENDPOINT" in said
    assert text not in said
    assert "https://" not in said


@near_miss("AUTH-TOKEN-AS-ENDPOINT")
def test_an_endpoint_is_no_token() -> None:
    """URLs, bare hosts and placeholders are endpoints, right or wrong, and not for this judge."""
    for text in (GATEWAY, OWN, "localhost:4318", "collector", "123456", "", "http://glc_host:4318", "user:pass@host"):
        assert not judge_as_endpoint(text, "ENDPOINT")


def test_an_empty_id_is_a_wrong_use() -> None:
    """An empty INSTANCE_ID, as an unset variable in quotes gives it, is said in one line."""
    ended = run("encode-auth", "", variables={"GRAFANA_API_TOKEN": TOKEN})
    assert (ended.code, ended.stdout) == (2, b"")
    assert ended.stderr.decode().splitlines() == [
        "otelctl: INSTANCE_ID is empty; give the stack's numeric ID, as 123456"
    ]


@pytest.mark.parametrize(("typed", "printed"), [("654321\n", "654321"), ("\n", ID)])
def test_the_prompt_asks_for_the_id_too(typed: str, printed: str) -> None:
    """--prompt asks for the ID even where a variable has one, which Enter takes: it may be what is wrong."""
    terminal, said = _Terminal(typed), io.StringIO()
    session = Session(terminal, io.StringIO(), said, {"GRAFANA_INSTANCE_ID": ID}, [], "encode-auth")
    given = sources.gather(session)
    assert sources.instance_id(session, given, None, prompt=True).value == printed
    assert said.getvalue() == f"Instance ID (Enter for {ID}): \n"
    assert sources.instance_id(session, given, None).value == ID


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ('A=1\nOTEL_EXPORTER_OTLP_HEADERS="Authorization=x\nB=2\n', 2, ":2 cannot be read: the quote is not closed"),
        (f"OTEL_EXPORTER_OTLP_HEADERS='{RIGHT}'\nOTHER='abc\n", 0, ":2 cannot be read: the quote is not closed"),
        (f"OTEL_EXPORTER_OTLP_HEADERS='{RIGHT}'\nAN EMPTY LINE\n", 0, ":2 cannot be read: it is no NAME=value"),
        (f"\n# a comment's quote\nOTEL_EXPORTER_OTLP_HEADERS='{RIGHT}'\n", 0, ""),
    ],
)
def test_a_broken_line_of_an_env_file_is_told(text: str, code: int, said: str, tmp_path: Path) -> None:
    """A line that readers of .env files pass over is named, and ends the command where it sets a variable of ours."""
    file = tmp_path / ".env"
    file.write_text(text)
    ended = run("inspect-auth", "--env-file", str(file))
    assert ended.code == code
    assert bool(ended.stderr) is bool(said)
    assert (f"{file}{said}" if said else "") in ended.stderr.decode()
    assert len(ended.stderr.decode().splitlines()) <= 1


def test_recorded_refusals_are_refusals() -> None:
    """The 401 pages that nginx was recorded with are told as a credential wanted or refused."""
    seen = 0
    for one in transcripts():
        head = (one["answer"]["head"] or "").split("\r\n")
        if " 401 " not in head[0]:
            continue
        body = base64.b64decode(one["answer"]["body_base64"])
        said = answer(401, body, "text/html", www_authenticate='Basic realm="grafana"')
        sent = one["request"]["headers"].get("Authorization")
        header = None if sent is None else f"Authorization={sent}"
        code = "AUTH-WANTED" if sent is None else "AUTH-REVERSED"
        assert primary(check(target(LOCAL, header), always(said)))[0] == code
        seen += 1
    assert seen == 2
