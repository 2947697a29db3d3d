"""Calls through botocore whose failures come back as facts: what Secrets Manager, Parameter Store and ECS share.

Importing this module imports botocore, which takes 70 ms: do it where it is used.
"""

from __future__ import annotations

import json
import os
import traceback
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import Loader
from botocore.parsers import ResponseParserError

from otelctl.facts.store import StoreFault
from otelctl.secret import MASK, Secret

_TRIES = 4
_LONGEST_MESSAGE = 600
_SHARED = 12
"""A run of this many characters that a message shares with a secret can only come from it."""

# botocore's exceptions, most special first: the word that a StoreFault carries for what no service said.
_WORDS = {
    "NoCredentialsError": "NoCredentials",
    "PartialCredentialsError": "PartialCredentials",
    "CredentialRetrievalError": "CredentialRetrieval",
    "UnknownCredentialError": "Config",
    "RefreshWithMFAUnsupportedError": "CredentialRetrieval",
    "SSOError": "SsoToken",
    "LoginError": "SsoToken",
    "TokenRetrievalError": "SsoToken",
    "NoAuthTokenError": "SsoToken",
    "MissingDependencyException": "MissingDependency",
    "NoRegionError": "NoRegion",
    "InvalidRegionError": "InvalidRegion",
    "ProfileNotFound": "ProfileNotFound",
    "ConfigParseError": "Config",
    "ConfigNotFound": "Config",
    "InvalidConfigError": "Config",
    "InvalidRetryConfigurationError": "Config",
    "ConnectTimeoutError": "ConnectTimeout",
    "ReadTimeoutError": "ReadTimeout",
    "ConnectionClosedError": "ConnectionClosed",
    "ProxyConnectionError": "ProxyConnection",
    "SSLError": "Tls",
    "EndpointConnectionError": "EndpointConnection",
    "HTTPClientError": "EndpointConnection",
    "ParamValidationError": "ParamValidation",
    "ResponseParserError": "NotSecretsManager",
}


class _Loader(Loader):
    """Reads the description of a service without listing all services first.

    botocore's own looks into each of its 450 folders, twice for a client, to tell a misspelt service from a known
    one: a tenth of what a write takes. A service without a folder is an error all the same, `DataNotFoundError`.
    """

    _asked = ""

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        self._asked = service_name
        return super().load_service_model(service_name, type_name, api_version)

    def list_available_services(self, type_name: str) -> list[str]:
        del type_name
        return [self._asked]


class Caller:
    """Calls operations of AWS, each service and region by a client of its own, made when it is first asked.

    Credentials, profile, region and endpoint (`AWS_ENDPOINT_URL`) are found by botocore's own means; `profile` and
    `region` override the first two. `timeout` bounds connecting and each read, in seconds. A call that failed for
    the network, a throttle or the server is tried four times at most, with botocore's jitter between.
    """

    def __init__(self, profile: str | None, region: str | None, timeout: float) -> None:
        self._profile = profile
        self._region = region
        self._timeout = timeout
        self._session: botocore.session.Session | None = None
        self._clients: dict[tuple[str, str], BaseClient] = {}

    def call(
        self, service: str, method: str, region: str = "", sent: Secret | None = None, /, **params: object
    ) -> dict[str, Any] | StoreFault:
        """Call one operation. `sent` is a secret among the parameters, so that no message brings it back."""
        operation = "".join(word.capitalize() for word in method.split("_"))
        try:
            answer: dict[str, Any] = getattr(self._open(service, region), method)(**params)
        except ClientError as error:
            said = error.response.get("Error", {})
            code, message = clean(str(said.get("Code", "")))[:80], clean(str(said.get("Message", "")), sent)
            return StoreFault(operation, code, message, status(error.response), self.where(service, region))
        except (BotoCoreError, ResponseParserError) as error:
            names = [kind.__name__ for kind in type(error).__mro__]
            code = next((_WORDS[name] for name in names if name in _WORDS), names[0])
            return StoreFault(operation, code, clean(str(error), sent), detail=self.where(service, region))
        except Exception as error:
            # What botocore passes on as it met it: of a wrong endpoint, a setting, and a source of credentials.
            word = _word(error)
            if word is None:
                raise
            message = clean(str(error) or type(error).__name__, sent)
            return StoreFault(operation, word, message, detail=self.where(service, region))
        return answer

    def where(self, service: str, region: str = "") -> dict[str, str]:
        """Return the region, endpoint and profile in use for a service, as far as they are known."""
        detail = {}
        client = self._clients.get((service, region))
        if client is not None:
            detail["region"] = client.meta.region_name or ""
            parts = urlsplit(client.meta.endpoint_url)
            # Without user and password, which a URL from the environment may carry.
            detail["endpoint"] = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        profile = self._profile or os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE")
        if profile:
            detail["profile"] = profile
        return detail

    def _open(self, service: str, region: str) -> BaseClient:
        if self._session is None:
            self._session = _session(self._profile, self._region)
        if (service, region) not in self._clients:
            # The stubs know services by literal names, and only those whose own stubs are installed.
            client: Any = self._session.create_client
            self._clients[service, region] = client(
                service,
                region_name=region or None,
                config=Config(
                    connect_timeout=self._timeout,
                    read_timeout=self._timeout,
                    retries={"mode": "standard", "total_max_attempts": _TRIES},
                ),
            )
        return self._clients[service, region]


def _session(profile: str | None, region: str | None) -> botocore.session.Session:
    session = botocore.session.Session(profile=profile)
    if region is not None:
        session.set_config_variable("region", region)
    # With the folders that AWS_DATA_PATH names.
    folders = session.get_component("data_loader").search_paths
    session.register_component("data_loader", _Loader(folders, include_default_search_paths=False))
    return session


def _word(error: Exception) -> str | None:
    """Return the word for an exception that is not botocore's own, or None where it is a mistake in a program."""
    on_the_way = {frame.f_code.co_name for frame, _ in traceback.walk_tb(error.__traceback__)}
    # By whatever a process or a file gives, and the reading of it: at once, or when a call is signed.
    if on_the_way & {"load_credentials", "get_frozen_credentials"}:
        return "CredentialRetrieval"
    if isinstance(error, ValueError):
        return "InvalidEndpoint" if str(error).startswith("Invalid endpoint") else "Config"
    return "Config" if isinstance(error, OSError) else None


def status(answer: Any) -> int | None:
    """Return the HTTP status of an answer, or of what botocore keeps of a refusal."""
    found: int | None = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return found


def clean(message: str, text: Secret | None = None) -> str:
    """Return a message on one line, bounded, and without any run that it shares with the secret sent."""
    message = " ".join("".join(char if char.isprintable() else " " for char in message).split())[:_LONGEST_MESSAGE]
    if text is None:
        return message
    plain = text.reveal()
    haystack = f"{plain}\0{json.dumps(plain)}"
    shared = bytearray(len(message))
    for start in range(len(message) - _SHARED + 1):
        if message[start : start + _SHARED] in haystack:
            shared[start : start + _SHARED] = b"\1" * _SHARED
    out: list[str] = []
    for char, masked in zip(message, shared, strict=True):
        if not masked:
            out.append(char)
        elif not out or out[-1] != MASK:
            out.append(MASK)
    return "".join(out)
