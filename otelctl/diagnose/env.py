"""Judges variables by what SDKs make of them, before anything is sent.

A judge takes the SDKs that are asked about: what all of them do is an error, what some of them do is a difference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import unquote

from otelctl import sdk as sdks_
from otelctl.catalog import env as catalog
from otelctl.endpoint import GRPC_PORT, HTTP_PORT, Endpoint, EndpointError, GrafanaHost, parse
from otelctl.model import Certainty, Finding
from otelctl.sdk import Changed, Dropped, Headers, Language, Otherwise, Sdk, Wire
from otelctl.settings import Layer, Setting, Signal, Source, SourceKind, find, set_command, signal_variable

CERTAIN, LIKELY = Certainty.CERTAIN, Certainty.LIKELY

_HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"
_PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"


def named(sdks: Iterable[Sdk]) -> str:
    """Return the names of SDKs as a sentence has them."""
    names = [str(one) for one in sdks]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _unset(source: Source, again: str) -> str:
    return f"unset {source.name}" if source.kind is SourceKind.VARIABLE else again


def _value(setting: Setting[str]) -> str:
    return "".join(char if char.isprintable() else "?" for char in setting.value.strip())[:60]


def _endpoint(layers: Sequence[Layer], signal: Signal) -> Endpoint | None:
    found = find(layers, signal_variable(signal, "ENDPOINT"), "OTEL_EXPORTER_OTLP_ENDPOINT")
    try:
        return parse(found.value) if found else None
    except EndpointError:
        return None


def _fits(endpoint: Endpoint) -> Wire | None:
    """Return the protocol that an endpoint's form speaks for, None where it speaks for none."""
    if endpoint.grafana is GrafanaHost.GATEWAY or endpoint.port == HTTP_PORT or endpoint.path.strip("/"):
        return Wire.PROTOBUF
    return Wire.GRPC if endpoint.port == GRPC_PORT else None


def judge_protocol(layers: Sequence[Layer], signal: Signal, sdks: Sequence[Sdk], again: str) -> tuple[Finding, ...]:
    """Return what a signal's protocol shows: a default that does not fit, one that an SDK lacks, a path under gRPC."""
    setting = find(layers, signal_variable(signal, "PROTOCOL"), _PROTOCOL)
    endpoint = _endpoint(layers, signal)
    if setting is None:
        return _judge_default(signal, sdks, endpoint)
    text = setting.value.strip()
    if text not in set(Wire):
        return ()  # CONF-PROTOCOL-UNKNOWN says so
    lacking = [one for one in sdks if text not in sdks_.row(sdks_.PROTOCOLS, one).value]
    if lacking:
        return (_lacking(setting, sdks, lacking, endpoint, again),)
    if text == Wire.GRPC and endpoint is not None and endpoint.path.strip("/"):
        if endpoint.grafana is GrafanaHost.GATEWAY:
            return ()  # CONF-GRPC-GATEWAY says so
        return (_path_lost(setting, sdks, endpoint, again),)
    return ()


def _judge_default(signal: Signal, sdks: Sequence[Sdk], endpoint: Endpoint | None) -> tuple[Finding, ...]:
    fits = _fits(endpoint) if endpoint else None
    if fits is None or endpoint is None:
        return ()
    taken = {one: sdks_.row(sdks_.DEFAULT_PROTOCOL, one).value for one in sdks}
    wrong = [one for one in sdks if taken[one] is not fits]
    if not wrong:
        return ()
    mend = f"export {_PROTOCOL}={fits}"
    if len(wrong) == len(sdks):
        finding = catalog.PROTOCOL_DEFAULT.found(
            LIKELY, _PROTOCOL, sdks=named(wrong), taken=taken[wrong[0]], fits=fits, url=endpoint.url, mend_command=mend
        )
    else:
        right = [one for one in sdks if one not in wrong]
        why = f"no variable names the protocol of {signal}, and {taken[wrong[0]]} is the default there"
        finding = catalog.PROTOCOL_DIFFERS.found(
            LIKELY, _PROTOCOL, right=named(right), wrong=named(wrong), fits=fits, url=endpoint.url, why=why,
            mend_command=mend,
        )  # fmt: skip
    return (finding,)


def _lacking(
    setting: Setting[str], sdks: Sequence[Sdk], lacking: Sequence[Sdk], endpoint: Endpoint | None, again: str
) -> Finding:
    mend = set_command(setting.source, Wire.PROTOBUF, again)
    outcome = sdks_.row(sdks_.OTHER_PROTOCOL, lacking[0]).value
    if len(lacking) == len(sdks):
        return catalog.PROTOCOL_UNSUPPORTED.found(
            CERTAIN, str(setting.source), variable=setting.source.name, value=_value(setting), sdks=named(lacking),
            outcome=outcome, mend_command=mend,
        )  # fmt: skip
    right = [one for one in sdks if one not in lacking]
    why = f"{_value(setting)} is missing there" if outcome is Otherwise.SILENT else f"{outcome}"
    return catalog.PROTOCOL_DIFFERS.found(
        CERTAIN, str(setting.source), right=named(right), wrong=named(lacking), fits=_value(setting),
        url=endpoint.url if endpoint else "the endpoint", why=why, mend_command=mend,
    )  # fmt: skip


def _path_lost(setting: Setting[str], sdks: Sequence[Sdk], endpoint: Endpoint, again: str) -> Finding:
    by_fate: dict[str, list[Sdk]] = {}
    for one in sdks:
        by_fate.setdefault(sdks_.row(sdks_.GRPC_PATH, one).value, []).append(one)
    what = "; ".join(f"in {named(some)} it is {fate}" for fate, some in by_fate.items())
    return catalog.PATH_LOST.found(
        CERTAIN, str(setting.source), url=endpoint.url, path=endpoint.path, what=what,
        mend_command=set_command(setting.source, Wire.PROTOBUF, again),
    )  # fmt: skip


def judge_headers(layers: Sequence[Layer], signal: Signal, sdks: Sequence[Sdk], again: str) -> tuple[Finding, ...]:
    """Return which headers are not sent, or are sent changed, by some or all of the SDKs."""
    read = {one: sdks_.headers_of(layers, one, signal) for one in sdks}
    source = find(layers, signal_variable(signal, "HEADERS"), _HEADERS)
    if source is None:
        return ()
    subject, found = str(source.source), []
    for name in dict.fromkeys(entry.name for headers in read.values() for entry in headers.entries):
        fates = {one: _fate(read[one], name) for one in sdks}
        wrong = [one for one in sdks if fates[one]]
        shown = shown_name(name)
        if wrong and len(wrong) == len(sdks):
            why = fates[wrong[0]]
            found.append(
                catalog.HEADERS_DROPPED.found(CERTAIN, subject, sdks=named(wrong), name=shown, why=why, again=again)
            )
        elif wrong:
            right = [one for one in sdks if one not in wrong]
            found.append(
                catalog.HEADERS_DIFFER.found(
                    CERTAIN,
                    subject,
                    name=shown,
                    right=named(right),
                    wrong=named(wrong),
                    why=fates[wrong[0]],
                    again=again,
                )
            )
        changed = {one: change for one in sdks if (change := _changed(read[one], name)) and not fates[one]}
        for change in dict.fromkeys(changed.values()):
            some = [one for one, its in changed.items() if its is change]
            found.append(
                catalog.HEADERS_CHANGED.found(CERTAIN, subject, sdks=named(some), name=shown, what=change, again=again)
            )
    return tuple(found)


def shown_name(name: str) -> str:
    """Return a header's name for display; what is no name may be a value that lost its name."""
    return name if re.fullmatch(r"[a-z0-9!#$%&'*+.^_`|~-]{1,60}", name) and not _secretive(name) else "without a name"


def _secretive(name: str) -> bool:
    return len(name) > 40 or name.startswith(("glc_", "glsa_", "eyj"))


def _fate(headers: Headers, name: str) -> str:
    """Say why a header is not sent, an empty string where it is."""
    own = [entry for entry in headers.entries if entry.name == name]
    if headers.stops is not None:
        return f"one entry stops it at its start, because {headers.stops}"
    if any(entry.dropped is None for entry in own):
        return ""
    return (own[-1].dropped or Dropped.NAME).value if own else "it is part of the value before it"


def _changed(headers: Headers, name: str) -> Changed | None:
    return next((entry.changed for entry in reversed(headers.entries) if entry.name == name), None)


def judge_timeout(layers: Sequence[Layer], signal: Signal, sdks: Sequence[Sdk], again: str) -> tuple[Finding, ...]:
    """Return ENV-TIMEOUT-UNIT for a number that one of the SDKs takes for minutes, or for an instant."""
    setting = find(layers, signal_variable(signal, "TIMEOUT"), "OTEL_EXPORTER_OTLP_TIMEOUT")
    if setting is None or not re.fullmatch(r"\d+(?:\.\d+)?", setting.value.strip()):
        return ()
    by_seconds: dict[float, list[Sdk]] = {}
    for one in sdks:
        by_seconds.setdefault(sdks_.timeout_of(layers, one, signal), []).append(one)
    if all(0.1 <= seconds <= 300 for seconds in by_seconds):
        return ()
    meanings = "; ".join(f"{_duration(seconds)} in {named(some)}" for seconds, some in by_seconds.items())
    seconds_alone = all(one.language is Language.PYTHON for one in sdks)
    mend = set_command(setting.source, "10" if seconds_alone else "10000", again)
    return (
        catalog.TIMEOUT_UNIT.found(
            CERTAIN, str(setting.source), variable=setting.source.name, value=_value(setting), meanings=meanings,
            mend_command=mend,
        ),
    )  # fmt: skip


def _duration(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:g} ms"
    if seconds < 120:
        return f"{seconds:g} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def judge_empty(layers: Sequence[Layer], signal: Signal, sdks: Sequence[Sdk], again: str) -> tuple[Finding, ...]:
    """Return ENV-EMPTY for a variable that is there, is empty, and is taken for a value."""
    found = []
    for what in ("ENDPOINT", "HEADERS"):
        taking = {one: sdks_.setting(layers, one, signal, what) for one in sdks}
        wrong = [one for one, setting in taking.items() if setting is not None and not setting.value.strip()]
        setting = taking[wrong[0]] if wrong else None
        if setting is not None and (what == "ENDPOINT" or find(layers, _HEADERS)):
            source = setting.source
            found.append(
                catalog.EMPTY.found(
                    CERTAIN, str(source), variable=source.name, sdks=named(wrong), mend_command=_unset(source, again)
                )
            )
    return tuple(found)


def judge_config_file(layers: Sequence[Layer], sdks: Sequence[Sdk], again: str) -> tuple[Finding, ...]:
    """Return ENV-CONFIG-FILE where a file takes the place of exporter variables that are set as well."""
    setting = find(layers, "OTEL_CONFIG_FILE")
    heeding = [one for one in sdks if sdks_.row(sdks_.CONFIG_FILE, one).value]
    others = any(name.startswith("OTEL_EXPORTER_OTLP_") for layer in layers for name in layer.values)
    if setting is None or not heeding or not others:
        return ()
    mend = _unset(setting.source, again)
    return (
        catalog.CONFIG_FILE.found(
            LIKELY, str(setting.source), path=_value(setting), sdks=named(heeding), mend_command=mend
        ),
    )


def judge_exporter(layers: Sequence[Layer], signal: Signal, again: str) -> tuple[Finding, ...]:
    """Return ENV-EXPORTER-OTHER where a signal goes elsewhere than over OTLP; `none` is CONF-SDK-DISABLED."""
    setting = find(layers, f"OTEL_{signal.value.upper()}_EXPORTER")
    names = sdks_.exporters(layers, signal)
    if setting is None or not names or names == ("none",) or "otlp" in names:
        return ()
    mend = set_command(setting.source, "otlp", again)
    return (
        catalog.EXPORTER_OTHER.found(
            CERTAIN, str(setting.source), variable=setting.source.name, value=_value(setting), signal=signal,
            mend_command=mend,
        ),
    )  # fmt: skip


_RATIO = frozenset({"traceidratio", "parentbased_traceidratio"})
_SAMPLERS = _RATIO | {
    "always_on", "always_off", "parentbased_always_on", "parentbased_always_off", "jaeger_remote",
    "parentbased_jaeger_remote", "xray",
}  # fmt: skip


def judge_sampler(layers: Sequence[Layer], again: str) -> tuple[Finding, ...]:
    """Return what the sampler's two variables show."""
    sampler, argument = find(layers, "OTEL_TRACES_SAMPLER"), find(layers, "OTEL_TRACES_SAMPLER_ARG")
    name = sampler.value.strip() if sampler else ""
    if sampler is not None and name not in _SAMPLERS:
        mend = set_command(sampler.source, "parentbased_always_on", again)
        return (catalog.SAMPLER_UNKNOWN.found(CERTAIN, str(sampler.source), value=_value(sampler), mend_command=mend),)
    if sampler is not None and name.endswith("always_off"):
        what = "no trace is kept" if name == "always_off" else "no trace that begins here is kept"
        return (_off(sampler, what, "parentbased_always_on", again),)
    if argument is None:
        return ()
    ratio = _number(argument.value)
    if sampler is None or name in {"always_on", "parentbased_always_on"}:
        why = f"OTEL_TRACES_SAMPLER is {name}" if sampler else "OTEL_TRACES_SAMPLER is not set"
    elif name in _RATIO and (ratio is None or not 0 <= ratio <= 1):
        why = "is no number from 0 to 1"
        mend = set_command(argument.source, "1", again)
        return (
            catalog.SAMPLER_ARG.found(
                CERTAIN, str(argument.source), value=_value(argument), why=f"that {why}", mend_command=mend
            ),
        )
    elif name in _RATIO and ratio == 0:
        return (_off(argument, "no trace that begins here is kept", "1", again),)
    else:
        return ()
    place = Source(argument.source.kind, "OTEL_TRACES_SAMPLER", argument.source.place)
    mend = set_command(place, "parentbased_traceidratio", again)
    return (
        catalog.SAMPLER_ARG.found(CERTAIN, str(argument.source), value=_value(argument), why=why, mend_command=mend),
    )


def _off(setting: Setting[str], what: str, on: str, again: str) -> Finding:
    return catalog.SAMPLER_OFF.found(
        CERTAIN, str(setting.source), variable=setting.source.name, value=_value(setting), what=what,
        mend_command=set_command(setting.source, on, again),
    )  # fmt: skip


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def judge_resource(layers: Sequence[Layer], again: str) -> tuple[Finding, ...]:
    """Return what the resource's variables show: no service name, or attributes that cannot be read."""
    setting = find(layers, "OTEL_RESOURCE_ATTRIBUTES")
    pieces = [piece.strip() for piece in setting.value.split(",")] if setting else []
    found: list[Finding] = []
    for number, piece in enumerate(pieces, 1):
        key, equals, value = piece.partition("=")
        bad = "has no =" if not equals else "has no key" if not key.strip() else ""
        if not bad and re.search(r"%(?![0-9A-Fa-f]{2})", value):
            bad = "has a % that is followed by something else than two hex digits"
        if bad and setting is not None and (piece or number < len(pieces)):
            found.append(
                catalog.RESOURCE_ATTRIBUTES.found(
                    CERTAIN, str(setting.source), number=number, count=len(pieces), what=bad, again=again
                )
            )
            break
    keys = {piece.partition("=")[0].strip() for piece in pieces if unquote(piece.partition("=")[2]).strip()}
    if not find(layers, "OTEL_SERVICE_NAME") and "service.name" not in keys:
        found.append(catalog.NO_SERVICE_NAME.found(LIKELY, "OTEL_SERVICE_NAME"))
    return tuple(found)


_PROPAGATORS = frozenset({"tracecontext", "baggage", "b3", "b3multi", "jaeger", "xray", "ottrace", "none"})


def judge_propagators(layers: Sequence[Layer], again: str) -> tuple[Finding, ...]:
    """Return ENV-PROPAGATORS for a name that no specification has."""
    setting = find(layers, "OTEL_PROPAGATORS")
    names = [name.strip() for name in setting.value.split(",") if name.strip()] if setting else []
    unknown = [name for name in names if name not in _PROPAGATORS and not name.startswith("xray")]
    if setting is None or not unknown:
        return ()
    shown = "".join(char for char in unknown[0] if char.isprintable())[:40]
    mend = set_command(setting.source, "tracecontext,baggage", again)
    return (
        catalog.PROPAGATORS.found(
            CERTAIN, str(setting.source), value=_value(setting), unknown=shown, mend_command=mend
        ),
    )


def judge_booleans(layers: Sequence[Layer], again: str) -> tuple[Finding, ...]:
    """Return ENV-BOOLEAN for a switch that was meant to be on and counts as off."""
    switches = (
        "OTEL_SDK_DISABLED",
        "OTEL_EXPORTER_OTLP_INSECURE",
        *(signal_variable(one, "INSECURE") for one in Signal),
    )
    found = []
    for name in switches:
        setting = find(layers, name)
        if setting is not None and setting.value.strip().lower() in {"1", "yes", "on", "y", "t", "enabled", "enable"}:
            mend = set_command(setting.source, "true", again)
            found.append(
                catalog.BOOLEAN.found(
                    CERTAIN, str(setting.source), variable=name, value=_value(setting), mend_command=mend
                )
            )
    return tuple(found)


def judge_absent_endpoint(layers: Sequence[Layer], signals: Sequence[Signal]) -> tuple[Finding, ...]:
    """Return ENV-NO-ENDPOINT where SDKs would send to this machine for want of a variable."""
    if any(find(layers, signal_variable(one, "ENDPOINT"), "OTEL_EXPORTER_OTLP_ENDPOINT") for one in signals):
        return ()
    if find(layers, "OTEL_CONFIG_FILE"):
        return ()
    grafana = find(layers, "GRAFANA_OTLP_ENDPOINT")
    besides = f" {grafana.source.name} is set, which otelctl reads and SDKs do not." if grafana else ""
    value = '"$GRAFANA_OTLP_ENDPOINT"' if grafana else "https://otlp-gateway-ZONE.grafana.net/otlp"
    name = "OTEL_EXPORTER_OTLP_ENDPOINT"
    return (catalog.NO_ENDPOINT.found(CERTAIN, name, besides=besides, mend_command=f"export {name}={value}"),)


# The specification's (sdk-environment-variables.md, protocol/exporter.md); names of one language are below.
_EACH_EXPORTER = (
    "ENDPOINT", "INSECURE", "CERTIFICATE", "CLIENT_KEY", "CLIENT_CERTIFICATE", "HEADERS", "COMPRESSION", "TIMEOUT",
    "PROTOCOL",
)  # fmt: skip
KNOWN = frozenset({
    "OTEL_SDK_DISABLED", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_SERVICE_NAME", "OTEL_LOG_LEVEL", "OTEL_PROPAGATORS",
    "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG", "OTEL_CONFIG_FILE", "OTEL_ENTITIES",
    "OTEL_BSP_SCHEDULE_DELAY", "OTEL_BSP_EXPORT_TIMEOUT", "OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    "OTEL_BLRP_SCHEDULE_DELAY", "OTEL_BLRP_EXPORT_TIMEOUT", "OTEL_BLRP_MAX_QUEUE_SIZE",
    "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_SPAN_EVENT_COUNT_LIMIT",
    "OTEL_SPAN_LINK_COUNT_LIMIT", "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_EXPORTER_ZIPKIN_ENDPOINT", "OTEL_EXPORTER_ZIPKIN_TIMEOUT", "OTEL_EXPORTER_PROMETHEUS_HOST",
    "OTEL_EXPORTER_PROMETHEUS_PORT", "OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER",
    "OTEL_METRICS_EXEMPLAR_FILTER", "OTEL_METRIC_EXPORT_INTERVAL", "OTEL_METRIC_EXPORT_TIMEOUT",
    "OTEL_METRICS_PRODUCERS", "OTEL_SEMCONV_STABILITY_OPT_IN", "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
    "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "OTEL_EXPORTER_JAEGER_ENDPOINT",
    "OTEL_EXPORTER_JAEGER_AGENT_HOST", "OTEL_EXPORTER_JAEGER_AGENT_PORT", "OTEL_EXPORTER_JAEGER_TIMEOUT",
    "OTEL_EXPORTER_JAEGER_USER", "OTEL_EXPORTER_JAEGER_PASSWORD", "OTEL_EXPORTER_JAEGER_PROTOCOL",
    *(f"OTEL_EXPORTER_OTLP_{what}" for what in _EACH_EXPORTER),
    *(signal_variable(signal, what) for signal in Signal for what in _EACH_EXPORTER),
})  # fmt: skip
"""The variables of the specification."""

_OF_A_LANGUAGE = re.compile(
    r"OTEL_(?:EXPERIMENTAL|PYTHON|NODE|JAVA|JAVAAGENT|JMX|INSTRUMENTATION|DOTNET|GO|PHP|RUBY|CPP|RUST|SPRING|COLLECTOR|"
    r"DENO|BROWSER|K8S|LAMBDA|AWS|RESOURCE_(?:DISABLED|ENABLED|PROVIDERS))"
)
_ATTRIBUTES = {
    "OTEL_SERVICE_VERSION": "service.version",
    "OTEL_SERVICE_NAMESPACE": "service.namespace",
    "OTEL_SERVICE_INSTANCE_ID": "service.instance.id",
    "OTEL_ENVIRONMENT": "deployment.environment.name",
    "OTEL_DEPLOYMENT_ENVIRONMENT": "deployment.environment.name",
}
_MEANT = {
    "OTEL_ENDPOINT": "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_OTLP_ENDPOINT": "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_ENDPOINT": "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_HEADERS": _HEADERS,
    "OTEL_HEADERS": _HEADERS,
    "OTEL_PROTOCOL": _PROTOCOL,
    "OTEL_EXPORTER_OTLP_SPAN_ENDPOINT": "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRIC_ENDPOINT": "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    "OTEL_TRACES_ENDPOINT": "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_SAMPLER": "OTEL_TRACES_SAMPLER",
    "OTEL_TRACE_SAMPLER": "OTEL_TRACES_SAMPLER",
    "OTEL_DISABLED": "OTEL_SDK_DISABLED",
    "OTEL_SDK_ENABLED": "OTEL_SDK_DISABLED",
}


def judge_names(layers: Sequence[Layer], again: str) -> tuple[Finding, ...]:
    """Return ENV-UNKNOWN-VARIABLE for a name that looks like one of the specification's and is not."""
    found = []
    for layer in layers:
        for name in layer.values:
            right = meant(name)
            if not right or not layer.values[name].strip():
                continue
            source = layer.source(name)
            attribute = _ATTRIBUTES.get(name)
            if attribute is not None:
                others = "${OTEL_RESOURCE_ATTRIBUTES:+$OTEL_RESOURCE_ATTRIBUTES,}"
                mend = f'export OTEL_RESOURCE_ATTRIBUTES="{others}{attribute}=${name}"'
                right = f"{attribute} in OTEL_RESOURCE_ATTRIBUTES"
            else:
                # By reference: the value may be a credential.
                mend = f'export {right}="${name}"'
            mend = mend if source.kind is SourceKind.VARIABLE else again
            certainty = CERTAIN if name in _ATTRIBUTES or name in _MEANT else LIKELY
            found.append(
                catalog.UNKNOWN_VARIABLE.found(certainty, str(source), variable=name, right=right, mend_command=mend)
            )
    return tuple(found)


def meant(name: str) -> str:
    """Return the variable that a name which nobody reads was meant to be, an empty string where there is none."""
    if name in KNOWN or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{4,80}", name):
        return ""
    upper = name.upper()
    if not upper.startswith(("OTEL_", "OTL_", "OETL_", "OLTP_", "OPENTELEMETRY_", "OTELE_")):
        return ""
    if name in _ATTRIBUTES:
        return "OTEL_RESOURCE_ATTRIBUTES"
    if upper in KNOWN or upper in _MEANT:
        return upper if upper in KNOWN else _MEANT[upper]
    if _OF_A_LANGUAGE.match(upper):
        return ""
    import difflib  # noqa: PLC0415  only a name that is not known needs it

    near = difflib.get_close_matches(upper, KNOWN, n=1, cutoff=0.92)
    return near[0] if near else ""


_Judge = Callable[[Sequence[Layer], Signal, Sequence[Sdk], str], tuple[Finding, ...]]


def each(
    judge: _Judge, layers: Sequence[Layer], signals: Iterable[Signal], sdks: Sequence[Sdk], again: str
) -> tuple[Finding, ...]:
    """Return what a judge finds for the signals, each finding once: most come of the general variables."""
    found: dict[tuple[str, str], Finding] = {}
    for signal in signals:
        for finding in judge(layers, signal, sdks, again):
            found.setdefault((finding.code, f"{finding.subject} {finding.evidence.get('name', '')}"), finding)
    return tuple(found.values())
