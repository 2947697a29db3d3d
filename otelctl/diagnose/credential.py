"""Judges credentials: what a header's form proves offline, and what a refusal says of it."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otelctl.catalog import credential as catalog
from otelctl.credential import (
    Form,
    Header,
    Token,
    TokenKind,
    Trait,
    is_blank,
    is_instance_id,
    is_placeholder,
    looks_like_token,
    read_token,
)
from otelctl.endpoint import region_matches
from otelctl.model import Certainty, Finding
from otelctl.secret import Secret
from otelctl.settings import API_TOKEN, INSTANCE_ID, Signal, Source, SourceKind

if TYPE_CHECKING:
    from otelctl.facts.wire import HttpAnswer  # the offline commands start without what the network can say

CERTAIN, LIKELY, POSSIBLE = Certainty.CERTAIN, Certainty.LIKELY, Certainty.POSSIBLE

# Places whose text may be meant for something else than the variable.
_TYPED = frozenset({SourceKind.STDIN, SourceKind.FILE, SourceKind.SECRET})
_HEADERS = re.compile(r"OTEL_EXPORTER_OTLP(?:_[A-Z]+)?_HEADERS")
_GRAFANAS = frozenset(
    {
        TokenKind.ACCESS_POLICY,
        TokenKind.TRUNCATED,
        TokenKind.SERVICE_ACCOUNT,
        TokenKind.LEGACY_KEY,
        TokenKind.WHOLE,
    }
)
_NEW = "otelctl encode-auth --prompt"
_PAIR = f"{INSTANCE_ID} and {API_TOKEN}"
_ALONE: defaultdict[Form, str] = defaultdict(
    lambda: "the header's value alone",
    {Form.BASE64: "base64 alone", Form.PAIR: "the pair in plain text", Form.TOKEN: "a token alone"},
)


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

    if Trait.COLON_SYNTAX in traits:
        name = "Authorization"
        if header.form is not Form.HTTP_HEADER:
            name = next((one for one, _ in reversed(header.other) if one.startswith("x-")), name)
        found.append(catalog.COLON_SYNTAX.found(syntax, subject, seen=name, mend_command=mend))
    if header.form is Form.OTHER_HEADERS:
        if grafana:
            found.append(catalog.NONE_CONFIGURED.found(CERTAIN, subject, host="Grafana Cloud's OTLP gateway"))
        return tuple(found)
    if header.form is Form.URL:
        return (catalog.URL_AS_HEADER.found(CERTAIN, subject, renew_command=_renew(subject)),)
    if Trait.VALUE_MISSING in traits:
        seen = f"Authorization={header.scheme.capitalize()}" if header.form is not Form.EMPTY else "empty"
        return (catalog.VALUE_MISSING.found(CERTAIN, subject, renew_command=_renew(subject), seen=seen),)
    if Trait.PLACEHOLDER in traits and (grafana or _is_blank(header)):
        # `password` may be somebody's password elsewhere; what stands for the whole value is nobody's.
        sure = CERTAIN if header.token is None else _certainty(header, grafana=grafana)
        return (*found, catalog.PLACEHOLDER.found(sure, subject, renew_command=_renew(subject), where=source.name))

    if Trait.REVERSED in traits and header.instance_id is not None:
        sure = LIKELY if grafana is False else CERTAIN
        shown = _shown(header.instance_id.reveal())
        found.append(catalog.REVERSED.found(sure, subject, instance_id=shown, mend_command=mend))
    found += _judge_beginning(header, subject, mend, syntax, grafana=grafana)
    if Trait.WRAPPED in traits:
        found.append(catalog.LINE_WRAPPED.found(CERTAIN, subject, mend_command=mend))
    if header.scheme not in {"", "basic"}:
        return (*found, *_judge_scheme(header, subject, grafana=grafana))
    found += _judge_encoding(header, subject, mend, grafana=grafana)
    found += _judge_consumer(header, subject, mend, consumer)
    found += _judge_pair(header, subject, grafana=grafana)
    return tuple(found)


def _judge_beginning(
    header: Header, subject: str, mend: str, syntax: Certainty, *, grafana: bool | None
) -> list[Finding]:
    """Judge what stands before the credential: the name, the quotes, the scheme and the space after it."""
    traits = header.traits
    found: list[Finding] = []
    if Trait.ENCLOSED in traits and syntax is CERTAIN:
        form = "JSON object" if header.form is Form.JSON else "curl command"
        found.append(catalog.ENCLOSED.found(CERTAIN, subject, seen=form, mend_command=mend))
    if Trait.NAME_MISSING in traits:
        found.append(catalog.NAME_MISSING.found(syntax, subject, seen=_ALONE[header.form], mend_command=mend))
    if Trait.NAME_MISSPELT in traits:
        found.append(catalog.NAME_MISSPELT.found(CERTAIN, subject, seen=header.name, mend_command=mend))
    if Trait.QUOTED in traits:
        found.append(catalog.QUOTED.found(syntax, subject, mend_command=mend))
    if Trait.PREFIX_TWICE in traits:
        found.append(catalog.PREFIX_TWICE.found(_certainty(header, grafana=grafana), subject, mend_command=mend))
    if Trait.ODD_SPACE in traits:
        found.append(catalog.ODD_SPACE.found(CERTAIN, subject, mend_command=mend))
    return found


def _is_blank(header: Header) -> bool:
    if header.token is None or header.token.reveal().startswith(("glc_", "glsa_")):
        return True
    return any(is_blank(half.reveal()) for half in (header.instance_id, header.token) if half is not None)


def _renew(subject: str) -> str:
    """Return the command that makes a new header, and sets it where the old one stands in a variable."""
    if subject == _PAIR:
        subject = "OTEL_EXPORTER_OTLP_HEADERS"
    return f'export {subject}="$({_NEW})"' if _HEADERS.fullmatch(subject) else _NEW


def judge_absent(host: str) -> tuple[Finding, ...]:
    """Return AUTH-NONE-CONFIGURED for a host that takes nothing without a credential."""
    return (catalog.NONE_CONFIGURED.found(CERTAIN, "OTEL_EXPORTER_OTLP_HEADERS", host=host),)


def _certainty(header: Header, *, grafana: bool | None) -> Certainty:
    """Return how sure Grafana Cloud's rules apply: its host or its token says so, any other server has its own."""
    return CERTAIN if grafana or (grafana is None and header.claims.kind in _GRAFANAS) else LIKELY


def _judge_scheme(header: Header, subject: str, *, grafana: bool | None) -> tuple[Finding, ...]:
    """Judge a scheme other than Basic, which only Grafana Cloud's gateway is known not to take."""
    kind = header.claims.kind
    if grafana is False or (grafana is None and kind not in _GRAFANAS):
        return ()
    # With an ID before the token it could be told whose it is; some of Grafana Cloud's other gateways take that.
    sure = CERTAIN if grafana and header.instance_id is None else LIKELY
    found = [catalog.SCHEME.found(sure, subject, renew_command=_renew(subject), scheme=header.scheme.capitalize())]
    if header.token is not None and kind is not TokenKind.OTHER:
        found += _judge_token(header.claims, subject, len(header.token.reveal()), grafana=grafana)
    return tuple(found)


def _judge_encoding(header: Header, subject: str, mend: str, *, grafana: bool | None) -> list[Finding]:
    traits = header.traits
    if not header.scheme and grafana is False:
        # Without a scheme the value is a receiver's own key, in whatever form that has.
        return []
    sure = _certainty(header, grafana=grafana)
    found: list[Finding] = []
    if Trait.NOT_ENCODED in traits:
        seen = "token alone" if Trait.HALF_MISSING in traits else "instance ID and the token"
        found.append(catalog.NOT_ENCODED.found(sure, subject, seen=seen, mend_command=mend))
    elif Trait.NOT_BASE64 in traits:
        found.append(catalog.NOT_BASE64.found(CERTAIN if grafana else LIKELY, subject, renew_command=_renew(subject)))
    elif Trait.HALF_MISSING in traits:
        found.append(
            catalog.HALF_MISSING.found(
                sure, subject, renew_command=_renew(subject), seen="a token" if header.token else "one word"
            )
        )
    if Trait.ENCODED_TWICE in traits:
        found.append(catalog.ENCODED_TWICE.found(sure, subject, seen="base64", mend_command=mend))
    elif Trait.PERCENT_TWICE in traits:
        found.append(catalog.ENCODED_TWICE.found(CERTAIN, subject, seen="percent-encoding", mend_command=mend))
    if Trait.SCHEME_MISSING in traits and Trait.NOT_ENCODED not in traits and header.token is not None:
        found.append(catalog.SCHEME_MISSING.found(sure, subject, mend_command=mend))
    if Trait.BASE64_VARIANT in traits:
        seen = (
            "its alphabet is the one for URLs" if header.meant and _url_alphabet(header.meant) else "it lacks padding"
        )
        found.append(catalog.BASE64_VARIANT.found(LIKELY, subject, seen=seen, mend_command=mend))
    for trait, row in (
        (Trait.TRAILING_NEWLINE, catalog.TRAILING_NEWLINE),
        (Trait.STRAY_SPACE, catalog.STRAY_SPACE),
        (Trait.PAIR_QUOTED, catalog.QUOTED),
    ):
        if trait in traits and (trait is not Trait.STRAY_SPACE or Trait.NOT_ENCODED not in traits):
            found.append(row.found(LIKELY, subject, mend_command=mend))
    return found


def _url_alphabet(value: Secret) -> bool:
    return bool(re.search(r"[-_]", value.reveal()))


def _judge_consumer(header: Header, subject: str, mend: str, consumer: Consumer | None) -> list[Finding]:
    if Trait.PLUS_FOR_SPACE in header.traits:
        who = consumer or "every SDK but Java's"
        if consumer is None or consumer.language != "java":
            return [catalog.PERCENT_ENCODED.found(LIKELY, subject, seen="Basic+", consumer=who, mend_command=mend)]
    elif Trait.PERCENT_ENCODED in header.traits:
        if consumer is None:
            return [catalog.PERCENT_FORM.found(POSSIBLE, subject, mend_command=mend)]
        if not consumer.decodes:
            return [
                catalog.PERCENT_ENCODED.found(CERTAIN, subject, seen="Basic%20", consumer=consumer, mend_command=mend)
            ]
    elif Trait.LITERAL_SPACE in header.traits and consumer is not None and consumer.drops_space:
        encode = mend.replace("inspect-auth --fix", "inspect-auth --fix --as percent-encoded")
        return [catalog.SPACE_DROPPED.found(CERTAIN, subject, consumer=consumer, encode_command=encode)]
    return []


def _judge_pair(header: Header, subject: str, *, grafana: bool | None) -> tuple[Finding, ...]:
    """Return what instance ID and token show of themselves; nothing for a server that is not Grafana Cloud's."""
    if header.token is None or grafana is False:
        return ()
    found = list(_judge_token(header.claims, subject, len(header.token.reveal()), grafana=grafana))
    if header.instance_id is not None and not header.numeric:
        text = header.instance_id.reveal()
        if not (grafana or looks_like_token(header.token.reveal())):
            return tuple(found)
        found.append(
            catalog.ID_NOT_NUMERIC.found(
                CERTAIN if grafana else LIKELY, subject, renew_command=_renew(subject), seen=describe_id(text)
            )
        )
    return tuple(found)


def _judge_token(claims: Token, subject: str, length: int, *, grafana: bool | None) -> tuple[Finding, ...]:
    sure = CERTAIN if grafana else LIKELY
    if claims.kind in (TokenKind.SERVICE_ACCOUNT, TokenKind.LEGACY_KEY):
        return (catalog.TOKEN_KIND.found(sure, subject, renew_command=_renew(subject), kind=claims.kind.value),)
    if claims.kind is TokenKind.OTHER and grafana:
        return (
            catalog.TOKEN_KIND.found(
                LIKELY, subject, renew_command=_renew(subject), kind="token without the prefix glc_"
            ),
        )
    if claims.kind is TokenKind.WHOLE:
        return (catalog.TOKEN_WHOLE.found(sure, subject, where="the token's place", mend_command=_NEW),)
    if claims.kind is TokenKind.TRUNCATED:
        return (
            catalog.TOKEN_TRUNCATED.found(LIKELY, subject, renew_command=_renew(subject), length=max(length - 4, 0)),
        )
    if claims.kind is TokenKind.EMPTY:
        return (catalog.EMPTY.found(sure, subject, renew_command=_renew(subject), where="the credential"),)
    return ()


def judge_as_endpoint(text: str, subject: str) -> tuple[Finding, ...]:
    """Return AUTH-TOKEN-AS-ENDPOINT where a text that should be an endpoint is a token or a header of Grafana's."""
    kind = read_token(text.strip()).kind
    if kind not in _GRAFANAS:
        return ()
    return (catalog.TOKEN_AS_ENDPOINT.found(CERTAIN, subject, kind=kind.value),)


def judge_given(
    instance_id: str, token: str, claims: Token, id_subject: str, token_subject: str, *, mend_command: str = _NEW
) -> list[Finding]:
    """Return why an instance ID and a token, each given by itself, cannot make a credential of Grafana Cloud's.

    `mend_command` prints the header of a token that holds the whole of it.
    """
    found: list[Finding] = []
    if claims.kind is TokenKind.EMPTY:
        found.append(
            catalog.EMPTY.found(CERTAIN, token_subject, renew_command=_renew(token_subject), where=token_subject)
        )
    elif claims.kind is TokenKind.PLACEHOLDER:
        found.append(
            catalog.PLACEHOLDER.found(CERTAIN, token_subject, renew_command=_renew(token_subject), where=token_subject)
        )
    elif claims.kind is TokenKind.TRUNCATED:
        found.append(
            catalog.TOKEN_TRUNCATED.found(
                CERTAIN, token_subject, renew_command=_renew(token_subject), length=len(token) - 4
            )
        )
    elif claims.kind is TokenKind.WHOLE:
        found.append(catalog.TOKEN_WHOLE.found(CERTAIN, token_subject, where=token_subject, mend_command=mend_command))
    elif claims.kind is not TokenKind.ACCESS_POLICY:
        kind = claims.kind.value if claims.kind is not TokenKind.OTHER else "token without the prefix glc_"
        found.append(catalog.TOKEN_KIND.found(CERTAIN, token_subject, renew_command=_renew(token_subject), kind=kind))
    if is_placeholder(instance_id):
        found.append(catalog.PLACEHOLDER.found(CERTAIN, id_subject, renew_command=_renew(id_subject), where=id_subject))
    elif not is_instance_id(instance_id):
        found.append(
            catalog.ID_NOT_NUMERIC.found(
                CERTAIN, id_subject, renew_command=_renew(id_subject), seen=describe_id(instance_id)
            )
        )
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
    if re.search(r"[0-9]", text) and re.fullmatch(r"[\d\s.,;:#_-]+", text):
        return "a number with other characters in it"
    return "a name"


def _shown(instance_id: str) -> str:
    """Return an instance ID for display; anything but a number stays hidden, for it may be a token."""
    return instance_id if is_instance_id(instance_id) else "INSTANCE_ID"


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


# Findings about what stands inside a pair: they explain nothing where the server saw no pair at all.
_INSIDE = frozenset(
    row.code
    for row in (
        catalog.REVERSED,
        catalog.TRAILING_NEWLINE,
        catalog.STRAY_SPACE,
        catalog.TOKEN_KIND,
        catalog.TOKEN_TRUNCATED,
        catalog.ID_NOT_NUMERIC,
        catalog.PLACEHOLDER,
        catalog.EMPTY,
    )
)
# What a Collector's exporter says of its backend's answer (collector, exporter/otlphttpexporter).
_BACKEND = "responded with http status code"


@dataclass(frozen=True, slots=True)
class Refused:
    """A 401 or 403 and what is known around it.

    `text` is the answer's own words, cleaned and cut; `grafana` whether the host is Grafana Cloud's; `sent` whether
    Authorization went out; `suspects` what the header's form made us suspect. `probed` says that this signal was
    accepted before with the same credential, in an empty request; `elsewhere` is another signal that was. `words` are
    all of the answer's, to be matched and never shown.
    """

    answer: HttpAnswer
    text: str
    grafana: bool
    sent: bool
    suspects: Sequence[Finding]
    probed: bool
    elsewhere: Signal | None
    host: str
    url: str
    signal: Signal
    subject: str
    instance_id: str
    words: str = ""


def unknown_pair(answer: HttpAnswer) -> bool:
    """Tell whether this is a gateway's 401 to a pair that it read and does not know."""
    reason = gateway_error(answer.body).lower()
    return answer.status == 401 and ("invalid authentication credentials" in reason or "invalid token" in reason)


def judge_refusal(refused: Refused) -> tuple[Finding, ...]:
    """Return what a 401 or 403 means."""
    answer, text, subject, signal = refused.answer, refused.text, refused.subject, refused.signal
    gateway = gateway_error(answer.body)
    lower = (gateway or refused.words or text).lower()
    scheme = (answer.header("www-authenticate").split() or ["not named"])[0][:20]
    if _BACKEND in lower or (refused.probed and not refused.grafana):
        sure = CERTAIN if _BACKEND in lower else LIKELY
        return (
            catalog.BEHIND.found(sure, subject, host=refused.host, status=answer.shown, text=text, url=refused.url),
        )
    if "invalid scope requested" in lower or ("scope" in lower and (gateway or refused.grafana)):
        sure = CERTAIN if "invalid scope requested" in lower else LIKELY
        return (
            catalog.SCOPE.found(sure, subject, status=answer.shown, text=text, signal=signal.value, url=refused.url),
        )
    if answer.status == 403:
        return (
            catalog.FORBIDDEN.found(
                CERTAIN,
                subject,
                host=refused.host,
                status=answer.shown,
                text=text,
                signal=signal.value,
                url=refused.url,
            ),
        )
    none_seen = "no credentials provided" in lower
    suspects = tuple(one for one in refused.suspects if not (none_seen and one.code in _INSIDE))
    if suspects:
        return suspects
    if not refused.sent:
        variable = subject.partition(",")[0]
        others = not variable.endswith("ENDPOINT")  # the place of the headers, where there are any
        kept = f"${variable}," if others and _HEADERS.fullmatch(subject) else ""
        name = variable if kept else "OTEL_EXPORTER_OTLP_HEADERS"
        return (
            catalog.SERVER_WANTS_CREDENTIAL.found(
                CERTAIN,
                subject,
                host=refused.host,
                status=answer.shown,
                scheme=scheme,
                configured="the OTLP headers that are set hold none" if others else "no OTLP headers are set",
                set_command="otelctl encode-auth --prompt"
                if others and not kept
                else f'export {name}="{kept}$(otelctl encode-auth --prompt)"',
            ),
        )
    if none_seen:
        return (
            catalog.NONE_SENT.found(LIKELY, subject, status=answer.shown, text=text, shape="Authorization=Basic …"),
        )
    if "legacy auth cannot be upgraded" in lower:
        return (catalog.LEGACY.found(CERTAIN, subject, renew_command=_renew(subject), status=answer.shown, text=text),)
    if unknown_pair(answer):
        if refused.elsewhere is not None:
            works = refused.elsewhere.value
            return (
                catalog.ID_WRONG_PRODUCT.found(
                    LIKELY, subject, renew_command=_renew(subject), instance_id=refused.instance_id, works=works
                ),
            )
        return (catalog.INVALID.found(CERTAIN, subject, renew_command=_renew(subject), status=answer.shown, text=text),)
    return (catalog.REFUSED.found(CERTAIN, subject, host=refused.host, status=answer.shown, text=text, scheme=scheme),)
