"""What goes wrong on the wire: names, connections, proxies, TLS, and answers that are not HTTP."""

from __future__ import annotations

from otelctl.model import Diagnosis, Severity, Step

_OTLP_PORTS = "https://opentelemetry.io/docs/specs/otlp/#otlphttp-default-port"
_EXPORTER_SPEC = "https://opentelemetry.io/docs/specs/otel/protocol/exporter/"
_GRAFANA_OTLP = "https://grafana.com/docs/grafana-cloud/send-data/otlp/send-data-otlp/"

_AGAIN = Step("Check again.", "otelctl check-endpoint {url}")
_LONGER = Step("Allow more time, to tell slow from dead.", "otelctl check-endpoint {url} --timeout 60")
_SHOW_CERTIFICATES = Step(
    "See the certificates for yourself.",
    "openssl s_client -connect {address} -servername {host} -showcerts </dev/null",
)

# Names and connections

DNS = Diagnosis(
    code="NET-DNS",
    title="The endpoint's host name does not exist",
    severity=Severity.ERROR,
    summary="{host}: {text}",
    cause="No name server that this machine asks knows the name. It is mistyped, or it exists only inside a VPN, a "
    "VPC, a cluster or a Compose network that this machine is not in.",
    fix=(
        Step("Compare the host with the one where you copied it: for Grafana Cloud, the stack's OpenTelemetry page."),
        Step("Look the name up yourself, on the machine or in the container that exports.", "getent hosts {host}"),
        _AGAIN,
    ),
    references=(_GRAFANA_OTLP,),
)

DNS_RESOLVER = Diagnosis(
    code="NET-DNS-RESOLVER",
    title="No name server answers",
    severity=Severity.ERROR,
    summary="Looking up {host} gave nothing after {seconds} s: {text}",
    cause="The name server of this machine cannot be reached or fails. That says nothing about the endpoint: every "
    "other name would fail too. Usual reasons: no network, a VPN that is down, a container without DNS.",
    fix=(
        Step("See whether any name resolves.", "getent hosts opentelemetry.io"),
        Step("Look at which name servers are set.", "cat /etc/resolv.conf"),
        _AGAIN,
    ),
)

REFUSED = Diagnosis(
    code="NET-REFUSED",
    title="Nothing listens on the endpoint's port",
    severity=Severity.ERROR,
    summary="{address} refused the connection ({text}).",
    cause="The machine is there and no program listens on that port, or listens on another address of it only; a "
    "firewall can refuse in its name. Inside a container, localhost is the container itself, not its host.",
    fix=(
        Step("See what listens, on the machine that should receive.", "ss -ltn"),
        Step("Compare the port: OTLP over HTTP is 4318, over gRPC 4317, Grafana Cloud's gateway 443."),
        _AGAIN,
    ),
    references=(_OTLP_PORTS,),
)

UNREACHABLE = Diagnosis(
    code="NET-UNREACHABLE",
    title="There is no way to the endpoint's network",
    severity=Severity.ERROR,
    summary="{address}: {text}",
    cause="This machine has no route there, or its own firewall forbids it: no network, a VPN that is down, or a "
    "subnet without a way out.",
    fix=(
        Step("Look for a route that covers the address.", "ip route"),
        _AGAIN,
    ),
)

TIMEOUT = Diagnosis(
    code="NET-TIMEOUT",
    title="The endpoint does not answer a connection",
    severity=Severity.ERROR,
    summary="{address} did not answer within {seconds} s ({text}).",
    cause="The packets vanish on the way, there or back. That is how a firewall, a security group or a network "
    "without a way out behaves; where only a proxy may go out, it is how going without it looks.",
    fix=(
        _LONGER,
        Step("Allow this machine to reach {address} by TCP: security group, network ACL, egress rules."),
        Step("If a proxy is the way out here, name it in HTTPS_PROXY (for an http:// endpoint in HTTP_PROXY)."),
    ),
)

TIMEOUT_TLS = Diagnosis(
    code="NET-TIMEOUT-TLS",
    title="The endpoint does not answer the TLS handshake",
    severity=Severity.ERROR,
    summary="{address} accepted the connection and was silent for {seconds} s when spoken to by TLS.",
    cause="Either the port does not speak TLS and waits for something else, or something on the way drops the larger "
    "packets of a handshake (a tunnel's MTU), or the server is overloaded.",
    fix=(
        Step("See whether the port speaks plain HTTP. This sends no credential.", "curl -sv {mended}"),
        _LONGER,
    ),
)

TIMEOUT_ANSWER = Diagnosis(
    code="NET-TIMEOUT-ANSWER",
    title="The endpoint takes the request and does not answer it",
    severity=Severity.ERROR,
    summary="The request went to {address}, and after {seconds} s there was {what}.",
    cause="The connection works, so it is the server: overloaded, waiting for a backend of its own, or speaking "
    "another protocol than HTTP and waiting for more.",
    fix=(
        _LONGER,
        Step("If this is your Collector, see whether its queue is full or its backend slow: its log says so."),
    ),
)

TIMEOUT_BODY = Diagnosis(
    code="NET-TIMEOUT-BODY",
    title="The endpoint's answer trickles and does not end",
    severity=Severity.ERROR,
    summary="It began with HTTP {status}; of its body {size} bytes came in {seconds} s, and then time was up.",
    cause="The server, or a proxy before it, stalls in the middle of its answer. An exporter would count the export as "
    "failed, or wait as long.",
    fix=(
        _LONGER,
        Step("See whether it stalls without us, too. This sends no credential.", "curl -sv -m 30 {url}"),
    ),
)

RESET = Diagnosis(
    code="NET-RESET",
    title="The endpoint hangs up instead of answering",
    severity=Severity.ERROR,
    summary="{address} took the connection and closed it {when} ({text}).",
    cause="A server that does not understand what it is sent often does this: a port that expects TLS, or speaks gRPC "
    "or something else. Otherwise it is a proxy, a firewall or a server that restarts.",
    fix=(
        Step("Try what may be meant instead: https:// for http://, or port 4318.", "otelctl check-endpoint {mended}"),
        Step("Compare the port: OTLP over HTTP is 4318, over gRPC 4317, Grafana Cloud's gateway 443."),
        _AGAIN,
    ),
    references=(_OTLP_PORTS,),
)

RESET_TLS = Diagnosis(
    code="NET-RESET-TLS",
    title="The endpoint hangs up during the TLS handshake",
    severity=Severity.ERROR,
    summary="{address} took the connection and closed it in the handshake ({text}).",
    cause="Either the port does not speak TLS, or a firewall cuts connections to this host name, or the server has no "
    "certificate for the name {host}.",
    fix=(
        Step("See whether the port speaks plain HTTP. This sends no credential.", "curl -sv {mended}"),
        _SHOW_CERTIFICATES,
    ),
)

ANSWER_CUT = Diagnosis(
    code="NET-ANSWER-CUT",
    title="The endpoint's answer stops in the middle",
    severity=Severity.ERROR,
    summary="It began with HTTP {status}, announced more, and the connection ended after {size} bytes of body.",
    cause="The server crashed or restarted while it answered, or a proxy between cut the connection.",
    fix=(
        _AGAIN,
        Step("If it happens again, look into the log of the server or proxy at {address}."),
    ),
)

FAILED = Diagnosis(
    code="NET-FAILED",
    title="This machine could not make the connection",
    severity=Severity.UNKNOWN,
    summary="At the stage {stage}: {text}",
    cause="The operating system refused for a reason of its own, which tells nothing about the endpoint.",
    fix=(_AGAIN,),
)

# TLS

TLS_UNTRUSTED = Diagnosis(
    code="NET-TLS-UNTRUSTED",
    title="The certificate's issuer is not trusted here",
    severity=Severity.ERROR,
    summary="{text}. The certificate of {holder} was issued by {issuer}.",
    cause="The issuer is not among the authorities that this check trusts: it is a private one, the certificate signs "
    "itself, or the server leaves out the intermediate certificates.",
    fix=(
        Step(
            "Get the issuer's certificate (a PEM file) from those who run the endpoint; name it by --ca-file here, and "
            "by OTEL_EXPORTER_OTLP_CERTIFICATE for the exporter."
        ),
        _SHOW_CERTIFICATES,
    ),
    references=(_EXPORTER_SPEC,),
)

TLS_INTERCEPTED = Diagnosis(
    code="NET-TLS-INTERCEPTED",
    title="Something in between opens the TLS connection",
    severity=Severity.ERROR,
    summary="{host} showed a certificate issued by {issuer}, which is no public authority.",
    cause="Grafana Cloud's certificates come from public authorities. A company's proxy or a security program that "
    "inspects TLS puts its own in their place; browsers here may trust it, Python and containers do not know it.",
    fix=(
        Step(
            "Get that authority's certificate (a PEM file) from your IT; name it by --ca-file here, and by "
            "OTEL_EXPORTER_OTLP_CERTIFICATE for the exporter."
        ),
        Step("Or have {host} excepted from inspection: the one who inspects can read the credential."),
        _SHOW_CERTIFICATES,
    ),
    references=(_EXPORTER_SPEC,),
)

TLS_NO_ROOTS = Diagnosis(
    code="NET-TLS-NO-ROOTS",
    title="This machine lacks the public certificate authorities",
    severity=Severity.ERROR,
    summary="{text}. The certificate of {holder} was issued by {issuer}, a public authority.",
    cause="Slim images come without the list of authorities, an old system with an old one, and a CA file that was "
    "named for the exporter replaces the list. Rarely, the server leaves out an intermediate certificate.",
    fix=(
        Step("Install the list: Debian and Ubuntu.", "apt-get update && apt-get install -y ca-certificates"),
        Step("Take away a CA file that is not meant for this endpoint.", "unset OTEL_EXPORTER_OTLP_CERTIFICATE"),
        _SHOW_CERTIFICATES,
    ),
)

TLS_HOSTNAME = Diagnosis(
    code="NET-TLS-HOSTNAME",
    title="The endpoint's certificate is for another name",
    severity=Severity.ERROR,
    summary="The endpoint says {host}; the certificate is for {names}.",
    cause="The endpoint goes by an alias, an address or an internal name that the certificate does not list, or the "
    "name leads to another server than the one that is meant.",
    fix=(
        Step("Use a name of the certificate in the endpoint.", "{mend_command}"),
        Step("Or have {host} added to the certificate's subject alternative names."),
    ),
)

TLS_EXPIRED = Diagnosis(
    code="NET-TLS-EXPIRED",
    title="The endpoint's certificate has expired",
    severity=Severity.ERROR,
    summary="The certificate of {holder} was valid until {ends}; it was issued by {issuer}.",
    cause="Nobody renewed it, or the server was not told to load the new one. A clock far ahead on this machine looks "
    "the same.",
    fix=(
        Step("Renew the certificate, and reload the server at {address}."),
        Step("Make sure that this machine's clock is right.", "date -u"),
        _AGAIN,
    ),
)

TLS_NOT_YET_VALID = Diagnosis(
    code="NET-TLS-NOT-YET-VALID",
    title="The endpoint's certificate is not valid yet",
    severity=Severity.ERROR,
    summary="The certificate of {holder} is valid from {begins}; it was issued by {issuer}.",
    cause="This machine's clock is behind, as after a suspend or in a fresh virtual machine, or the certificate was "
    "made for later.",
    fix=(
        Step("Make sure that this machine's clock is right.", "date -u"),
        _AGAIN,
    ),
)

TLS_CLIENT_CERT = Diagnosis(
    code="NET-TLS-CLIENT-CERT",
    title="The endpoint wants a client certificate",
    severity=Severity.ERROR,
    summary="{address}: {text}",
    cause="The receiver identifies its clients by certificate (mutual TLS). Grafana Cloud's gateway never does; a "
    "Collector with `client_ca_file`, or a proxy before it, does.",
    fix=(
        Step(
            "Name the certificate and the key that you were given for it by --client-cert and --client-key here, and "
            "by OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY for the exporter."
        ),
        _SHOW_CERTIFICATES,
    ),
    references=(_EXPORTER_SPEC,),
)

TLS_CLIENT_CERT_REFUSED = Diagnosis(
    code="NET-TLS-CLIENT-CERT-REFUSED",
    title="The endpoint refuses the client certificate",
    severity=Severity.ERROR,
    summary="{address}: {text}",
    cause="The certificate was shown and not accepted: another authority issued it than the one the receiver trusts, "
    "it has expired or was revoked, or it is not made for clients.",
    fix=(
        Step(
            "See who issued the certificate, and until when it is valid (openssl x509 -noout -issuer -dates); compare "
            "the issuer with the authority that the receiver trusts (a Collector's `client_ca_file`)."
        ),
        _AGAIN,
    ),
)

TLS_FAILED = Diagnosis(
    code="NET-TLS-FAILED",
    title="The TLS handshake fails",
    severity=Severity.ERROR,
    summary="{address}: {text}",
    cause="The two sides agree on no version or cipher, or one of them refuses the other's certificate chain for a "
    "rarer reason; the text is OpenSSL's.",
    fix=(
        _SHOW_CERTIFICATES,
        _AGAIN,
    ),
)

CERT_FILE = Diagnosis(
    code="NET-CERT-FILE",
    title="A certificate file on this machine cannot be used",
    severity=Severity.ERROR,
    summary="{file}: {text}",
    cause="The file is not there, may not be read, or holds something else than PEM (BEGIN CERTIFICATE, BEGIN PRIVATE "
    "KEY) that belongs together. An exporter with the same setting fails as well, some of them in silence.",
    fix=(
        Step("Look at the file.", "ls -l {file}"),
        Step("Read it as a certificate.", "openssl x509 -in {file} -noout -subject -issuer -dates"),
    ),
    references=(_EXPORTER_SPEC,),
)

# Another protocol than expected

TLS_ON_PLAIN = Diagnosis(
    code="NET-TLS-ON-PLAIN",
    title="https:// to a port that does not speak TLS",
    severity=Severity.ERROR,
    summary="{address} answered the TLS handshake with {spoken} (OpenSSL calls it WRONG_VERSION_NUMBER).",
    cause="The scheme of the endpoint says TLS, and the server on this port speaks without.",
    fix=(
        Step(
            "Without TLS, where nobody can listen in (this machine, a cluster's network).",
            "otelctl check-endpoint {mended}",
        ),
        Step("Anywhere else use the server's TLS port, or put TLS before it: the credential travels in the clear."),
    ),
    references=(_OTLP_PORTS,),
)

PLAIN_ON_TLS = Diagnosis(
    code="NET-PLAIN-ON-TLS",
    title="http:// to a port that speaks TLS",
    severity=Severity.ERROR,
    summary="{address} answered the plain HTTP request with {spoken}.",
    cause="The scheme of the endpoint says no TLS, and the server on this port speaks nothing else. Where this comes "
    "as a status 400, it does not mean that the endpoint was reached and the credential accepted.",
    fix=(Step("Use https://.", "otelctl check-endpoint {mended}"),),
)

HTTP_ON_GRPC_PORT = Diagnosis(
    code="NET-HTTP-ON-GRPC-PORT",
    title="OTLP over HTTP to a port that speaks gRPC",
    severity=Severity.ERROR,
    summary="{address} answered HTTP/1.1 with {spoken}.",
    cause="gRPC is HTTP/2 from the first byte. OTLP's port for it is 4317, the one for HTTP is 4318.",
    fix=(
        Step("Use the HTTP port.", "otelctl check-endpoint {mended}"),
        Step("Or keep the port, and have the exporter speak gRPC.", "export OTEL_EXPORTER_OTLP_PROTOCOL=grpc"),
    ),
    references=(_OTLP_PORTS,),
)

GRPC_ON_HTTP_PORT = Diagnosis(
    code="NET-GRPC-ON-HTTP-PORT",
    title="OTLP over gRPC to a port that speaks HTTP",
    severity=Severity.ERROR,
    summary="{address} answered gRPC with {spoken}.",
    cause="An HTTP server listens here, or a proxy that passes no gRPC on. Exporters report `Trying to connect an "
    "http1.x server`, `frame too large` or UNIMPLEMENTED. OTLP's port for gRPC is 4317, the one for HTTP is 4318.",
    fix=(
        Step("Have the exporter speak HTTP.", "{mend_command}"),
        Step("Or keep gRPC, and use its port.", "otelctl check-endpoint {mended} --protocol grpc"),
    ),
    references=(_OTLP_PORTS,),
)

ALPN = Diagnosis(
    code="NET-ALPN",
    title="TLS works, and HTTP/2 is not agreed on",
    severity=Severity.ERROR,
    summary="{address} was offered h2 in the TLS handshake and chose {chosen}.",
    cause="gRPC needs HTTP/2, and gRPC clients end such a connection (`missing selected ALPN property`). Either the "
    "server speaks HTTP/1 alone, as Grafana Cloud's gateway does, or a load balancer or a proxy that opens TLS stands "
    "before it: the certificate shows whose it is ({issuer}).",
    fix=(
        Step("Have the exporter speak HTTP.", "{mend_command}"),
        Step(
            "See who answers, and what is chosen.",
            "openssl s_client -connect {address} -servername {host} -alpn h2 </dev/null",
        ),
        Step("If it is your proxy or load balancer, turn HTTP/2 on in it, or go around it."),
    ),
    references=("https://www.rfc-editor.org/rfc/rfc9113#name-starting-http-2-for-https-u",),
)

NOT_HTTP = Diagnosis(
    code="NET-NOT-HTTP",
    title="What answers at the endpoint is not an HTTP server",
    severity=Severity.ERROR,
    summary="{address} said `{first}`: {spoken}.",
    cause="The endpoint's port belongs to another service.",
    fix=(
        Step("Compare the port: OTLP over HTTP is 4318, over gRPC 4317, Grafana Cloud's gateway 443."),
        Step("See which program listens there, on the machine that should receive.", "ss -ltnp"),
    ),
    references=(_OTLP_PORTS,),
)

BAD_ANSWER = Diagnosis(
    code="NET-BAD-ANSWER",
    title="The endpoint's answer breaks the rules of HTTP",
    severity=Severity.ERROR,
    summary="{address}: {text}",
    cause="The server, or a proxy before it, is faulty, or is not meant for HTTP clients. What it thinks of the "
    "request cannot be told.",
    fix=(
        Step("See the answer for yourself. This sends no credential.", "curl -sv -m 10 {url}"),
        Step("Go around proxies and load balancers, one after the other, to find who breaks it."),
    ),
    references=("https://www.rfc-editor.org/rfc/rfc9112",),
)

BAD_REQUEST = Diagnosis(
    code="NET-BAD-REQUEST",
    title="The request cannot be sent over HTTP",
    severity=Severity.ERROR,
    summary="{text}. Nothing was sent.",
    cause="A line break, a control character or a space at the edge of a value got into a header or the path, often "
    "by `echo` without -n, or by base64 that wraps its lines.",
    fix=(
        Step("See what the credential holds.", "otelctl inspect-auth"),
        Step("Make it anew.", "otelctl encode-auth"),
    ),
)

# Proxies

PROXY_UNREACHABLE = Diagnosis(
    code="NET-PROXY-UNREACHABLE",
    title="The proxy cannot be reached",
    severity=Severity.ERROR,
    summary="{proxy}, named by {source}: {text} (after {seconds} s)",
    cause="The way to {host} leads through this proxy, and it does not answer: a wrong name or port, a VPN that is "
    "down, or a setting left over from another network.",
    fix=(
        Step("Mend {source}, or go without it for this host.", 'export NO_PROXY="$NO_PROXY,"{host}'),
        _AGAIN,
    ),
)

PROXY_AUTH = Diagnosis(
    code="NET-PROXY-AUTH",
    title="The proxy wants a user and a password",
    severity=Severity.ERROR,
    summary="{proxy}, named by {source}, answered 407: {text}",
    cause="The proxy lets out only who it knows. Exporters can name themselves by Basic only; where it asks for NTLM "
    "or Negotiate, a helper such as cntlm or px has to stand between.",
    fix=(
        Step(
            "Put user and password into the proxy's URL, percent-encoded.",
            'export {variable}="http://$PROXY_USER:$PROXY_PASSWORD@"{proxy}',
        ),
        Step("Or have {host} reached without the proxy.", 'export NO_PROXY="$NO_PROXY,"{host}'),
        _AGAIN,
    ),
)

PROXY_REFUSED = Diagnosis(
    code="NET-PROXY-REFUSED",
    title="The proxy refuses the way to the endpoint",
    severity=Severity.ERROR,
    summary="{proxy}, named by {source}, answered: {text}",
    cause="The proxy was reached and would not, or could not, connect to {address}: its rules forbid the host or the "
    "port (many allow 443 alone), or it cannot resolve or reach it.",
    fix=(
        Step("Ask those who run the proxy to allow CONNECT to {address}."),
        Step("If the endpoint is inside your network, go without the proxy.", 'export NO_PROXY="$NO_PROXY,"{host}'),
        _AGAIN,
    ),
)

PROXY_BROKEN = Diagnosis(
    code="NET-PROXY-BROKEN",
    title="What is set as a proxy does not behave as one",
    severity=Severity.ERROR,
    summary="{proxy}, named by {source}: {text}",
    cause="It was reached, and did not answer as an HTTP proxy does: another service's port, a SOCKS proxy, or "
    "`https://` in the setting for a proxy that speaks without TLS (most do).",
    fix=(
        Step("Mend {source}: nearly every proxy is http://host:port, for https:// endpoints too."),
        Step("Or go without it for this host.", 'export NO_PROXY="$NO_PROXY,"{host}'),
        _AGAIN,
    ),
)

PROXY_KIND = Diagnosis(
    code="NET-PROXY-KIND",
    title="otelctl cannot go through this kind of proxy",
    severity=Severity.UNKNOWN,
    summary="{source} names a proxy that is not http:// or https:// with a host ({text}).",
    cause="otelctl knows HTTP proxies. Some exporters can use SOCKS, most cannot: that the check stops here is neither "
    "good nor bad news for them.",
    fix=(
        Step("If {host} can be reached directly, say so.", 'export NO_PROXY="$NO_PROXY,"{host}'),
        Step("Or name an HTTP proxy in {source}."),
    ),
)

PROXY_LOOPBACK = Diagnosis(
    code="NET-PROXY-LOOPBACK",
    title="Requests to this machine itself go through a proxy",
    severity=Severity.WARNING,
    summary="{host} is this machine, and the way to it leads through {proxy}.",
    cause="NO_PROXY does not except it. To the proxy, localhost is the proxy's own machine, so it answers with an "
    "error or with something else; Python's exporters do the same as this check, Go's skip the proxy here.",
    fix=(
        Step("Except this machine.", 'export NO_PROXY="$NO_PROXY,localhost,127.0.0.1,::1"'),
        _AGAIN,
    ),
)

# Time

CLOCK = Diagnosis(
    code="NET-CLOCK",
    title="This machine's clock and the server's disagree",
    severity=Severity.WARNING,
    summary="This machine is {apart} {direction} the server (here {here}, there {there}).",
    cause="Spans carry this machine's time. With a wrong clock they land outside the window that you search, AWS "
    "refuses signatures, and certificates seem expired. (The server's clock can be the wrong one, too.)",
    fix=(
        Step("See whether the clock is kept right.", "timedatectl status"),
        Step("Turn synchronisation on.", "sudo timedatectl set-ntp true"),
        Step("In Docker Desktop or WSL the clock can stop in suspend: restart it."),
    ),
)

ROWS = (
    DNS,
    DNS_RESOLVER,
    REFUSED,
    UNREACHABLE,
    TIMEOUT,
    TIMEOUT_TLS,
    TIMEOUT_ANSWER,
    TIMEOUT_BODY,
    RESET,
    RESET_TLS,
    ANSWER_CUT,
    FAILED,
    TLS_UNTRUSTED,
    TLS_INTERCEPTED,
    TLS_NO_ROOTS,
    TLS_HOSTNAME,
    TLS_EXPIRED,
    TLS_NOT_YET_VALID,
    TLS_CLIENT_CERT,
    TLS_CLIENT_CERT_REFUSED,
    TLS_FAILED,
    CERT_FILE,
    TLS_ON_PLAIN,
    PLAIN_ON_TLS,
    HTTP_ON_GRPC_PORT,
    GRPC_ON_HTTP_PORT,
    ALPN,
    NOT_HTTP,
    BAD_ANSWER,
    BAD_REQUEST,
    PROXY_UNREACHABLE,
    PROXY_AUTH,
    PROXY_REFUSED,
    PROXY_BROKEN,
    PROXY_KIND,
    PROXY_LOOPBACK,
    CLOCK,
)
