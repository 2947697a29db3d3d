"""What goes wrong with variables that are set: one SDK reads them otherwise than another, or nobody reads them."""

from __future__ import annotations

from otelctl.model import Diagnosis, Severity, Step

_SPEC = "https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/"
_EXPORTER = "https://opentelemetry.io/docs/specs/otel/protocol/exporter/"

PROTOCOL_DEFAULT = Diagnosis(
    "ENV-PROTOCOL-DEFAULT",
    "The default protocol does not fit the endpoint",
    Severity.ERROR,
    "OTEL_EXPORTER_OTLP_PROTOCOL is not set, so the default of {sdks} counts, {taken}; {url} is one for {fits}.",
    "The specification asks for http/protobuf as the default and allows gRPC; SDKs differ.",
    (Step("Name the protocol.", "{mend_command}"),),
    (_EXPORTER,),
)
PROTOCOL_DIFFERS = Diagnosis(
    "ENV-PROTOCOL-DIFFERS",
    "Some SDKs do not take the endpoint's protocol",
    Severity.WARNING,
    "With these settings {fits} goes to {url} from {right}, but not from {wrong}: {why}.",
    "SDKs have different defaults, and not each has each protocol.",
    (Step("Name a protocol that all of them have.", "{mend_command}"),),
    (_EXPORTER,),
)
PROTOCOL_UNSUPPORTED = Diagnosis(
    "ENV-PROTOCOL-UNSUPPORTED",
    "The protocol is one that the SDK does not have",
    Severity.ERROR,
    "{variable} is {value}, which is missing in {sdks}: {outcome}.",
    "OTLP has three protocols; http/json is the one that many SDKs leave out.",
    (Step("Use one that it has.", "{mend_command}"),),
    (_EXPORTER,),
)
PATH_LOST = Diagnosis(
    "ENV-PATH-LOST",
    "gRPC has no place for the endpoint's path",
    Severity.WARNING,
    "The protocol is grpc, and {url} has the path {path}: {what}.",
    "A gRPC call names its own path. What the endpoint has beside host and port is dropped, or stops the exporter.",
    (
        Step("If the receiver takes OTLP over HTTP there, say so.", "{mend_command}"),
        Step("If it takes gRPC, leave the path out of the endpoint."),
    ),
    (_EXPORTER,),
)
TIMEOUT_UNIT = Diagnosis(
    "ENV-TIMEOUT-UNIT",
    "A time-out is taken in another unit than it was meant in",
    Severity.WARNING,
    "{variable} is {value}: {meanings}.",
    "The specification counts milliseconds; Python counts seconds.",
    (Step("Set what is meant in the unit of the SDK that reads it; 10 seconds are:", "{mend_command}"),),
    (_EXPORTER, "https://github.com/open-telemetry/opentelemetry-python/issues/4044"),
)
HEADERS_DROPPED = Diagnosis(
    "ENV-HEADERS-DROPPED",
    "A header is configured and not sent",
    Severity.ERROR,
    "The header {name} is not sent by {sdks}: {why}.",
    "The variable takes key=value pairs, percent-encoded; what does not parse is left out, mostly in silence.",
    (Step("Percent-encode the value (a space is %20, a comma %2C, a semicolon %3B), then check again.", "{again}"),),
    (_EXPORTER,),
)
HEADERS_DIFFER = Diagnosis(
    "ENV-HEADERS-DIFFER",
    "A header is sent by some SDKs and not by others",
    Severity.WARNING,
    "The header {name} is sent by {right}; it is not by {wrong}: {why}.",
    "Each SDK has a parser of its own for this variable.",
    (Step("Percent-encode the value (a space is %20, a comma %2C, a semicolon %3B), then check again.", "{again}"),),
    (_EXPORTER,),
)
HEADERS_CHANGED = Diagnosis(
    "ENV-HEADERS-CHANGED",
    "A header is sent with a changed value",
    Severity.WARNING,
    "The header {name} is sent by {sdks}, but changed: {what}.",
    "Each SDK has a parser of its own for this variable.",
    (Step("Percent-encode the value (a plus is %2B, a semicolon %3B), then check again.", "{again}"),),
    (_EXPORTER,),
)
EMPTY = Diagnosis(
    "ENV-EMPTY",
    "An empty variable is taken for a value",
    Severity.ERROR,
    "{variable} is empty, which counts as a value in {sdks}.",
    "The specification treats empty as unset; OTLP over HTTP in Python does so from 1.45 on.",
    (Step("Take it out.", "{mend_command}"),),
    (_SPEC,),
)
CONFIG_FILE = Diagnosis(
    "ENV-CONFIG-FILE",
    "A configuration file takes the place of the variables",
    Severity.WARNING,
    "OTEL_CONFIG_FILE is {path}: with it, none of the other OTEL_* variables counts in {sdks}.",
    "Declarative configuration and variables do not mix; the file may refer to variables by ${{NAME}}.",
    (Step("Configure the exporter in the file, or unset the variable.", "{mend_command}"),),
    (_SPEC,),
)
EXPORTER_OTHER = Diagnosis(
    "ENV-EXPORTER-OTHER",
    "A signal goes to another exporter than OTLP",
    Severity.WARNING,
    "{variable} is {value}, so {signal} does not go to the OTLP endpoint.",
    "The variable names where a signal goes; otlp is what sends it to the endpoint.",
    (Step("Name otlp, alone or beside the others.", "{mend_command}"),),
    (_SPEC,),
)
SAMPLER_OFF = Diagnosis(
    "ENV-SAMPLER-OFF",
    "The sampler keeps no trace",
    Severity.WARNING,
    "{variable} is {value}: {what}.",
    "It was left on after a test, or the ratio was meant as a percentage.",
    (Step("Keep all traces, or set a ratio above 0.", "{mend_command}"),),
    (_SPEC,),
)
SAMPLER_ARG = Diagnosis(
    "ENV-SAMPLER-ARG",
    "The sampler's argument is ignored",
    Severity.WARNING,
    "OTEL_TRACES_SAMPLER_ARG is {value}, and {why}.",
    "The argument counts for the samplers traceidratio and parentbased_traceidratio, and is a number from 0 to 1.",
    (Step("Name the sampler that takes it.", "{mend_command}"),),
    (_SPEC,),
)
SAMPLER_UNKNOWN = Diagnosis(
    "ENV-SAMPLER-UNKNOWN",
    "The sampler is none that the specification has",
    Severity.WARNING,
    "OTEL_TRACES_SAMPLER is {value}.",
    "SDKs warn and take their default, which keeps every trace, unless a plug-in brings a sampler of this name.",
    (Step("Name one of the specification's.", "{mend_command}"),),
    (_SPEC,),
)
NO_SERVICE_NAME = Diagnosis(
    "ENV-NO-SERVICE-NAME",
    "No variable names the service",
    Severity.NOTICE,
    "Neither OTEL_SERVICE_NAME nor service.name in OTEL_RESOURCE_ATTRIBUTES is set.",
    "Unless code names it, the service is called unknown_service, and all such services look like one.",
    (Step("Name it.", "export OTEL_SERVICE_NAME=my-service"),),
    (_SPEC,),
)
NO_ENDPOINT = Diagnosis(
    "ENV-NO-ENDPOINT",
    "No variable names the endpoint",
    Severity.WARNING,
    "OTEL_EXPORTER_OTLP_ENDPOINT is not set, so SDKs send to localhost.{besides}",
    "SDKs read the variables of the specification alone.",
    (Step("Set it.", "{mend_command}"),),
    (_EXPORTER,),
)
RESOURCE_ATTRIBUTES = Diagnosis(
    "ENV-RESOURCE-ATTRIBUTES",
    "The resource attributes cannot be read",
    Severity.WARNING,
    "In OTEL_RESOURCE_ATTRIBUTES the entry {number} of {count} {what}.",
    "The value is key=value pairs with percent-encoded values. By the specification one bad entry voids them all; some "
    "SDKs drop the entry alone.",
    (Step("Write it as key=value, percent-encoded, then check again.", "{again}"),),
    (_SPEC,),
)
BOOLEAN = Diagnosis(
    "ENV-BOOLEAN",
    "A switch has a value that counts as false",
    Severity.WARNING,
    "{variable} is {value}; only true, in any case, is true.",
    "The specification knows no 1, yes or on.",
    (Step("Say true, or unset it.", "{mend_command}"),),
    (_SPEC,),
)
UNKNOWN_VARIABLE = Diagnosis(
    "ENV-UNKNOWN-VARIABLE",
    "A variable has a name that nobody reads",
    Severity.WARNING,
    "{variable} is not one of OpenTelemetry's; {right} is.",
    "SDKs ignore what they do not know, in silence.",
    (Step("Use the name that is read.", "{mend_command}"),),
    (_SPEC,),
)
PROPAGATORS = Diagnosis(
    "ENV-PROPAGATORS",
    "A propagator is none that the specification has",
    Severity.WARNING,
    "OTEL_PROPAGATORS is {value}; {unknown} is not known.",
    "SDKs warn and leave it out, or stop; then no context is handed on in that form.",
    (Step("Name those that are meant; the default is:", "{mend_command}"),),
    (_SPEC,),
)

ROWS = (
    PROTOCOL_DEFAULT, PROTOCOL_DIFFERS, PROTOCOL_UNSUPPORTED, PATH_LOST, TIMEOUT_UNIT, HEADERS_DROPPED, HEADERS_DIFFER,
    HEADERS_CHANGED, EMPTY, CONFIG_FILE, EXPORTER_OTHER, SAMPLER_OFF, SAMPLER_ARG, SAMPLER_UNKNOWN, NO_SERVICE_NAME,
    NO_ENDPOINT, RESOURCE_ATTRIBUTES, BOOLEAN, UNKNOWN_VARIABLE, PROPAGATORS,
)  # fmt: skip
