"""The table of SDK behaviour: that it is whole, and what follows from it without a real SDK at hand."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otelctl import sdk
from otelctl.sdk import Dropped, HeaderForm, Headers, Language, Proof, Sdk, Silence, Wire
from otelctl.settings import Layer, Signal, SourceKind

ENDPOINT, PROTOCOL, HEADERS = (f"OTEL_EXPORTER_OTLP_{what}" for what in ("ENDPOINT", "PROTOCOL", "HEADERS"))
HTTP = {ENDPOINT: "http://collector:4318/otlp", PROTOCOL: "http/protobuf"}


def predict(variables: Mapping[str, str], one: Sdk, signal: Signal = Signal.TRACES) -> sdk.Prediction:
    """Return what an SDK does with a signal."""
    return sdk.predict((Layer(SourceKind.VARIABLE, "", variables, {}),), one, signal)


def sent(form: HeaderForm, text: str) -> dict[str, str]:
    """Return the headers that a reader sends."""
    return {name: value.reveal() for name, value in sdk.read_headers(form, text).sent}


PARTS = (
    sdk.DEFAULT_PROTOCOL, sdk.PROTOCOLS, sdk.OTHER_PROTOCOL, sdk.EXPORTED, sdk.EXPORTABLE, sdk.JOIN, sdk.GRPC_PATH,
    sdk.HEADERS, sdk.HEADERS_MERGED, sdk.TIMEOUT, sdk.TIMEOUT_GENERAL, sdk.COMPRESSION, sdk.DISABLED, sdk.CONFIG_FILE,
    sdk.PER_SIGNAL, sdk.EMPTY_IS_SET,
)  # fmt: skip


@pytest.mark.parametrize("rows", PARTS)
def test_every_part_of_the_table_says_something_of_every_version(rows: tuple[sdk.Row[object], ...]) -> None:
    """Each language has a row without a version, its rows ascend, and the newest is that of an SDK without one."""
    for language in Language:
        own = [one for one in rows if one.language is language]
        assert own[0].since == ()
        assert [one.since for one in own] == sorted(one.since for one in own)
        assert sdk.row(rows, Sdk(language)) is own[-1]
        assert sdk.row(rows, Sdk(language, (0, 0, 1))) is own[0]


def test_every_row_is_in_the_table_and_says_where_it_is_from() -> None:
    """A row has an address that can be followed, and says how it is known; Node's have both of its counts."""
    assert sorted(map(id, sdk.TABLE)) == sorted(id(one) for part in PARTS for one in part)
    for one in sdk.TABLE:
        assert one.source.startswith("https://")
        assert isinstance(one.proof, Proof)
        assert (one.language is Language.NODE and one.since != ()) == (one.stable != ())


def test_the_rows_of_python_and_node_are_those_that_are_run() -> None:
    """What the tests run is marked so, and nothing else is."""
    for one in sdk.TABLE:
        assert (one.proof is Proof.RUN) == (one.language in {Language.PYTHON, Language.NODE})


@pytest.mark.parametrize(
    ("version", "form"),
    [
        ((0, 41, 1), HeaderForm.BAGGAGE_ONE_EQUALS),
        ((1, 15, 1), HeaderForm.BAGGAGE_ONE_EQUALS),
        ((0, 41, 2), HeaderForm.BAGGAGE_THROWS),
        ((1, 15, 2), HeaderForm.BAGGAGE_THROWS),
        ((2, 2), HeaderForm.BAGGAGE_THROWS),
        ((0, 209), HeaderForm.BAGGAGE),
        ((2, 3), HeaderForm.BAGGAGE),
    ],
)
def test_node_is_counted_in_two_ways(version: tuple[int, ...], form: HeaderForm) -> None:
    """A version of sdk-node (0.x) and one of core (1.x, 2.x) lead to the same row."""
    assert sdk.row(sdk.HEADERS, Sdk(Language.NODE, version)).value is form


@pytest.mark.parametrize("form", HeaderForm)
def test_the_right_header_is_sent_by_every_reader_in_a_form_that_it_takes(form: HeaderForm) -> None:
    """Each reader has a spelling of `Basic <base64>` that arrives as it is meant."""
    pad = "" if form is HeaderForm.BAGGAGE_ONE_EQUALS else "=="
    spellings = (f"Authorization=Basic YWI6Yw{pad}", f"Authorization=Basic%20YWI6Yw{pad}")
    assert any(sent(form, spelling) == {"authorization": f"Basic YWI6Yw{pad}"} for spelling in spellings)


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        (HeaderForm.JAVA_RAW, "a=x%20y", {"a": "x%20y"}),
        (HeaderForm.JAVA, "a=x+y%2B", {"a": "x y+"}),
        (HeaderForm.JAVA, "a=,b=1", {"b": "1"}),
        (HeaderForm.JAVA, "a=%zz", {}),
        (HeaderForm.JAVA, "a=1,b", {}),
        (HeaderForm.GO, "a=x+y%2B, b = 1 ,c,d e=1,f=%zz", {"a": "x+y+", "b": "1"}),
        (HeaderForm.DOTNET_RAW, "a=x%20y", {"a": "x%20y"}),
        (HeaderForm.DOTNET_RAW, "a=1,", {}),
        (HeaderForm.DOTNET_SPLIT, "a=1%2C2", {}),
        (HeaderForm.DOTNET_SPLIT, "a=1%2Cb=2", {"a": "1", "b": "2"}),
        (HeaderForm.DOTNET, "a=1%2C2,b=3,", {"a": "1,2", "b": "3"}),
        (HeaderForm.DOTNET, "Basic YWI6Yw", {}),
    ],
)
def test_the_readers_that_no_test_runs_follow_their_sources(
    form: HeaderForm, text: str, expected: dict[str, str]
) -> None:
    """Java, Go and .NET read headers as their sources do."""
    assert sent(form, text) == expected


@given(st.text(max_size=60))
def test_no_text_makes_a_reader_fail(text: str) -> None:
    """Whatever the variable holds, each reader says what would be sent, with names in lower case."""
    for form in HeaderForm:
        read = sdk.read_headers(form, text)
        assert isinstance(read, Headers)
        assert all(name == name.lower() for name, _ in read.sent)
        assert all(entry.dropped is None or isinstance(entry.dropped, Dropped) for entry in read.entries)


def test_what_is_predicted_shows_no_secret() -> None:
    """A prediction's repr has no value of a header in it."""
    for language in Language:
        prediction = predict({**HTTP, HEADERS: "Authorization=Basic c2VjcmV0LXNlY3JldA"}, Sdk(language))
        assert "c2VjcmV0" not in repr(prediction)


@pytest.mark.parametrize(
    ("language", "base", "expected"),
    [
        (Language.JAVA, "http://c:4318", "http://c:4318/v1/traces"),
        (Language.JAVA, "http://c:4318/otlp/", "http://c:4318/otlp/v1/traces"),
        (Language.GO, "http://c:4318/otlp?x=1", "http://c:4318/otlp/v1/traces"),
        (Language.DOTNET, "http://c:4318/otlp", "http://c:4318/otlp/v1/traces"),
        (Language.DOTNET, "http://c:4318/otlp/v1/traces", "http://c:4318/otlp/v1/traces"),
    ],
)
def test_base_urls_become_a_signals_as_the_sources_say(language: Language, base: str, expected: str) -> None:
    """Java and Go append to the path, .NET unless it is there."""
    assert predict({**HTTP, ENDPOINT: base}, Sdk(language)).url == expected


def test_dotnet_reads_the_general_variables_alone() -> None:
    """AddOtlpExporter knows no variable of one signal."""
    given_ = {**HTTP, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://other/v1/traces"}
    assert predict(given_, Sdk(Language.DOTNET)).url == "http://collector:4318/otlp/v1/traces"
    assert predict(given_, Sdk(Language.GO)).url == "http://other/v1/traces"


@pytest.mark.parametrize(
    ("language", "url", "silence"),
    [
        (Language.PYTHON, "https://h", None),
        (Language.NODE, "https://h", None),
        (Language.JAVA, "https://h", Silence.PATH),
        (Language.GO, "https://h/otlp", None),
        (Language.DOTNET, "https://h/otlp", None),
    ],
)
def test_each_sdk_has_a_way_with_a_path_under_grpc(language: Language, url: str, silence: Silence | None) -> None:
    """gRPC to https://h/otlp: dropped, an error, part of the address, or before the method."""
    prediction = predict({ENDPOINT: "https://h/otlp", PROTOCOL: "grpc"}, Sdk(language))
    assert (prediction.protocol, prediction.url, prediction.silence) == (Wire.GRPC, url, silence)


@pytest.mark.parametrize(
    ("language", "text", "seconds"),
    [
        (Language.PYTHON, "2.5", 2.5),
        (Language.NODE, "2500", 2.5),
        (Language.JAVA, "2500", 2.5),
        (Language.JAVA, "10s", 10.0),
        (Language.JAVA, "2 m", 120.0),
        (Language.GO, "2500", 2.5),
        (Language.DOTNET, "2500", 2.5),
        (Language.NODE, "soon", 10.0),
    ],
)
def test_a_timeout_is_told_in_seconds(language: Language, text: str, seconds: float) -> None:
    """A number counts in the unit of its SDK; Java takes a unit with it; what is no number leaves the default."""
    assert predict({**HTTP, "OTEL_EXPORTER_OTLP_TIMEOUT": text}, Sdk(language)).timeout == seconds


@pytest.mark.parametrize(
    ("language", "version", "silence"),
    [
        (Language.GO, (), None),
        (Language.DOTNET, (1, 14), None),
        (Language.DOTNET, (1, 15), Silence.DISABLED),
        (Language.JAVA, (), Silence.DISABLED),
    ],
)
def test_the_switch_is_heeded_by_those_that_know_it(
    language: Language, version: tuple[int, ...], silence: Silence | None
) -> None:
    """Go does not know OTEL_SDK_DISABLED, .NET since 1.15."""
    assert predict({**HTTP, "OTEL_SDK_DISABLED": "true"}, Sdk(language, version)).silence is silence


def test_an_endpoint_that_is_no_url_is_told() -> None:
    """Without a scheme nobody can send over HTTP; Python and Node take the address for gRPC, and speak TLS."""
    for language in Language:
        assert predict({ENDPOINT: "collector:4318", PROTOCOL: "http/protobuf"}, Sdk(language)).silence is Silence.URL
    prediction = predict({ENDPOINT: "collector:4317", PROTOCOL: "grpc"}, Sdk(Language.PYTHON))
    assert (prediction.url, prediction.silence) == ("https://collector:4317", None)


def test_nothing_set_goes_to_this_machine() -> None:
    """The defaults are localhost, 4318 over HTTP and 4317 over gRPC."""
    assert predict({}, Sdk(Language.NODE), Signal.LOGS).url == "http://localhost:4318/v1/logs"
    assert predict({}, Sdk(Language.PYTHON)).url == "http://localhost:4317"
