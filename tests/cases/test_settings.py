"""Every diagnosis of the settings: what must give it, and what must not."""

from __future__ import annotations

import dataclasses

import pytest

from otelctl.diagnose.settings import judge_protocol, judge_switches
from otelctl.endpoint import parse
from otelctl.model import Certainty, Severity
from otelctl.settings import Protocol, Setting, Source, SourceKind
from tests.cases.marks import case, near_miss
from tests.support.world import GATEWAY, SUCCESS, always, check, target

CERTAIN, LIKELY = Certainty.CERTAIN, Certainty.LIKELY


def variable(name: str, value: str) -> Setting[str]:
    """Return a setting from the environment."""
    return Setting(value, Source(SourceKind.VARIABLE, name))


@pytest.mark.parametrize("value", ["http", "https", "HTTP/protobuf", "http/protobuf ", "http_protobuf", "otlp"])
@case("CONF-PROTOCOL-UNKNOWN")
def test_a_protocol_that_otlp_does_not_have(value: str) -> None:
    """A word that is none of the three protocols stops the check before anything is sent."""
    report = check(target("http://localhost:4318", protocol=value), always(SUCCESS))
    assert report.primary is not None
    assert (report.primary.code, report.primary.certainty) == ("CONF-PROTOCOL-UNKNOWN", CERTAIN)


@pytest.mark.parametrize("value", [Protocol.HTTP_PROTOBUF, Protocol.HTTP_JSON])
@near_miss("CONF-PROTOCOL-UNKNOWN", "CONF-GRPC-GATEWAY")
def test_the_protocols_of_http(value: str) -> None:
    """Both protocols over HTTP are fine everywhere."""
    for url in ("http://localhost:4318", "https://otel.example.com"):
        assert check(target(url, protocol=value), always(SUCCESS)).findings == ()
    assert judge_protocol(variable("X", value), parse(GATEWAY)) == ()


SWITCHES = [
    ("OTEL_SDK_DISABLED", "true", "CONF-SDK-DISABLED"),
    ("OTEL_SDK_DISABLED", " TRUE ", "CONF-SDK-DISABLED"),
    ("OTEL_SDK_DISABLED", "1", None),
    ("OTEL_SDK_DISABLED", "yes", None),
    ("OTEL_SDK_DISABLED", "false", None),
    ("OTEL_TRACES_EXPORTER", "none", "CONF-SDK-DISABLED"),
    ("OTEL_TRACES_EXPORTER", "otlp", None),
    ("OTEL_TRACES_EXPORTER", "otlp,console", None),
    ("OTEL_TRACES_EXPORTER", "nonesuch", None),
]


@pytest.mark.parametrize(("name", "value", "code"), SWITCHES)
@case("CONF-SDK-DISABLED")
@near_miss("CONF-SDK-DISABLED")
def test_what_switches_an_sdk_off(name: str, value: str, code: str | None) -> None:
    """`true` alone disables the SDK (sdk-environment-variables.md), `none` alone an exporter; it is a warning."""
    setting = variable(name, value)
    found = judge_switches(setting if "SDK" in name else None, None if "SDK" in name else setting)
    assert [(one.code, one.severity) for one in found] == ([(code, Severity.WARNING)] if code else [])


def test_a_disabled_sdk_is_probed_all_the_same() -> None:
    """A disabled SDK is worth a warning and keeps nothing from being checked."""
    report = check(target("http://localhost:4318", disabled=variable("OTEL_SDK_DISABLED", "true")), always(SUCCESS))
    assert [one.code for one in report.findings] == ["CONF-SDK-DISABLED"]
    assert report.exit_code() == 0
    assert next(result for result in report.results if result.check == "traces").detail.startswith("200")


@case("CONF-GRPC-GATEWAY")
def test_grpc_to_the_gateway() -> None:
    """gRPC at Grafana Cloud's gateway, which negotiates no HTTP/2, is wrong, likely (field reports)."""
    found = judge_protocol(variable("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), parse(GATEWAY))
    assert [(one.code, one.certainty) for one in found] == [("CONF-GRPC-GATEWAY", LIKELY)]


@near_miss("CONF-GRPC-GATEWAY")
@pytest.mark.parametrize("url", ["http://localhost:4317", "https://tempo-prod-04-prod-eu-west-2.grafana.net:443"])
def test_grpc_elsewhere(url: str) -> None:
    """gRPC to a receiver that may well speak it, Tempo's own host at Grafana Cloud included, is no fault."""
    assert judge_protocol(variable("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), parse(url)) == ()


def test_what_no_setting_names_is_said_to_be_a_default() -> None:
    """The protocol that is probed by default is not said to be named by the settings."""
    by_default = Setting(str(Protocol.HTTP_PROTOBUF), Source(SourceKind.DEFAULT, "the default"))
    for protocol, words in ((by_default, "no setting names one, http/protobuf is probed"), (None, "http/protobuf")):
        aim = target("http://localhost:4318")
        aim = dataclasses.replace(aim, protocol=protocol or aim.protocol)
        assert check(aim, always(SUCCESS)).results[0].detail == words


def test_a_variable_of_ours_is_said_to_be_none_of_the_sdks() -> None:
    """An endpoint from GRAFANA_OTLP_ENDPOINT is no finding, and said to be read by no SDK; a store may hold it."""
    aim = target(GATEWAY, variable="GRAFANA_OTLP_ENDPOINT")
    report = check(dataclasses.replace(aim, headers=target(headers="Authorization=Bearer x").headers), always(SUCCESS))
    assert "SDKs do not read" in report.results[1].detail
    for other in (dataclasses.replace(aim, stores=True), target(GATEWAY)):
        assert "SDKs" not in check(other, always(SUCCESS)).results[1].detail
