"""Certificate authorities that live as long as a test, and the good and faulty certificates that they issue."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOOPBACK = ("localhost", "127.0.0.1")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with its key, in PEM files as servers and clients take them."""

    cert_file: Path
    key_file: Path
    not_before: datetime
    not_after: datetime

    def server_context(self, client_ca: Authority | None = None) -> ssl.SSLContext:
        """Return the context of a server that shows this certificate, and asks for the client's where a CA is given."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert_file, self.key_file)
        if client_ca is not None:
            context.load_verify_locations(client_ca.file)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority; `file` is what a client trusts it by."""

    name: str
    folder: Path
    file: Path
    _certificate: x509.Certificate
    _key: ec.EllipticCurvePrivateKey

    @classmethod
    def create(cls, folder: Path, name: str = "otelctl test CA") -> Authority:
        """Make an authority that keeps its files in `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        certificate = (
            _builder(_named(name), _named(name), key.public_key(), now - timedelta(days=1), now + timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(ca=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        file = folder / "ca.pem"
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return cls(name, folder, file, certificate, key)

    def issue(
        self,
        label: str,
        names: Sequence[str] = LOOPBACK,
        *,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        client: bool = False,
    ) -> Certificate:
        """Issue a certificate for these host names or addresses, valid now where no dates say otherwise."""
        now = datetime.now(UTC).replace(microsecond=0)
        start = not_before or now - timedelta(hours=1)
        end = not_after or now + timedelta(days=7)
        usage = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        key = ec.generate_private_key(ec.SECP256R1())
        # Python 3.13 verifies strictly by default: it refuses a certificate that lacks any of these extensions.
        certificate = (
            _builder(_named(names[0]), self._certificate.subject, key.public_key(), start, end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(ca=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
        cert_file, key_file = self.folder / f"{label}.pem", self.folder / f"{label}.key"
        cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_file.touch(mode=0o600)
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return Certificate(cert_file, key_file, start, end)

    def good(self) -> Certificate:
        """Issue what a client on loopback accepts."""
        return self.issue("good")

    def expired(self) -> Certificate:
        """Issue a certificate that ended three days ago."""
        now = datetime.now(UTC)
        return self.issue("expired", not_before=now - timedelta(days=30), not_after=now - timedelta(days=3))

    def not_yet_valid(self) -> Certificate:
        """Issue a certificate that begins in three days."""
        now = datetime.now(UTC)
        return self.issue("not-yet-valid", not_before=now + timedelta(days=3), not_after=now + timedelta(days=30))

    def wrong_name(self) -> Certificate:
        """Issue a certificate for another host."""
        return self.issue("wrong-name", ("collector.example.com",))

    def for_client(self) -> Certificate:
        """Issue what a client shows to a server that asks for a certificate."""
        return self.issue("client", ("otelctl-client",), client=True)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    not_before: datetime,
    not_after: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
