"""What is told of variables, by what SDKs make of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from otelctl.diagnose import env as judge
from otelctl.model import Certainty, Finding
from otelctl.sdk import Language, Sdk
from otelctl.settings import Layer, Signal, SourceKind
from tests.cases.marks import case, near_miss

GATEWAY = "https://otlp-gateway-prod-eu-west-2.grafana.net/otlp"
AGAIN = "otelctl check-env"
ALL = tuple(Sdk(language) for language in Language)
PYTHON, NODE, JAVA, GO, DOTNET = ALL
OLD_PYTHON, OLD_NODE = Sdk(Language.PYTHON, (1, 26)), Sdk(Language.NODE, (0, 41, 1))

Variables = Mapping[str, str]


def layers(variables: Variables, kind: SourceKind = SourceKind.VARIABLE) -> tuple[Layer, ...]:
    """Return the variables as the one layer of an environment."""
    return (Layer(kind, "" if kind is SourceKind.VARIABLE else ".env", dict(variables), {}),)


def told(findings: tuple[Finding, ...]) -> list[str]:
    """Return the codes; all words are filled in on the way, so that a placeholder without a value fails."""
    for finding in findings:
        assert finding.summary + finding.cause + "".join(f"{step.text}{step.command}" for step in finding.fix)
    return [finding.code for finding in findings]


def protocol(variables: Variables, *sdks: Sdk) -> tuple[Finding, ...]:
    """Return what is told of the protocol of traces."""
    return judge.judge_protocol(layers(variables), Signal.TRACES, sdks or ALL, AGAIN)


def headers(text: str, *sdks: Sdk) -> tuple[Finding, ...]:
    """Return what is told of the headers of traces."""
    return judge.judge_headers(layers({"OTEL_EXPORTER_OTLP_HEADERS": text}), Signal.TRACES, sdks or ALL, AGAIN)


ENDPOINT, PROTOCOL = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL"


@case("ENV-PROTOCOL-DEFAULT")
@pytest.mark.parametrize(
    ("endpoint", "sdk", "taken"),
    [
        (GATEWAY, PYTHON, "grpc"),
        ("http://localhost:4318", JAVA, "grpc"),
        ("http://collector:4317", NODE, "http/protobuf"),
    ],
)
def test_a_default_that_does_not_fit_the_endpoint_is_told(endpoint: str, sdk: Sdk, taken: str) -> None:
    """Where no variable names the protocol, an SDK's default against the form of the endpoint is an error, likely."""
    (finding,) = protocol({ENDPOINT: endpoint}, sdk)
    assert (finding.code, finding.certainty) == ("ENV-PROTOCOL-DEFAULT", Certainty.LIKELY)
    assert taken in finding.summary
    other = "grpc" if taken == "http/protobuf" else "http/protobuf"
    assert finding.fix[0].command == f"export OTEL_EXPORTER_OTLP_PROTOCOL={other}"


@near_miss("ENV-PROTOCOL-DEFAULT", "ENV-PROTOCOL-DIFFERS")
@pytest.mark.parametrize(
    ("variables", "sdks"),
    [
        ({ENDPOINT: GATEWAY}, (NODE, GO)),
        ({ENDPOINT: "http://localhost:4317"}, (PYTHON,)),
        ({ENDPOINT: "https://collector.example.com"}, (PYTHON,)),
        ({ENDPOINT: GATEWAY, PROTOCOL: "http/protobuf"}, ALL),
        ({ENDPOINT: GATEWAY, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"}, ALL),
        ({}, ALL),
    ],
)
def test_a_default_that_fits_is_no_finding(variables: Variables, sdks: tuple[Sdk, ...]) -> None:
    """A fitting default, an endpoint that speaks for neither protocol, and a protocol that is named pass."""
    assert protocol(variables, *sdks) == ()


@case("ENV-PROTOCOL-DIFFERS")
@pytest.mark.parametrize("variables", [{ENDPOINT: GATEWAY}, {ENDPOINT: "http://c:4318", PROTOCOL: "http/json"}])
def test_sdks_that_take_different_protocols_are_told_apart(variables: Variables) -> None:
    """Where the protocol suits some of the SDKs asked about and not others, both are named."""
    (finding,) = protocol(variables)
    assert finding.code == "ENV-PROTOCOL-DIFFERS"
    assert finding.evidence["right"].startswith("Node")
    assert "Python" in finding.evidence["wrong"]


@case("ENV-PROTOCOL-UNSUPPORTED")
def test_a_protocol_that_the_sdk_lacks_is_told() -> None:
    """Python has no http/json: its auto-configuration exports nothing."""
    (finding,) = protocol({ENDPOINT: GATEWAY, PROTOCOL: "http/json"}, PYTHON)
    assert finding.code == "ENV-PROTOCOL-UNSUPPORTED"
    assert "nothing is exported" in finding.summary


@near_miss("ENV-PROTOCOL-UNSUPPORTED")
@pytest.mark.parametrize("named", ["http/json", "thrift"])
def test_a_protocol_that_the_sdk_has_and_one_that_nobody_has_are_not(named: str) -> None:
    """Node has http/json; a word that is no protocol at all has a code of its own (CONF-PROTOCOL-UNKNOWN)."""
    assert protocol({ENDPOINT: GATEWAY, PROTOCOL: named}, NODE) == ()


@case("ENV-PATH-LOST")
def test_a_path_under_grpc_is_told_with_its_fate_in_each_sdk() -> None:
    """gRPC with a path in the endpoint: each SDK's way with it is said."""
    (finding,) = protocol({ENDPOINT: "https://proxy.example.com/otlp", PROTOCOL: "grpc"})
    assert finding.code == "ENV-PATH-LOST"
    assert "in Python and Node it is dropped" in finding.summary
    assert "in Java it is an error at the start" in finding.summary


@near_miss("ENV-PATH-LOST")
@pytest.mark.parametrize(
    "variables",
    [
        {ENDPOINT: "http://collector:4317/", PROTOCOL: "grpc"},
        {ENDPOINT: "http://collector:4318/otlp", PROTOCOL: "http/protobuf"},
        {ENDPOINT: GATEWAY, PROTOCOL: "grpc"},
    ],
)
def test_a_slash_is_no_path_and_the_gateway_has_a_code_of_its_own(variables: Variables) -> None:
    """A bare slash is lost without loss; gRPC to Grafana Cloud's gateway is CONF-GRPC-GATEWAY."""
    assert protocol(variables) == ()


TIMEOUT = "OTEL_EXPORTER_OTLP_TIMEOUT"


@case("ENV-TIMEOUT-UNIT")
@pytest.mark.parametrize(
    ("value", "sdk", "said", "right"),
    [
        ("10000", PYTHON, "2.8 h in Python", "10"),
        ("10", NODE, "10 ms in Node", "10000"),
        ("30", GO, "30 ms in Go", "10000"),
    ],
)
def test_a_timeout_in_the_wrong_unit_is_told(value: str, sdk: Sdk, said: str, right: str) -> None:
    """10000 is hours in Python, 10 an instant elsewhere; the mend is in the unit of the SDK."""
    (finding,) = judge.judge_timeout(layers({TIMEOUT: value}), Signal.TRACES, (sdk,), AGAIN)
    assert finding.code == "ENV-TIMEOUT-UNIT"
    assert said in finding.summary
    assert finding.fix[0].command == f"export {TIMEOUT}={right}"


@near_miss("ENV-TIMEOUT-UNIT")
@pytest.mark.parametrize(
    ("value", "sdks"),
    [("10000", (NODE, JAVA, GO, DOTNET)), ("10", (PYTHON,)), ("10s", (JAVA,)), ("soon", ALL), ("", ALL)],
)
def test_a_timeout_in_the_right_unit_is_no_finding(value: str, sdks: tuple[Sdk, ...]) -> None:
    """A time-out that is seconds long in each SDK asked about passes, and so does what is no number."""
    assert judge.judge_timeout(layers({TIMEOUT: value}), Signal.TRACES, sdks, AGAIN) == ()


@case("ENV-HEADERS-DROPPED")
@pytest.mark.parametrize(
    ("text", "sdk", "name", "why"),
    [
        ("Authorization=Basic YWI6Yw==", OLD_NODE, "authorization", "a second ="),
        ("X-Scope-OrgID=a b", OLD_PYTHON, "x-scope-orgid", "a space"),
        ("x-a=b;c", PYTHON, "x-a", "must be percent-encoded"),
        ("x-a=100%", NODE, "x-a", "a %"),
        ("x-a=1,nonsense", JAVA, "x-a", "it has no ="),
        ("x a=1", GO, "without a name", "its name"),
    ],
)
def test_a_header_that_is_not_sent_is_told(text: str, sdk: Sdk, name: str, why: str) -> None:
    """What an SDK's parser leaves out, or stops at, is said with the reason, by a name that is no secret."""
    found = headers(text, sdk)
    assert "ENV-HEADERS-DROPPED" in told(found)
    assert found[0].evidence["name"] == name
    assert why in found[0].summary


@near_miss("ENV-HEADERS-DROPPED", "ENV-HEADERS-DIFFER", "ENV-HEADERS-CHANGED")
@pytest.mark.parametrize(
    ("text", "sdks"),
    [
        ("Authorization=Basic YWI6Yw==", ALL),
        ("Authorization=Basic%20YWI6Yw==,x-scope-orgid=team", ALL),
        ("Authorization=Basic%20YWI6Yw", (OLD_PYTHON, OLD_NODE)),
        (" x-a = 1 , x-b = 2 ", (PYTHON, NODE, GO)),
        ("", ALL),
    ],
)
def test_headers_that_every_sdk_sends_are_no_finding(text: str, sdks: tuple[Sdk, ...]) -> None:
    """The right header, with a space or %20, is sent as it is meant by the newest SDK of each language."""
    assert headers(text, *sdks) == ()


@case("ENV-HEADERS-DIFFER")
def test_a_header_that_some_sdks_drop_is_a_difference() -> None:
    """A semicolon drops the header in Python and is sent by Go: a warning that names both."""
    found = headers('x-a="quoted"', PYTHON, GO)
    assert told(found) == ["ENV-HEADERS-DIFFER"]
    assert (found[0].evidence["right"], found[0].evidence["wrong"]) == ("Go", "Python")


@case("ENV-HEADERS-CHANGED")
@pytest.mark.parametrize(
    ("text", "sdk", "what"),
    [("x-a=1+1", JAVA, "space"), ("x-a=1;secure", NODE, "semicolon"), ("x-a=a b%20c", PYTHON, "percent-encoding")],
)
def test_a_header_that_is_sent_changed_is_told(text: str, sdk: Sdk, what: str) -> None:
    """Java takes + for a space, Node cuts at a semicolon, Python leaves the encoding in a value that has a space."""
    found = headers(text, sdk)
    assert told(found) == ["ENV-HEADERS-CHANGED"]
    assert what in found[0].summary


def test_a_token_in_the_place_of_a_name_is_not_shown() -> None:
    """An entry without a name may be the secret itself: no finding repeats it."""
    token = "glc_eyJvIjoiNjU0MzIxIiwibiI6Im4iLCJrIjoiayJ9"
    for finding in headers(f"{token},x-a=1") + headers(f"Basic {token}=="):
        assert token.lower() not in str(finding.evidence).lower()


TRACES_ENDPOINT = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"


@case("ENV-EMPTY")
def test_an_empty_variable_that_counts_is_told() -> None:
    """OTLP over HTTP in Python before 1.45 exports to the empty URL."""
    given = {ENDPOINT: GATEWAY, TRACES_ENDPOINT: "", PROTOCOL: "http/protobuf"}
    found = judge.judge_empty(layers(given), Signal.TRACES, (Sdk(Language.PYTHON, (1, 44)),), AGAIN)
    assert told(found) == ["ENV-EMPTY"]
    assert found[0].fix[0].command == f"unset {TRACES_ENDPOINT}"


@near_miss("ENV-EMPTY")
@pytest.mark.parametrize("sdk", ALL)
def test_an_empty_variable_that_counts_as_unset_is_no_finding(sdk: Sdk) -> None:
    """The newest SDK of each language treats empty as unset, as the specification asks."""
    given = {ENDPOINT: GATEWAY, TRACES_ENDPOINT: "", PROTOCOL: "http/protobuf"}
    assert judge.judge_empty(layers(given), Signal.TRACES, (sdk,), AGAIN) == ()


@case("ENV-CONFIG-FILE")
def test_a_file_that_takes_the_place_of_variables_is_told() -> None:
    """OTEL_CONFIG_FILE beside exporter variables: Python from 1.43 on reads the file alone."""
    given = {"OTEL_CONFIG_FILE": "/etc/otel.yaml", ENDPOINT: GATEWAY}
    found = judge.judge_config_file(layers(given), ALL, AGAIN)
    assert told(found) == ["ENV-CONFIG-FILE"]
    assert "Python" in found[0].summary
    assert "${NAME}" in found[0].cause


@near_miss("ENV-CONFIG-FILE")
@pytest.mark.parametrize(
    ("variables", "sdk"),
    [
        ({"OTEL_CONFIG_FILE": "", ENDPOINT: GATEWAY}, PYTHON),
        ({"OTEL_CONFIG_FILE": "/etc/otel.yaml"}, PYTHON),
        ({"OTEL_CONFIG_FILE": "/etc/otel.yaml", ENDPOINT: GATEWAY}, OLD_PYTHON),
    ],
)
def test_a_file_that_is_not_set_or_not_read_is_no_finding(variables: Variables, sdk: Sdk) -> None:
    """An empty variable, a file alone, and an SDK that does not know the variable are fine."""
    assert judge.judge_config_file(layers(variables), (sdk,), AGAIN) == ()


@case("ENV-EXPORTER-OTHER")
@pytest.mark.parametrize("value", ["console", "jaeger", "oltp", "zipkin,console"])
def test_a_signal_that_goes_elsewhere_is_told(value: str) -> None:
    """An exporter other than otlp, or a misspelt one, keeps the signal from the endpoint."""
    found = judge.judge_exporter(layers({"OTEL_TRACES_EXPORTER": value}), Signal.TRACES, AGAIN)
    assert told(found) == ["ENV-EXPORTER-OTHER"]


@near_miss("ENV-EXPORTER-OTHER")
@pytest.mark.parametrize("value", ["otlp", "console, otlp", "", "none"])
def test_otlp_beside_others_and_none_are_no_finding(value: str) -> None:
    """otlp may stand beside others; `none` is CONF-SDK-DISABLED."""
    assert judge.judge_exporter(layers({"OTEL_TRACES_EXPORTER": value}), Signal.TRACES, AGAIN) == ()


def sampler(name: str, argument: str = "") -> list[str]:
    """Return the codes for a sampler and its argument."""
    given = {"OTEL_TRACES_SAMPLER": name, "OTEL_TRACES_SAMPLER_ARG": argument}
    return told(judge.judge_sampler(layers(given), AGAIN))


@case("ENV-SAMPLER-OFF")
@pytest.mark.parametrize(
    "given", [("always_off",), ("parentbased_always_off",), ("traceidratio", "0"), ("parentbased_traceidratio", "0.0")]
)
def test_a_sampler_that_keeps_nothing_is_told(given: tuple[str, ...]) -> None:
    """always_off, and a ratio of 0, export no trace that begins here."""
    assert sampler(*given) == ["ENV-SAMPLER-OFF"]


@case("ENV-SAMPLER-ARG")
@pytest.mark.parametrize("given", [("", "0"), ("always_on", "0.1"), ("traceidratio", "50"), ("traceidratio", "half")])
def test_an_argument_that_nobody_heeds_is_told(given: tuple[str, ...]) -> None:
    """The argument counts for a ratio alone, and there only as a number from 0 to 1."""
    assert sampler(*given) == ["ENV-SAMPLER-ARG"]


@case("ENV-SAMPLER-UNKNOWN")
def test_a_sampler_that_nobody_knows_is_told() -> None:
    """A misspelt sampler is ignored by SDKs."""
    assert sampler("traceidratio_parentbased", "0.5") == ["ENV-SAMPLER-UNKNOWN"]


@near_miss("ENV-SAMPLER-OFF", "ENV-SAMPLER-ARG", "ENV-SAMPLER-UNKNOWN")
@pytest.mark.parametrize(
    "given",
    [
        ("",),
        ("always_on",),
        ("traceidratio", "0.01"),
        ("parentbased_traceidratio", "1"),
        ("jaeger_remote", "endpoint=http://localhost:14250"),
        ("xray",),
    ],
)
def test_samplers_that_keep_something_are_no_finding(given: tuple[str, ...]) -> None:
    """Each sampler of the specification with an argument that suits it passes."""
    assert sampler(*given) == []


@case("ENV-NO-SERVICE-NAME")
@pytest.mark.parametrize("value", ["", "deployment.environment.name=prod", "service.name="])
def test_a_service_without_a_name_is_told(value: str) -> None:
    """Without a name all services look like one, unknown_service."""
    found = judge.judge_resource(layers({"OTEL_RESOURCE_ATTRIBUTES": value}), AGAIN)
    assert told(found) == ["ENV-NO-SERVICE-NAME"]


@case("ENV-RESOURCE-ATTRIBUTES")
@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("service.name=a,team", "has no ="),
        ("service.name=a,=b", "has no key"),
        ("service.name=a,load=100%", "has a %"),
        ("service.name=a,,team=b", "has no ="),
    ],
)
def test_attributes_that_cannot_be_read_are_told(value: str, what: str) -> None:
    """One entry that is not key=value, percent-encoded, voids all attributes by the specification."""
    found = judge.judge_resource(layers({"OTEL_RESOURCE_ATTRIBUTES": value}), AGAIN)
    assert told(found) == ["ENV-RESOURCE-ATTRIBUTES"]
    assert what in found[0].summary


@near_miss("ENV-NO-SERVICE-NAME", "ENV-RESOURCE-ATTRIBUTES")
@pytest.mark.parametrize(
    "variables",
    [
        {"OTEL_SERVICE_NAME": "shop"},
        {"OTEL_RESOURCE_ATTRIBUTES": "service.name=shop, team=a%2Cb,"},
        {"OTEL_SERVICE_NAME": "shop", "OTEL_RESOURCE_ATTRIBUTES": "url=http://x/?a=b"},
    ],
)
def test_a_named_service_with_readable_attributes_is_no_finding(variables: Variables) -> None:
    """The name may stand in either variable; = in a value, spaces and a last comma do no harm."""
    assert judge.judge_resource(layers(variables), AGAIN) == ()


@case("ENV-NO-ENDPOINT")
@pytest.mark.parametrize("variables", [{}, {"GRAFANA_OTLP_ENDPOINT": GATEWAY}, {ENDPOINT: ""}])
def test_an_endpoint_that_no_sdk_reads_is_told(variables: Variables) -> None:
    """Without the specification's variable SDKs send to this machine, whatever Grafana's own variable says."""
    found = judge.judge_absent_endpoint(layers(variables), tuple(Signal))
    assert told(found) == ["ENV-NO-ENDPOINT"]
    assert ("GRAFANA_OTLP_ENDPOINT is set" in found[0].summary) == ("GRAFANA_OTLP_ENDPOINT" in variables)


@near_miss("ENV-NO-ENDPOINT")
@pytest.mark.parametrize("name", [ENDPOINT, TRACES_ENDPOINT, "OTEL_CONFIG_FILE"])
def test_an_endpoint_that_is_named_somewhere_is_no_finding(name: str) -> None:
    """The general variable, that of one signal, or a configuration file names it."""
    assert judge.judge_absent_endpoint(layers({name: GATEWAY}), tuple(Signal)) == ()


@case("ENV-BOOLEAN")
@pytest.mark.parametrize("value", ["1", "yes", "ON"])
def test_a_switch_that_counts_as_false_is_told(value: str) -> None:
    """Only true is true."""
    assert told(judge.judge_booleans(layers({"OTEL_SDK_DISABLED": value}), AGAIN)) == ["ENV-BOOLEAN"]


@near_miss("ENV-BOOLEAN")
@pytest.mark.parametrize("value", ["true", "TRUE", "false", "0", "no", ""])
def test_a_switch_that_counts_as_it_reads_is_no_finding(value: str) -> None:
    """true is true, and what is meant as false counts as false."""
    assert judge.judge_booleans(layers({"OTEL_EXPORTER_OTLP_INSECURE": value}), AGAIN) == ()


@case("ENV-UNKNOWN-VARIABLE")
@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("OTEL_SERVICE_VERSION", "OTEL_RESOURCE_ATTRIBUTES"),
        ("OTEL_EXPORTER_OTLP_HEADER", "OTEL_EXPORTER_OTLP_HEADERS"),
        ("OTEL_EXPORTER_OLTP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ("OTEL_EXPORTER_OTLP_SPAN_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
        ("otel_exporter_otlp_headers", "OTEL_EXPORTER_OTLP_HEADERS"),
        ("OTEL_TRACE_EXPORTER", "OTEL_TRACES_EXPORTER"),
    ],
)
def test_a_name_that_nobody_reads_is_told(name: str, right: str) -> None:
    """A name near one of the specification's is told with the right one, its value by reference alone."""
    found = judge.judge_names(layers({name: "secret-value"}), AGAIN)
    assert told(found) == ["ENV-UNKNOWN-VARIABLE"]
    command = found[0].fix[0].command or ""
    assert command.startswith(f'export {right}="')
    assert f"${name}" in command
    assert "secret-value" not in command + found[0].summary


@near_miss("ENV-UNKNOWN-VARIABLE")
@pytest.mark.parametrize(
    "name",
    [
        *sorted(judge.KNOWN),
        "OTEL_PYTHON_LOG_CORRELATION",
        "OTEL_NODE_RESOURCE_DETECTORS",
        "OTEL_JAVAAGENT_ENABLED",
        "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_REQUEST",
        "OTEL_GO_X_EXEMPLAR",
        "OTEL_DOTNET_AUTO_HOME",
        "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS",
        "OTEL_MY_OWN_SWITCH",
        "PATH",
    ],
)
def test_names_that_somebody_reads_are_no_finding(name: str) -> None:
    """The specification's variables, those of one language, and names that resemble none of them pass."""
    assert judge.judge_names(layers({name: "x"}), AGAIN) == ()


@case("ENV-PROPAGATORS")
@pytest.mark.parametrize("value", ["w3c", "tracecontext,bagage", "B3"])
def test_a_propagator_that_nobody_knows_is_told(value: str) -> None:
    """An unknown name hands on no context."""
    assert told(judge.judge_propagators(layers({"OTEL_PROPAGATORS": value}), AGAIN)) == ["ENV-PROPAGATORS"]


@near_miss("ENV-PROPAGATORS")
@pytest.mark.parametrize("value", ["tracecontext,baggage", "xray", "none", "b3, b3multi", "", "xray-lambda"])
def test_propagators_of_the_specification_are_no_finding(value: str) -> None:
    """Each propagator of the specification passes."""
    assert judge.judge_propagators(layers({"OTEL_PROPAGATORS": value}), AGAIN) == ()


def test_a_finding_of_every_signal_is_said_once() -> None:
    """What comes of the general variable is one finding, however many signals it holds for."""
    found = judge.each(judge.judge_timeout, layers({TIMEOUT: "10000"}), Signal, (PYTHON,), AGAIN)
    assert told(found) == ["ENV-TIMEOUT-UNIT"]


@pytest.mark.parametrize(
    "judged",
    [
        lambda given: judge.judge_booleans(given, AGAIN),
        lambda given: judge.judge_names(given, AGAIN),
        lambda given: judge.judge_timeout(given, Signal.TRACES, (PYTHON,), AGAIN),
    ],
)
def test_what_stands_in_a_file_is_not_mended_by_an_export(
    judged: Callable[[tuple[Layer, ...]], tuple[Finding, ...]],
) -> None:
    """An export would not reach a .env file: there the advice is to check again after the change."""
    given = layers({"OTEL_SDK_DISABLED": "1", "OTEL_SERVICE_VERSION": "1", TIMEOUT: "10000"}, kind=SourceKind.ENV_FILE)
    (finding,) = judged(given)
    assert finding.fix[0].command == AGAIN
