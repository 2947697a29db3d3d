"""What the world can do for a check: protocols that adapters answer, bundled as a World."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    # A port costs what its own adapter loads, and nothing more.
    from datetime import datetime

    from otelctl.facts.ecs import (
        EcsAbsent,
        EcsService,
        EcsTask,
        EcsTaskDefinition,
        RoleAbsent,
        RolePolicies,
        SecretVersions,
        Simulated,
    )
    from otelctl.facts.store import SecretAbsent, StoreConflict, StoredSecret, StoreFault, Written
    from otelctl.facts.wire import (
        Connected,
        Fault,
        Greeted,
        HttpAnswer,
        HttpRequest,
        Proxy,
        Resolved,
        Route,
        RpcAnswer,
        RpcRequest,
        Secured,
    )
    from otelctl.secret import Secret


class Link(Protocol):
    """One connection, a stage at a time; each stage is a fact, and none raises for what a network can do.

    `connect` needs `resolve`, `secure` needs `connect`; a first `exchange` uses the connection that they made,
    a later one may open another by itself.
    """

    def resolve(self) -> Resolved | Fault:
        """Look up the addresses of the host, or of the proxy where one is in the way."""

    def connect(self) -> Connected | Fault:
        """Open the TCP connection; through a proxy, its tunnel to a TLS endpoint too."""

    def secure(self) -> Secured | Fault:
        """Shake hands by TLS."""

    def greet(self) -> Greeted | Fault:
        """Say HTTP/2's preface and return what the peer says first; the connection is of no use after it."""

    def exchange(self, request: HttpRequest) -> HttpAnswer | Fault:
        """Send one request and read its answer, bounded in time and size; no redirect is followed."""

    def close(self) -> None:
        """Close the connection."""


class Network(Protocol):
    """The way out."""

    def open(self, route: Route) -> Link:
        """Return an unopened connection along the route."""


class Rpc(Protocol):
    """Calls over gRPC, each on a connection of its own."""

    def call(self, route: Route, request: RpcRequest) -> RpcAnswer | Fault:
        """Make one unary call, bounded in time and size; never raises for what a server can do."""


class SecretStore(Protocol):
    """One secret in one store."""

    @property
    def identity(self) -> str:
        """What a person calls it: a name, an ARN, a path."""

    def read(self) -> StoredSecret | SecretAbsent | StoreFault:
        """Read the current value and its version."""

    def create(self, text: Secret) -> Written | StoreConflict | StoreFault:
        """Make the secret with this value; a conflict where somebody else made it first."""

    def replace(self, text: Secret, expected: StoredSecret) -> Written | StoreConflict | StoreFault:
        """Put this value where `expected` still is the current one."""

    def tidy(self) -> str | None:
        """Remove what a write of ours, killed half-way, left beside the value; return what could not be removed."""


class RevertibleStore(SecretStore, Protocol):
    """A store that keeps the value before the current one."""

    def read_previous(self) -> StoredSecret | SecretAbsent | StoreFault:
        """Read the value before the current one, and its version."""

    def restore(self, previous: StoredSecret, expected: StoredSecret) -> Written | StoreConflict | StoreFault:
        """Make `previous` the current value again where `expected` still is the current one."""


class Containers(Protocol):
    """Amazon ECS, and what a task needs to start: its secrets and its execution role."""

    @property
    def region(self) -> str:
        """The region in use, empty where none is known."""

    def service(self, cluster: str, name: str) -> EcsService | EcsAbsent | StoreFault:
        """Describe a service."""

    def task_definition(self, name: str) -> EcsTaskDefinition | EcsAbsent | StoreFault:
        """Describe a task definition by its ARN, `family:revision`, or the latest revision of a family."""

    def tasks(self, cluster: str, service: str, *, stopped: bool) -> tuple[EcsTask, ...] | StoreFault:
        """Describe the tasks of a service: those that are to run, or those that stopped within the last hour."""

    def deploy(self, cluster: str, service: str) -> EcsService | EcsAbsent | StoreFault:
        """Force a new deployment, and return the service as it is then."""

    def secret(self, secret_id: str, region: str, stage: str, version: str) -> StoredSecret | SecretAbsent | StoreFault:
        """Read one version of a secret; empty stage and version mean AWSCURRENT."""

    def parameter(self, name: str, region: str) -> StoredSecret | SecretAbsent | StoreFault:
        """Read a parameter of the Parameter Store."""

    def versions(self, secret_id: str, region: str) -> SecretVersions | SecretAbsent | StoreFault:
        """Describe a secret without its value."""

    def resource_policy(self, secret_id: str, region: str) -> str | StoreFault:
        """Return the policy on a secret as JSON, or an empty text where it has none."""

    def simulate(self, role: str, action: str, resource: str, context: Mapping[str, str]) -> Simulated | StoreFault:
        """Have IAM judge one action of a role; `context` holds condition keys with their values."""

    def role(self, role: str) -> RolePolicies | RoleAbsent | StoreFault:
        """Read a role's trust policy and policies, as far as they can be read."""


class Clock(Protocol):
    """Time."""

    def now(self) -> datetime:
        """Return the time of day in UTC."""

    def monotonic(self) -> float:
        """Return seconds that only go forward."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Proxies(Protocol):
    """The proxy settings of this machine."""

    def proxy_for(self, scheme: str, host: str, port: int) -> Proxy | None:
        """Return the proxy that stands before a host, by the *_PROXY variables and NO_PROXY."""


class Entropy(Protocol):
    """Randomness."""

    def bytes(self, count: int) -> bytes:
        """Return that many random bytes."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside, as one value that a test can replace in part."""

    network: Network
    proxies: Proxies
    clock: Clock
    entropy: Entropy
    variables: Mapping[str, str]
    rpc: Rpc
