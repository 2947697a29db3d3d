"""Judges endpoints: what a URL proves or suggests before anything is sent, and what a 404 turns out to be."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from otelctl.catalog import endpoint as catalog
from otelctl.catalog import otlp as otlp_catalog
from otelctl.endpoint import (
    GRPC_PORT,
    HTTP_PORT,
    Alternative,
    Endpoint,
    GrafanaHost,
    Variant,
    gateway_base,
    names_signal,
    placeholder_of,
    respelled,
    signal_endpoint,
    signal_of,
    without_signal,
)
from otelctl.model import Certainty, Finding
from otelctl.settings import Setting, Signal, Source, SourceKind, set_command

if TYPE_CHECKING:
    from otelctl.facts.wire import HttpAnswer  # what sends nothing starts without what the network can say

CERTAIN, LIKELY = Certainty.CERTAIN, Certainty.LIKELY


def mend(source: Source, endpoint: Endpoint) -> str:
    """Return the command that puts a mended endpoint where the wrong one came from, or that tries it."""
    return set_command(source, endpoint.url, f"otelctl check-endpoint {shlex.quote(endpoint.url)}")


def judge_unreadable(setting: Setting[str], problem: str) -> tuple[Finding, ...]:
    """Return why a text is no URL; `problem` is the sentence of endpoint.EndpointError."""
    subject = str(setting.source)
    text = setting.value.strip()
    shown = "".join(char for char in text.rpartition("@")[2].partition("?")[0] if char.isprintable())[:100]
    if placeholder := placeholder_of(text):
        return (catalog.PLACEHOLDER.found(CERTAIN, subject, url=shown, placeholder=placeholder),)
    if meant := respelled(setting.value):
        if not text[:1].isalpha():
            problem = "quotation marks stand around it"
        command = mend(setting.source, meant)
        return (catalog.MISTYPED.found(CERTAIN, subject, url=shown, problem=problem, mend_command=command),)
    if "no scheme" in problem:
        bare = re.sub(r"^https?:?/*(?=.)|^:?/+", "", shown.strip("\"'`"), flags=re.IGNORECASE)
        local = bare.startswith(("localhost", "127.", "[::1]")) or bare.partition(":")[2].startswith("4318")
        mended = f"{'http' if local else 'https'}://{bare}"
        command = set_command(setting.source, mended, f"otelctl check-endpoint {shlex.quote(mended)}")
        return (catalog.SCHEME_MISSING.found(CERTAIN, subject, url=shown, mend_command=command),)
    return (catalog.UNREADABLE.found(CERTAIN, subject, url=shown or "(empty)", problem=problem),)


def judge_text(setting: Setting[str], endpoint: Endpoint, *, as_is: bool) -> tuple[Finding, ...]:
    """Return what stands around a URL that could be read: white space, or a query or fragment behind a base.

    `as_is` says that nothing is appended to it.
    """
    subject, text = str(setting.source), setting.value
    if text != text.strip():
        problem = "white space stands before or after it"
        command = mend(setting.source, endpoint)
        return (catalog.MISTYPED.found(CERTAIN, subject, url=endpoint.url, problem=problem, mend_command=command),)
    mark = re.search(r"[?#]", text)
    if mark is None or as_is:
        return ()
    what = "a query (`?`)" if mark[0] == "?" else "a fragment (`#`)"
    command = mend(setting.source, endpoint)
    return (catalog.QUERY.found(CERTAIN, subject, url=endpoint.url, what=what, mend_command=command),)


def judge_endpoint(
    setting: Setting[str], endpoint: Endpoint, signal: Signal, *, per_signal: bool, credential: bool
) -> tuple[Finding, ...]:
    """Return what the URL shows before anything is sent.

    `per_signal` tells that it is used as it is; `credential` that one would go along. Findings that are not CERTAIN
    are suspicions: the answer decides.
    """
    if around := judge_text(setting, endpoint, as_is=per_signal):
        return around
    subject, source = str(setting.source), setting.source
    posted = endpoint if per_signal else signal_endpoint(endpoint, signal)
    found: list[Finding] = []
    if endpoint.username is not None or endpoint.password is not None:
        found.append(catalog.USERINFO.found(CERTAIN, subject, url=endpoint.url))
    place = _judge_place(endpoint, posted, source, signal, per_signal=per_signal)
    found += place
    if not endpoint.tls and credential and not endpoint.private and not any(one.certainty is CERTAIN for one in place):
        secure = gateway_base(endpoint) if endpoint.grafana is GrafanaHost.GATEWAY else _over_tls(endpoint)
        found.append(catalog.PLAINTEXT.found(CERTAIN, subject, url=endpoint.url, mend_command=mend(source, secure)))
    if endpoint.port == GRPC_PORT:
        right = replace(endpoint, port=HTTP_PORT)
        found.append(
            catalog.PORT_PROTOCOL.found(
                LIKELY,
                subject,
                port=GRPC_PORT,
                theirs="OTLP over gRPC",
                ours="HTTP",
                mend_command=mend(source, right),
            )
        )
    return tuple(found)


def _judge_place(
    endpoint: Endpoint, posted: Endpoint, source: Source, signal: Signal, *, per_signal: bool
) -> list[Finding]:
    """Judge whether host and path are a receiver's."""
    subject = str(source)
    if endpoint.path.rstrip("/").endswith(("/api/prom/push", "/api/v1/push", "/api/v1/write")):
        sure = CERTAIN if endpoint.grafana is not GrafanaHost.NONE else LIKELY
        return [catalog.PROMETHEUS_PATH.found(sure, subject, url=endpoint.url)]
    theirs = signal_of(endpoint.path)
    if per_signal and theirs not in (None, signal):
        right = signal_endpoint(endpoint.with_path(without_signal(endpoint.path)), signal)
        return [
            catalog.OTHER_SIGNAL.found(
                CERTAIN,
                subject,
                variable=source.name,
                theirs=theirs,
                ours=signal.value,
                mend_command=mend(source, right),
            )
        ]
    if endpoint.grafana is GrafanaHost.GATEWAY:
        return _judge_gateway(endpoint, posted, source, signal, per_signal=per_signal)
    if endpoint.grafana is GrafanaHost.QUERY:
        right = gateway_base(replace(endpoint, host=f"otlp-gateway-{endpoint.gateway_zone or 'ZONE'}.grafana.net"))
        # A zone that the name does not tell is the user's to fill in: setting it would break what is set now.
        command = mend(source, right) if endpoint.gateway_zone else f"otelctl check-endpoint {right.url}"
        return [catalog.QUERY_HOST.found(LIKELY, subject, host=endpoint.host, mend_command=command)]
    if endpoint.grafana is GrafanaHost.STACK:
        return [catalog.UI_HOST.found(LIKELY, subject, host=endpoint.host)]
    if not per_signal and theirs is not None:
        once = endpoint.with_path(without_signal(endpoint.path))
        return [catalog.PATH_DOUBLED.found(LIKELY, subject, posted=posted.url, mend_command=mend(source, once))]
    return []


def _over_tls(endpoint: Endpoint) -> Endpoint:
    return Endpoint(
        "https", endpoint.host, endpoint.port if endpoint.port_written else 443, endpoint.path, endpoint.port_written
    )


def _judge_gateway(
    endpoint: Endpoint, posted: Endpoint, source: Source, signal: Signal, *, per_signal: bool
) -> list[Finding]:
    """Judge by the rules of Grafana Cloud's gateway, whose paths are known."""
    subject, path = str(source), endpoint.path.rstrip("/")
    base = gateway_base(endpoint)
    right = signal_endpoint(base, signal) if per_signal else base
    command = mend(source, right)
    # Hosts of other names below grafana.net exist, for private links for instance, and are not known as well.
    sure = CERTAIN if endpoint.zone else LIKELY
    if per_signal and not names_signal(path):
        return [catalog.SIGNAL_PATH_MISSING.found(sure, subject, posted=posted.url, mend_command=command)]
    if path != "/otlp" and not path.startswith("/otlp/"):
        return [catalog.OTLP_MISSING.found(sure, subject, posted=posted.url, mend_command=command)]
    if not per_signal and without_signal(path) != path:
        # A whole signal URL given as an argument is what a person pastes; the variable is where it goes wrong.
        sure = LIKELY if source.kind is SourceKind.ARGUMENT else sure
        return [catalog.PATH_DOUBLED.found(sure, subject, posted=posted.url, mend_command=command)]
    return []


def judge_not_found(
    setting: Setting[str],
    endpoint: Endpoint,
    posted: Endpoint,
    *,
    signal: Signal,
    working: tuple[Alternative, Certainty] | None,
    tried: tuple[Alternative, ...],
) -> tuple[Finding, ...]:
    """Return what a 404 is, given the alternative that takes OTLP and how sure that is; `tried` are all."""
    subject, source = str(setting.source), setting.source
    if working is None:
        names = ", ".join(dict.fromkeys(one.posted.path for one in tried))
        text = f"neither do these take it: {names}" if tried else "no other path was tried"
        return (catalog.NOTHING_THERE.found(CERTAIN, subject, posted=posted.url, tried=text, url=endpoint.url),)
    works, sure = working
    row = _ROWS[works.variant]
    if works.variant is Variant.OTLP_DROPPED and "/otlp/" in works.posted.path:
        row = catalog.PATH_WRONG  # /otlp is right there, and was there twice
    evidence: dict[str, object] = {
        "posted": posted.url,
        "status": 404,
        "works": works.posted.path,
        "signal": signal.value,
        "url": endpoint.url,
        "mend_command": mend(source, works.value),
    }
    return (row.found(sure, subject, **{name: evidence[name] for name in row.placeholders}),)


_ROWS = {
    Variant.OTLP_ADDED: catalog.OTLP_MISSING,
    Variant.OTLP_DROPPED: catalog.SELF_HOSTED_OTLP,
    Variant.SIGNAL_ONCE: catalog.PATH_DOUBLED,
    Variant.SIGNAL_ADDED: catalog.SIGNAL_PATH_MISSING,
    Variant.SLASH_DROPPED: catalog.TRAILING_SLASH,
    Variant.ELSEWHERE: catalog.PATH_WRONG,
    Variant.OTHER_SIGNAL: otlp_catalog.UNIMPLEMENTED,
}


def judge_zone(answer: HttpAnswer, text: str, endpoint: Endpoint, subject: str) -> tuple[Finding, ...]:
    """Return URL-ZONE-UNKNOWN for the answer that stands behind grafana.net's wildcard DNS: 530, `error code: 1016`.

    Elsewhere the same answer says that a host of somebody else's, behind Cloudflare, is gone.
    """
    named = b"error code: 1016" in answer.body[:400]
    if endpoint.grafana is GrafanaHost.NONE or answer.status < 500 or not (answer.status == 530 or named):
        return ()
    certainty = CERTAIN if answer.status == 530 and named else LIKELY
    return (catalog.ZONE_UNKNOWN.found(certainty, subject, host=endpoint.host, status=answer.status, text=text),)
