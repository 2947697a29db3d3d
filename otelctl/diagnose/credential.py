"""Judges credentials: what a header's form proves offline, and what a refusal says of it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otelctl.catalog import credential as catalog
from otelctl.credential import Form, Header, Token, TokenKind, Trait, is_placeholder, looks_like_token
from otelctl.endpoint import region_matches
from otelctl.model import Certainty, Finding
from otelctl.settings import Signal, Source, SourceKind

if TYPE_CHECKING:
    from otelctl.facts import HttpAnswer  # the offline commands start without what the network can say

CERTAIN, LIKELY, POSSIBLE = Certainty.CERTAIN, Certainty.LIKELY, Certainty.POSSIBLE

_TYPED = frozenset({SourceKind.STDIN, SourceKind.FILE})


@dataclass(frozen=True, slots=True)
class Consumer:
    """The SDK that reads the variable, where it is known: `language` and, where it matters, its version."""

    language: str
    version: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.language} {'.'.join(map(str, self.version))}".strip()

    @property
    def decodes(self) -> bool:
        """Whether it percent-decodes (Java from 1.35, .NET from 1.8; Erlang and Elixir never)."""
        if self.language in {"erlang", "elixir", "curl"}:
            return False
        first = {"java": (1, 35), "dotnet": (1, 8)}.get(self.language)
        return not (first and self.version and self.version < first)

    @property
    def drops_space(self) -> bool:
        """Whether it drops a header with a literal space (opentelemetry-python before 1.27)."""
        return self.language == "python" and bool(self.version) and self.version < (1, 27)


def judge_header(
    header: Header,
    source: Source,
    mend_command: str,
    *,
    grafana: bool | None = None,
    consumer: Consumer | None = None,
) -> tuple[Finding, ...]:
    """Return what a header's form shows.

    `grafana` tells whether the endpoint is Grafana Cloud's (None: not known). Only findings that are CERTAIN hold
    whatever the server answers; the others are suspicions that an acceptance refutes.
    """
    traits = header.traits
    subject = str(source)
    mend = mend_command if header.mended() is not None else "otelctl encode-auth --prompt"
    syntax = LIKELY if source.kind in _TYPED and header.form is not Form.VARIABLE_LINE else CERTAIN
    found: list[Finding] = []

    if header.form is Form.OTHER_HEADERS:
        if grafana is False:
            return ()
        return (catalog.NONE_CONFIGURED.found(CERTAIN, subject, host="Grafana Cloud's OTLP gateway"),)
    if Trait.VALUE_MISSING in traits:
        seen = f"Authorization={'Basic' if header.scheme else ''}" if header.form is not Form.EMPTY else "nothing"
        return (catalog.VALUE_MISSING.found(CERTAIN, subject, seen=seen),)
    if Trait.PLACEHOLDER in traits:
        return (catalog.PLACEHOLDER.found(CERTAIN, subject, where=source.name),)

    if Trait.REVERSED in traits and header.instance_id is not None:
        found.append(
            catalog.REVERSED.found(
                CERTAIN, subject, instance_id=_shown(header.instance_id.reveal()), mend_command=mend
            )
        )
    if Trait.COLON_SYNTAX in traits:
        found.append(catalog.COLON_SYNTAX.found(syntax, subject, mend_command=mend))
    if Trait.NAME_MISSING in traits:
        found.append(catalog.NAME_MISSING.found(syntax, subject, seen=header.form.value, mend_command=mend))
    if Trait.QUOTED in traits:
        found.append(catalog.QUOTED.found(syntax, subject, mend_command=mend))
    if Trait.WRAPPED in traits:
        found.append(catalog.LINE_WRAPPED.found(CERTAIN, subject, mend_command=mend))
    if header.scheme == "bearer":
        return (*found, *_judge_bearer(header, subject, grafana), *_judge_token(header.claims, subject, grafana, None))
    found += _judge_encoding(header, subject, mend, grafana)
    found += _judge_consumer(header, subject, mend, consumer)
    found += judge_pair(header, subject, grafana=grafana)
    return tuple(found)


def judge_absent(host: str) -> tuple[Finding, ...]:
    """Return AUTH-NONE-CONFIGURED for a host that takes nothing without a credential."""
    return (catalog.NONE_CONFIGURED.found(CERTAIN, "OTEL_EXPORTER_OTLP_HEADERS", host=host),)


def _judge_bearer(header: Header, subject: str, grafana: bool | None) -> tuple[Finding, ...]:
    if grafana is False:
        return ()
    known = header.claims.kind in (TokenKind.ACCESS_POLICY, TokenKind.TRUNCATED, TokenKind.SERVICE_ACCOUNT)
    certainty = CERTAIN if grafana else LIKELY if known else POSSIBLE
    return (catalog.SCHEME.found(certainty, subject),)


def _judge_encoding(header: Header, subject: str, mend: str, grafana: bool | None) -> list[Finding]:
    traits = header.traits
    found: list[Finding] = []
    if Trait.NOT_ENCODED in traits:
        seen = "token alone" if Trait.NO_COLON in traits else "instance ID and the token"
        found.append(catalog.NOT_ENCODED.found(CERTAIN, subject, seen=seen, mend_command=mend))
    elif Trait.NOT_BASE64 in traits:
        if Trait.SCHEME_MISSING not in traits or grafana is not False:
            found.append(catalog.NOT_BASE64.found(CERTAIN, subject))
    elif Trait.NO_COLON in traits:
        seen = "a token" if header.token else "one word"
        found.append(catalog.NO_COLON.found(CERTAIN, subject, seen=seen))
    if Trait.ENCODED_TWICE in traits or Trait.PERCENT_TWICE in traits:
        seen = "base64" if Trait.ENCODED_TWICE in traits else "percent-encoding"
        found.append(catalog.ENCODED_TWICE.found(CERTAIN, subject, seen=seen, mend_command=mend))
    if Trait.SCHEME_MISSING in traits and Trait.NOT_ENCODED not in traits and header.token is not None:
        found.append(catalog.SCHEME_MISSING.found(CERTAIN, subject, mend_command=mend))
    if Trait.TRAILING_NEWLINE in traits:
        found.append(catalog.TRAILING_NEWLINE.found(LIKELY, subject, mend_command=mend))
    if Trait.STRAY_SPACE in traits and Trait.NOT_ENCODED not in traits:
        found.append(catalog.STRAY_SPACE.found(LIKELY, subject, mend_command=mend))
    return found


def _judge_consumer(header: Header, subject: str, mend: str, consumer: Consumer | None) -> list[Finding]:
    if Trait.PERCENT_ENCODED in header.traits:
        if consumer is None:
            return [catalog.PERCENT_FORM.found(POSSIBLE, subject, mend_command=mend)]
        if not consumer.decodes:
            return [catalog.PERCENT_ENCODED.found(CERTAIN, subject, consumer=consumer, mend_command=mend)]
    elif Trait.LITERAL_SPACE in header.traits and consumer is not None and consumer.drops_space:
        instance_id = _shown(header.instance_id.reveal()) if header.instance_id else "INSTANCE_ID"
        return [catalog.SPACE_DROPPED.found(CERTAIN, subject, consumer=consumer, instance_id=instance_id)]
    return []


def judge_pair(header: Header, subject: str, *, grafana: bool | None) -> tuple[Finding, ...]:
    """Return what instance ID and token show of themselves; nothing for a server that is not Grafana Cloud's."""
    if header.token is None or grafana is False:
        return ()
    found = list(_judge_token(header.claims, subject, grafana, len(header.token.reveal())))
    if header.instance_id is not None and not header.instance_id.reveal().isdigit():
        text = header.instance_id.reveal()
        if not (grafana or looks_like_token(header.token.reveal())):
            return tuple(found)
        certainty = CERTAIN if grafana else LIKELY
        found.append(catalog.ID_NOT_NUMERIC.found(certainty, subject, seen=describe_id(text)))
    return tuple(found)


def _judge_token(claims: Token, subject: str, grafana: bool | None, length: int | None) -> tuple[Finding, ...]:
    if grafana is False:
        return ()
    if claims.kind in (TokenKind.SERVICE_ACCOUNT, TokenKind.LEGACY_KEY):
        return (catalog.TOKEN_KIND.found(CERTAIN if grafana else LIKELY, subject, kind=claims.kind.value),)
    if claims.kind is TokenKind.OTHER and grafana:
        return (catalog.TOKEN_KIND.found(LIKELY, subject, kind="token without the prefix glc_"),)
    if claims.kind is TokenKind.TRUNCATED:
        return (catalog.TOKEN_TRUNCATED.found(LIKELY, subject, length=(length or 4) - 4),)
    if claims.kind is TokenKind.EMPTY and length is not None:
        return (catalog.EMPTY.found(CERTAIN, subject, where="the credential"),)
    return ()


def judge_given(instance_id: str, token: str, claims: Token, id_subject: str, token_subject: str) -> list[Finding]:
    """Return why an instance ID and a token, each given by itself, cannot make a credential of Grafana Cloud's."""
    found: list[Finding] = []
    if claims.kind is TokenKind.EMPTY:
        found.append(catalog.EMPTY.found(CERTAIN, token_subject, where=token_subject))
    elif claims.kind is TokenKind.PLACEHOLDER:
        found.append(catalog.PLACEHOLDER.found(CERTAIN, token_subject, where=token_subject))
    elif claims.kind is TokenKind.TRUNCATED:
        found.append(catalog.TOKEN_TRUNCATED.found(CERTAIN, token_subject, length=len(token) - 4))
    elif claims.kind is not TokenKind.ACCESS_POLICY:
        kind = claims.kind.value if claims.kind is not TokenKind.OTHER else "token without the prefix glc_"
        found.append(catalog.TOKEN_KIND.found(CERTAIN, token_subject, kind=kind))
    if is_placeholder(instance_id):
        found.append(catalog.PLACEHOLDER.found(CERTAIN, id_subject, where=id_subject))
    elif not (instance_id.isascii() and instance_id.isdigit()):
        found.append(catalog.ID_NOT_NUMERIC.found(CERTAIN, id_subject, seen=describe_id(instance_id)))
    return found


def judge_region(claims: Token, zone: str, subject: str) -> tuple[Finding, ...]:
    """Return AUTH-REGION where the token's region and the gateway's zone disagree; LIKELY at most."""
    if region_matches(claims.region, zone):
        return ()
    return (catalog.REGION.found(LIKELY, subject, region=claims.region, zone=zone),)


def describe_id(text: str) -> str:
    """Say what stands in the instance ID's place without showing it: it may be a secret."""
    if not text:
        return "empty"
    if looks_like_token(text):
        return "a token"
    if "@" in text:
        return "an e-mail address"
    if "://" in text or ".grafana." in text:
        return "a URL"
    if any(char.isdigit() for char in text) and re.fullmatch(r"[\d\s.,_-]+", text):
        return "a number with other characters in it"
    return "a name"


def _shown(instance_id: str) -> str:
    """Return an instance ID for display; anything but a number stays hidden, for it may be a token."""
    return instance_id if instance_id.isdigit() else "INSTANCE_ID"


def gateway_error(body: bytes) -> str:
    """Return TEXT of Grafana's `{"status":"error","error":"authentication error: TEXT"}`, or an empty string."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, str) or not error.startswith("authentication error:"):
        return ""
    return error.removeprefix("authentication error:").strip()


def judge_refusal(
    answer: HttpAnswer,
    text: str,
    *,
    sent: bool,
    suspects: Sequence[Finding],
    accepted_elsewhere: bool,
    host: str,
    url: str,
    signal: Signal,
    subject: str,
    instance_id: str,
) -> tuple[Finding, ...]:
    """Return what a 401 or 403 means.

    `text` is the answer's own words, cleaned; `sent` whether Authorization went out; `suspects` what the header's
    form made us suspect; `accepted_elsewhere` whether the same credential was accepted for another signal.
    """
    reason = gateway_error(answer.body) or text
    lower = reason.lower()
    scheme = (answer.header("www-authenticate").split() or ["not named"])[0][:20]
    if "scope" in lower:
        certainty = CERTAIN if "invalid scope requested" in lower else LIKELY
        return (
            catalog.SCOPE.found(
                certainty, subject, status=answer.status, text=text, signal=signal.value, url=url
            ),
        )
    if answer.status == 403:
        return (catalog.FORBIDDEN.found(CERTAIN, subject, host=host, text=text, signal=signal.value, url=url),)
    if not sent:
        return (catalog.SERVER_WANTS_CREDENTIAL.found(CERTAIN, subject, host=host, scheme=scheme),)
    if suspects:
        return tuple(suspects)
    if "no credentials provided" in lower:
        return (catalog.NONE_SENT.found(LIKELY, subject, text=text, shape="Authorization=Basic …"),)
    if "legacy auth cannot be upgraded" in lower:
        return (catalog.LEGACY.found(CERTAIN, subject, text=text),)
    if "invalid authentication credentials" in lower or "invalid token" in lower:
        if accepted_elsewhere:
            return (catalog.ID_WRONG_PRODUCT.found(LIKELY, subject, instance_id=instance_id),)
        return (catalog.INVALID.found(CERTAIN, subject, text=text),)
    return (catalog.REFUSED.found(CERTAIN, subject, host=host, text=text, scheme=scheme),)
