"""Reads the few fields of an X.509 certificate that a diagnosis needs: who, by whom, for which names, how long.

The standard library decodes only certificates that it has verified, and the ones worth describing are the others.
So this reads DER (ITU-T X.690) along RFC 5280, section 4.1: a strict walk over one certificate, bounded by its own
length, that takes no decision about trust. OpenSSL has parsed the same bytes before they come here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime

from otelctl.facts.wire import Certificate

_SEQUENCE, _SET, _OID, _OCTETS, _BOOLEAN, _INTEGER = 0x30, 0x31, 0x06, 0x04, 0x01, 0x02
_VERSION, _EXTENSIONS, _DNS_NAME, _IP_ADDRESS = 0xA0, 0xA3, 0x82, 0x87
_UTC_TIME = 0x17
_ATTRIBUTES = {
    b"\x55\x04\x03": "CN",
    b"\x55\x04\x0a": "O",
    b"\x55\x04\x0b": "OU",
    b"\x55\x04\x06": "C",
}
_ALTERNATIVE_NAMES = b"\x55\x1d\x11"
_ENCODINGS = {0x1E: "utf-16-be", 0x14: "latin-1", 0x1C: "utf-32-be"}
_LONGEST_TEXT = 200
_MOST_NAMES = 50


class CertificateError(ValueError):
    """The bytes are not a certificate in DER."""


def _elements(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield the elements that stand one after the other in `data`: the tag, the content, and the whole element."""
    at = 0
    while at < len(data):
        if at + 2 > len(data):
            raise CertificateError("an element is cut short")
        tag, length, start = data[at], data[at + 1], at + 2
        if length >= 0x80:
            count = length - 0x80
            if not 1 <= count <= 3:
                raise CertificateError("a length is out of range")
            length = int.from_bytes(data[start : start + count], "big")
            start += count
        if start + length > len(data):
            raise CertificateError("an element is longer than what holds it")
        yield tag, data[start : start + length], data[at : start + length]
        at = start + length


def _only(data: bytes, tag: int) -> bytes:
    """Return the content of the first element in `data`, which must have that tag."""
    found = next(_elements(data), None)
    if found is None or found[0] != tag:
        raise CertificateError(f"no element {tag:#x} where there must be one")
    return found[1]


def _clean(text: str) -> str:
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return shown if len(shown) <= _LONGEST_TEXT else shown[: _LONGEST_TEXT - 1] + "…"


def _name(data: bytes) -> str:
    """Return a distinguished name in one line, as `CN=…, O=…`."""
    parts: list[str] = []
    for _, relative, _ in _elements(data):
        for _, attribute, _ in _elements(relative):
            pair = list(_elements(attribute))
            if len(pair) == 2 and (label := _ATTRIBUTES.get(pair[0][1])):
                tag, value, _ = pair[1]
                parts.append(f"{label}={value.decode(_ENCODINGS.get(tag, 'utf-8'), 'replace')}")
    return _clean(", ".join(parts))


def _time(tag: int, content: bytes) -> datetime:
    """Return a date of the validity (RFC 5280, 4.1.2.5); one that no calendar holds becomes the year 1."""
    text = content.decode("ascii", "replace")
    if tag == _UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def _alternative_names(extensions: bytes) -> tuple[str, ...]:
    """Return the DNS names and addresses that the certificate is for (RFC 5280, 4.2.1.6)."""
    names: list[str] = []
    for _, extension, _ in _elements(_only(extensions, _SEQUENCE)):
        fields = [(tag, content) for tag, content, _ in _elements(extension)]
        if not fields or fields[0] != (_OID, _ALTERNATIVE_NAMES):
            continue
        for tag, content, _ in _elements(_only(fields[-1][1], _SEQUENCE)):
            if tag == _DNS_NAME:
                names.append(_clean(content.decode("ascii", "replace")))
            elif tag == _IP_ADDRESS and len(content) in (4, 16):
                names.append(str(ipaddress.ip_address(content)))
    return tuple(names[:_MOST_NAMES])


def parse(der: bytes) -> Certificate:
    """Return what a certificate in DER says of itself; texts are bounded and without control characters.

    Raises CertificateError when the bytes are no certificate.
    """
    fields = list(_elements(_only(_only(der, _SEQUENCE), _SEQUENCE)))
    if fields and fields[0][0] == _VERSION:
        fields = fields[1:]
    tags = [tag for tag, _, _ in fields[:6]]
    if tags != [_INTEGER, _SEQUENCE, _SEQUENCE, _SEQUENCE, _SEQUENCE, _SEQUENCE]:
        raise CertificateError("the fields are not those of a certificate")
    _, _, (_, issuer, _), (_, validity, _), (_, subject, _), *rest = fields
    dates = [_time(tag, content) for tag, content, _ in _elements(validity)]
    if len(dates) != 2:
        raise CertificateError("the validity has not two dates")
    extensions = next((content for tag, content, _ in rest if tag == _EXTENSIONS), None)
    return Certificate(
        subject=_name(subject),
        issuer=_name(issuer),
        names=() if extensions is None else _alternative_names(extensions),
        not_before=dates[0],
        not_after=dates[1],
        self_signed=subject == issuer,
        der=der,
    )
