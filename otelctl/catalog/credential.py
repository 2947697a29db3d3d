"""What goes wrong with the credential of the OTLP gateway, offline and in its answers."""

from __future__ import annotations

from otelctl.model import Diagnosis, Severity, Step

_DOC = "https://grafana.com/docs/grafana-cloud/send-data/otlp/send-data-otlp/"
_SPEC = "https://opentelemetry.io/docs/specs/otel/protocol/exporter/"
_POLICY = "https://grafana.com/docs/grafana-cloud/account-management/authentication-and-permissions/access-policies/"

_REBUILD = Step("Put the mended header in its place; inspect-auth --fix prints it.", "{mend_command}")
_NEW = Step("Make a new header from a token that you copy again; the prompt does not show it.", "{renew_command}")


def _error(code: str, title: str, summary: str, cause: str, *fix: Step, refs: tuple[str, ...] = (_DOC,)) -> Diagnosis:
    return Diagnosis(code, title, Severity.ERROR, summary, cause, fix, refs)


REVERSED = _error(
    "AUTH-REVERSED",
    "The token stands before the instance ID",
    "The decoded credential reads token:{instance_id}; the gateway wants {instance_id}:token and answers 401.",
    "Grafana's own screen shows a string in this order. Basic authentication takes the user first, and the user of "
    "the OTLP gateway is the stack's instance ID.",
    _REBUILD,
)
NONE_CONFIGURED = _error(
    "AUTH-NONE-CONFIGURED",
    "No credential is configured",
    "{host} takes nothing without a credential, and the settings hold no Authorization.",
    "Neither OTEL_EXPORTER_OTLP_HEADERS nor the pair GRAFANA_INSTANCE_ID and GRAFANA_API_TOKEN is set here, in the "
    ".env file or in the other sources that were named.",
    Step(
        "Make the header; the instance ID and the token are on the stack's OpenTelemetry page.",
        'export OTEL_EXPORTER_OTLP_HEADERS="$(otelctl encode-auth --prompt)"',
    ),
)
NONE_SENT = _error(
    "AUTH-NONE-SENT",
    "No credential arrived at the server",
    "The server answered {status}: {text}.",
    "A header was configured ({shape}), yet the server saw no Authorization. Something between dropped it: a proxy or "
    "gateway that strips Authorization, or a second hop that does not pass it on.",
    Step("See what the header is, and which proxy is in the way.", "otelctl inspect-auth"),
)
SERVER_WANTS_CREDENTIAL = _error(
    "AUTH-WANTED",
    "The server wants a credential and none is configured",
    "{host} answered {status} to a request without Authorization.",
    "This receiver is guarded (its answer names the scheme: {scheme}), and {configured}.",
    Step("Set the header that this receiver wants.", "{set_command}"),
)
VALUE_MISSING = _error(
    "AUTH-VALUE-MISSING",
    "The Authorization header has no value",
    "The value is {seen}: no credential is in it.",
    "An unquoted line was cut at the space, or a variable inside it was empty when the line was read.",
    _NEW,
    Step("In a shell or a .env file, put the whole value in quotes."),
)
PERCENT_ENCODED = Diagnosis(
    "AUTH-PERCENT-ENCODED",
    "The space is encoded where nothing decodes it",
    Severity.ERROR,
    "The value holds {seen}, and {consumer} sends it as it is.",
    "Grafana's screen hands out the form with %20, which the specification decodes; a plus sign it does not. What is "
    "not decoded reaches the server as no valid scheme.",
    (Step("Use a real space.", "{mend_command}"),),
    (_SPEC,),
)
PERCENT_FORM = Diagnosis(
    "AUTH-PERCENT-FORM",
    "The header is in percent-encoded form",
    Severity.NOTICE,
    "The value holds Basic%20 in place of a space.",
    "Python, Node, Go, Java >= 1.35 and .NET >= 1.8 decode it. Erlang, Elixir, older Java and .NET, curl, and "
    "anything else that reads the value by hand send it raw and get 401.",
    (Step("If the consumer does not decode, use the form with a space.", "{mend_command}"),),
    (_SPEC,),
)
SPACE_DROPPED = _error(
    "AUTH-SPACE-DROPPED",
    "This SDK drops a header that holds a space",
    "The value holds a space after Basic, and {consumer} logs `Header format invalid!` and sends no header.",
    "The parser of opentelemetry-python before 1.27 takes percent-encoded values alone.",
    Step("Encode the space.", "{encode_command}"),
    Step("Or upgrade the SDK.", "pip install --upgrade 'opentelemetry-sdk>=1.27'"),
    refs=("https://github.com/open-telemetry/opentelemetry-python/issues/4492",),
)
LINE_WRAPPED = _error(
    "AUTH-LINE-WRAPPED",
    "A line break or a space stands inside the base64",
    "What follows the scheme is base64 in pieces, with white space between them.",
    "GNU base64 wraps its output at 76 columns, and a token is longer than that. An HTTP header cannot hold a line "
    "break, and no server takes base64 with a space in it.",
    _REBUILD,
    Step("When encoding by hand on Linux, use base64 -w0."),
    refs=("https://www.gnu.org/software/coreutils/manual/html_node/base64-invocation.html",),
)
TRAILING_NEWLINE = _error(
    "AUTH-TRAILING-NEWLINE",
    "The encoded credential ends in a line break",
    "The decoded pair has a line break after the token, which becomes part of the token.",
    "echo adds one; `echo -n` or printf does not.",
    _REBUILD,
)
STRAY_SPACE = _error(
    "AUTH-STRAY-SPACE",
    "The encoded credential holds stray white space",
    "The decoded pair has white space around the instance ID or the token, which becomes part of it.",
    "It came along when the value was copied.",
    _REBUILD,
)
ODD_SPACE = _error(
    "AUTH-ODD-SPACE",
    "An invisible character that is no space stands in the header",
    "The value of Authorization holds a no-break space, or another character that looks like a space or like nothing.",
    "Web pages, chats and word processors put such characters in, and they are copied along. A server wants one plain "
    "space after Basic, and sees no scheme that it knows where another character stands.",
    _REBUILD,
    refs=("https://www.rfc-editor.org/rfc/rfc7617#section-2",),
)
PREFIX_TWICE = _error(
    "AUTH-PREFIX-TWICE",
    "The header's beginning stands twice",
    "`Authorization=` or `Basic` stands once more in the value of Authorization.",
    "A value that had its beginning already was put behind another one.",
    _REBUILD,
)
QUOTED = _error(
    "AUTH-QUOTED",
    "Quotes are part of the header's value",
    "Quotation marks stand inside the value that the exporter reads.",
    "The quoting of a .env file or of JSON travelled along into the value. Python drops such a header; others send "
    "the quotes.",
    _REBUILD,
    refs=(_SPEC,),
)
COLON_SYNTAX = _error(
    "AUTH-COLON-SYNTAX",
    "The header is written in HTTP syntax",
    "The value reads `{seen}: …`; the variable takes `{seen}=…`.",
    "OTEL_EXPORTER_OTLP_HEADERS holds key=value pairs. An exporter drops what has a colon instead, and sends no "
    "credential.",
    _REBUILD,
    refs=(_SPEC,),
)
ENCLOSED = _error(
    "AUTH-ENCLOSED",
    "The variable holds more than the headers",
    "The value is a {seen} with the header inside it.",
    "OTEL_EXPORTER_OTLP_HEADERS takes key=value pairs alone. A whole secret gets in where its key is not named "
    "(in ECS: `valueFrom` without `:KEY::` at its end).",
    _REBUILD,
    refs=(_SPEC,),
)
NAME_MISSING = _error(
    "AUTH-NAME-MISSING",
    "The header's name is missing",
    "The value is {seen}, without `Authorization=` before it.",
    "OTEL_EXPORTER_OTLP_HEADERS holds key=value pairs; a value without a name is dropped.",
    _REBUILD,
    refs=(_SPEC,),
)
NAME_MISSPELT = _error(
    "AUTH-NAME-MISSPELT",
    "The header's name is misspelt",
    "The header is called {seen}, and its value is what belongs into Authorization.",
    "A server reads Authorization alone; a header of another name is passed over, as if no credential were sent.",
    _REBUILD,
    refs=("https://www.rfc-editor.org/rfc/rfc9110#section-11.6.2",),
)
SCHEME_MISSING = _error(
    "AUTH-SCHEME-MISSING",
    "The word Basic is missing",
    "The value of Authorization is base64 without the scheme before it.",
    "A server tells by the first word how to read the rest; without it, it sees no credential that it knows.",
    _REBUILD,
)
NOT_ENCODED = _error(
    "AUTH-NOT-ENCODED",
    "The credential is not base64-encoded",
    "Authorization holds the {seen} in plain text.",
    "The base64 step was skipped.",
    _REBUILD,
)
NOT_BASE64 = _error(
    "AUTH-NOT-BASE64",
    "What follows Basic cannot be decoded",
    "What follows Basic in the header is not base64 of text.",
    "The value was cut, or something that is no base64 got into it.",
    _NEW,
)
BASE64_VARIANT = _error(
    "AUTH-BASE64-VARIANT",
    "The base64 is of a variant that servers refuse",
    "What follows Basic decodes, but {seen}.",
    "Basic authentication takes the standard alphabet with its padding; many servers, those in Go among them, refuse "
    "all else. A double click that stops at = drops the padding.",
    _REBUILD,
    refs=("https://www.rfc-editor.org/rfc/rfc4648#section-3.2",),
)
HALF_MISSING = _error(
    "AUTH-HALF-MISSING",
    "The credential has only one half",
    "The decoded value holds {seen} alone; the gateway wants instanceID:token.",
    "Only one of the two was encoded.",
    Step("Build the header from both.", "{renew_command}"),
)
ENCODED_TWICE = _error(
    "AUTH-DOUBLE-ENCODED",
    "The credential is encoded twice",
    "Decoding once gives {seen} again, not instanceID:token.",
    "The value was encoded already when it was encoded.",
    _REBUILD,
    refs=("https://github.com/open-telemetry/opentelemetry-python/issues/4492",),
)
SCHEME = _error(
    "AUTH-SCHEME",
    "The scheme is not the Basic that the gateway wants",
    "Authorization reads {scheme} …; Grafana Cloud's OTLP gateway takes Basic with instanceID:token.",
    "A bare token does not tell the gateway which stack it is for.",
    Step("Build the header from the instance ID and the same token.", "{renew_command}"),
)
TOKEN_KIND = _error(
    "AUTH-TOKEN-KIND",
    "The token is of the wrong kind",
    "The token is a {kind}; the gateway takes an access policy token, which begins with glc_.",
    "Service account tokens and API keys belong to the Grafana instance, not to Grafana Cloud's gateways.",
    Step(
        "Make a token under an access policy with traces:write (and metrics:write, logs:write), then encode it.",
        "{renew_command}",
    ),
    refs=(_POLICY,),
)
TOKEN_WHOLE = _error(
    "AUTH-TOKEN-WHOLE",
    "The token's place holds the whole credential",
    "What stands in {where} is instance ID and token, as a pair or as a header, not the token alone.",
    "The finished header, or the pair, was kept where only the token belongs.",
    Step("Print the header that it holds.", "{mend_command}"),
)
TOKEN_AS_ENDPOINT = _error(
    "AUTH-TOKEN-AS-ENDPOINT",
    "A credential stands in the endpoint's place",
    "What was given as the endpoint is a credential ({kind}), not a URL.",
    "Endpoint and token were taken for each other. Nothing was sent.",
    Step(
        "Give the URL of the stack's OpenTelemetry page as the endpoint, and the token by GRAFANA_API_TOKEN or "
        "--token-file; an argument stays in the shell's history, so replace a token that was one."
    ),
)
URL_AS_HEADER = _error(
    "AUTH-URL-AS-HEADER",
    "A URL stands in the header's place",
    "What was given as the header is a URL, and no credential.",
    "Endpoint and headers were taken for each other, or the endpoint was put under both names.",
    Step("Make the header for its place, and see that the other one holds the URL.", "{renew_command}"),
    refs=(_SPEC,),
)
TOKEN_TRUNCATED = _error(
    "AUTH-TOKEN-TRUNCATED",
    "The token is incomplete",
    "The token begins with glc_, but what follows ({length} characters) does not decode to what such a token holds.",
    "It was cut when it was copied: a double click stops at a hyphen or at the end of a line.",
    _NEW,
)
EMPTY = _error(
    "AUTH-TOKEN-EMPTY",
    "The token is empty",
    "There is no token in {where}.",
    "A variable was not set, a file was empty, or a substitution gave nothing.",
    Step("Give the token at the prompt, which does not show it.", "{renew_command}"),
)
ID_NOT_NUMERIC = _error(
    "AUTH-ID-NOT-NUMERIC",
    "The instance ID is not a number",
    "The user part is {seen}; the OTLP gateway's user is the stack's numeric instance ID.",
    "The stack's slug, an e-mail address, a user name or a URL was taken in its place, or a variable for it was empty.",
    Step("Take the instance ID from the stack's OpenTelemetry page, then encode anew.", "{renew_command}"),
)
ID_WRONG_PRODUCT = _error(
    "AUTH-ID-WRONG-PRODUCT",
    "The instance ID is another product's",
    "The server does not know instance ID {instance_id} with this token here, and takes the pair for {works}.",
    "Tempo, Loki and Prometheus have user IDs of their own on the stack's pages; OTLP takes the stack's ID.",
    Step("Compare with the ID on the stack's OpenTelemetry page, then encode anew.", "{renew_command}"),
)
REGION = Diagnosis(
    "AUTH-REGION",
    "The token and the endpoint name different regions",
    Severity.WARNING,
    "The token says region {region}, the endpoint zone {zone}.",
    "A token is good for the stacks of its own region. Older stacks have hosts whose zone is named otherwise, so this "
    "alone proves nothing.",
    (
        Step(
            "Copy the endpoint of the stack that the token belongs to, then check it.",
            "otelctl check-endpoint https://otlp-gateway-{region}.grafana.net/otlp",
        ),
    ),
    (_DOC,),
)
PLACEHOLDER = _error(
    "AUTH-PLACEHOLDER",
    "The credential is a placeholder",
    "What stands in {where} is an example, or a variable or command that nothing expanded; it is no credential.",
    "A line from a guide was copied and its value never replaced, or `$NAME` or `$(command)` was written where nothing "
    "expands it: in single quotes, in a .env file, or in a manifest.",
    _NEW,
)
INVALID = _error(
    "AUTH-INVALID",
    "The gateway does not know this ID with this token",
    "The server answered {status}: {text}.",
    "The pair was read but is not known together: the token is of another stack or was revoked, or the ID is that of "
    "Tempo, Loki or Prometheus instead of the stack's own.",
    Step(
        "Take ID and token from the OpenTelemetry page of one and the same stack, and encode them anew.",
        "{renew_command}",
    ),
)
LEGACY = _error(
    "AUTH-LEGACY",
    "The gateway took the credential for a legacy one",
    "The server answered {status}: {text}.",
    "Grafana's gateway says this of a bare token without an instance ID, and of tokens that are no access policy "
    "tokens.",
    Step("See what the header holds.", "otelctl inspect-auth"),
    Step("Build it from the instance ID and a glc_ token.", "{renew_command}"),
)
SCOPE = _error(
    "AUTH-SCOPE",
    "The token lacks the scope for this signal",
    "The server answered {status}: {text}. Sending {signal} needs {signal}:write.",
    "The access policy of the token does not grant it. The pair itself is right.",
    Step(
        "Add the scope {signal}:write to the access policy; the token stays the same. Then check again.",
        "otelctl check-endpoint {url} --signal {signal}",
    ),
    refs=(_POLICY,),
)
FORBIDDEN = _error(
    "AUTH-FORBIDDEN",
    "The server forbids the request",
    "{host} answered {status}: {text}.",
    "The request is not allowed here, for a reason that the server knows: a scope that the token lacks, an access "
    "policy that allows only some networks, or a filter before the receiver.",
    Step(
        "See the access policy's scopes ({signal}:write) and its allowed networks, then check again.",
        "otelctl check-endpoint {url}",
    ),
    refs=(_POLICY,),
)
REFUSED = _error(
    "AUTH-REFUSED",
    "The server refuses the credential",
    "{host} answered {status}: {text}.",
    "A credential was sent and the server does not take it. The scheme that it asks for: {scheme}. Its answer is none "
    "of Grafana Cloud's gateway, so it may want a user and password, or a token, of its own.",
    Step("See what is sent, and compare with the receiver's own configuration.", "otelctl inspect-auth"),
)
BEHIND = _error(
    "AUTH-BEHIND",
    "The backend behind the receiver refuses it",
    "{host} answered {status} to a span: {text}.",
    "A Collector passes its backend's refusal on as its own. It took the request from here, so the credential that is "
    "refused is the one that its exporter sends on.",
    Step("Mend the credential in the exporter of the Collector, then send again.", "otelctl send-test-span {url}"),
    refs=("https://opentelemetry.io/docs/specs/otlp/#failures-1",),
)
SWAPPED = Diagnosis(
    "AUTH-SWAPPED",
    "Token and instance ID stood in each other's place",
    Severity.NOTICE,
    "The token was given as the instance ID and the other way round.",
    "Each is told by its form: the instance ID is a number, a token begins with glc_.",
    (Step("Give the number first.", "otelctl encode-auth {instance_id}"),),
    (_DOC,),
)
STRIPPED = Diagnosis(
    "AUTH-STRIPPED",
    "Stray characters stood around the credential",
    Severity.NOTICE,
    "White space, quotes or a line break around {what} were left out.",
    "They came along when it was copied.",
    (),
)

ROWS = (
    REVERSED,
    NONE_CONFIGURED,
    NONE_SENT,
    SERVER_WANTS_CREDENTIAL,
    VALUE_MISSING,
    PERCENT_ENCODED,
    PERCENT_FORM,
    SPACE_DROPPED,
    LINE_WRAPPED,
    TRAILING_NEWLINE,
    STRAY_SPACE,
    ODD_SPACE,
    PREFIX_TWICE,
    QUOTED,
    COLON_SYNTAX,
    ENCLOSED,
    NAME_MISSING,
    NAME_MISSPELT,
    SCHEME_MISSING,
    NOT_ENCODED,
    NOT_BASE64,
    BASE64_VARIANT,
    HALF_MISSING,
    ENCODED_TWICE,
    SCHEME,
    TOKEN_KIND,
    TOKEN_WHOLE,
    TOKEN_AS_ENDPOINT,
    URL_AS_HEADER,
    TOKEN_TRUNCATED,
    EMPTY,
    ID_NOT_NUMERIC,
    ID_WRONG_PRODUCT,
    REGION,
    PLACEHOLDER,
    INVALID,
    LEGACY,
    SCOPE,
    FORBIDDEN,
    REFUSED,
    BEHIND,
    SWAPPED,
    STRIPPED,
)
