"""What goes wrong with OTLP over gRPC alone; what HTTP shows as well is in the areas of the wire and of answers."""

from __future__ import annotations

from otelctl.model import Diagnosis, Severity, Step

_SPEC = "https://opentelemetry.io/docs/specs/otlp/#otlpgrpc"
_EXPORTER_SPEC = "https://opentelemetry.io/docs/specs/otel/protocol/exporter/"
_PROTOCOL = "https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md"

_AGAIN = Step("Check again.", "otelctl check-endpoint {url}")

NOT_INSTALLED = Diagnosis(
    "GRPC-NOT-INSTALLED",
    "otelctl is installed without what speaks gRPC",
    Severity.UNKNOWN,
    "gRPC is asked for, and Python cannot load grpcio: {text}.",
    "grpcio comes with otelctl's extra `grpc`, which is apart because it has no wheel for every platform. The exporter "
    "that you check may have it: this is neither good nor bad news for it.",
    (
        Step("Install it beside otelctl.", "python -m pip install 'otelctl[grpc]'"),
        Step(
            "Or, if the receiver takes HTTP as well (usually on 4318), check that.",
            "otelctl check-endpoint {mended} --protocol http/protobuf",
        ),
    ),
)
PATH_DROPPED = Diagnosis(
    "GRPC-PATH-DROPPED",
    "gRPC drops the endpoint's path",
    Severity.WARNING,
    "{url}: over gRPC {path} has no effect, requests go to {address} as if it were not there.",
    "A gRPC exporter takes host and port from the URL; the path of a request is the name of the service. Where a proxy "
    "tells backends apart by path, the data ends at another one.",
    (
        Step("Leave the path out.", "{mend_command}"),
        Step("Or keep the path, and send over HTTP.", "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"),
    ),
    (_EXPORTER_SPEC,),
)
NO_OTLP = Diagnosis(
    "GRPC-NO-OTLP",
    "The gRPC server has no OTLP service",
    Severity.ERROR,
    "{address} answered UNIMPLEMENTED ({text}), and takes no other signal either.",
    "It speaks gRPC and knows no OpenTelemetry: another program's port, a backend's query port for instance, or a "
    "proxy that passes these calls to nobody.",
    (
        Step("See which program listens there, on the machine that should receive.", "ss -ltnp"),
        Step("Point the exporter at the receiver's gRPC port, usually 4317; then check it.", "{again_command}"),
    ),
    (_SPEC,),
)
BROKEN_OFF = Diagnosis(
    "GRPC-BROKEN-OFF",
    "The server breaks the gRPC call off",
    Severity.ERROR,
    "{address} took the connection and the call, and ended it without a status: {text}.",
    "The receiver, or a proxy before it, crashed, restarted, or ran into a limit of its own. Exporters take this for "
    "UNAVAILABLE or INTERNAL: some try again, some drop the batch.",
    (
        _AGAIN,
        Step("If it happens again, look into the log of the server or proxy at {address}."),
    ),
    (_PROTOCOL,),
)
BAD_ANSWER = Diagnosis(
    "GRPC-BAD-ANSWER",
    "The answer breaks the rules of gRPC",
    Severity.ERROR,
    "{address} speaks HTTP/2, and what it answered is no answer of gRPC's: {text}.",
    "An HTTP server that takes any request, or a proxy that changes bodies or drops trailers, stands where the "
    "receiver should; or the answer is larger than any receiver's would be.",
    (
        Step("Go around proxies and load balancers, one after the other, to find who breaks it."),
        Step("See whether the port takes OTLP over HTTP.", "otelctl check-endpoint {url} --protocol http/protobuf"),
    ),
    (_PROTOCOL,),
)

ROWS = (NOT_INSTALLED, PATH_DROPPED, NO_OTLP, BROKEN_OFF, BAD_ANSWER)
