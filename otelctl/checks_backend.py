"""The ordered table of checks of a trace in its backend: from the backend's URL to every span that was sent.

The way to the host is that of every request: those rows are the ones of `checks`. What follows asks the query API, and
asks again until the trace is whole or the time is over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from otelctl import __version__, backend, otlp
from otelctl.backend import Backend, Found, Reading
from otelctl.checks.run import Run, Target
from otelctl.checks.table import table as table_of_endpoint
from otelctl.credential import Header, read_header
from otelctl.diagnose import backend as judge
from otelctl.diagnose import network as network_judge
from otelctl.diagnose.backend import Question, Reply
from otelctl.endpoint import EndpointError, parse
from otelctl.engine import Check, Outcome
from otelctl.facts.wire import Fault, FaultKind, HttpAnswer, HttpRequest
from otelctl.model import Finding
from otelctl.ports import World
from otelctl.secret import Redactor, Secret
from otelctl.settings import Protocol, Setting, Signal, Source, SourceKind, TlsOptions

_TEXT = 160
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 5.0


@dataclass(frozen=True, slots=True)
class Quest:
    """One trace to look for in one backend.

    `sent` are the ids of the spans that were accepted, where they are known, and `since` the monotonic time at which
    that was. `within` bounds the asking, `timeout` each stage of a connection, in seconds.
    """

    backend: Backend
    url: Setting[str]
    headers: Setting[Secret] | None
    tenant: str | None
    trace_id: str
    within: float
    timeout: float = 10.0
    tls: TlsOptions = TlsOptions()  # noqa: RUF009 - frozen, so one for all does no harm
    sent: frozenset[str] = frozenset()
    since: float | None = None


@dataclass(slots=True)
class Search:
    """A search as it goes: the way to the backend, and what its answers so far have told.

    `path` is the one that answers, once it is known. `visible` is the monotonic time at which all was there.
    """

    quest: Quest
    way: Run
    started: float
    paths: tuple[str, ...] = ()
    reading: Reading = field(default_factory=lambda: Reading(Found.OTHER))
    reply: Reply | None = None
    settled: bool = False
    asked: int = 0
    visible: float | None = None

    @property
    def question(self) -> Question:
        """What is asked of whom, for a judge."""
        quest = self.quest
        return Question(
            quest.backend,
            self.way.url if self.way.endpoint else _shown(quest.url.value),
            str(quest.url.source),
            quest.trace_id,
            after_sending=quest.since is not None,
            credential=quest.headers is not None,
        )

    @property
    def whole(self) -> bool:
        """Whether nothing is known to be missing: every span that was sent is there, or every parent is."""
        reading = self.reading
        if reading.found is not Found.TRACE:
            return False
        if reading.partial:
            return True  # asking again gives no more than the backend's limit
        if self.quest.sent:
            return self.quest.sent <= reading.span_ids
        return not reading.parents_missing

    @property
    def waited(self) -> float:
        """The seconds since the spans were accepted, or since the search began."""
        since = self.started if self.quest.since is None else self.quest.since
        return (self.way.world.clock.monotonic() if self.visible is None else self.visible) - since

    def close(self) -> None:
        """Close the connection, if one is open."""
        self.way.close()


def begin(world: World, quest: Quest, redact: Redactor) -> Search:
    """Return a search that has asked nothing yet."""
    target = Target(
        endpoint=quest.url,
        headers=quest.headers,
        signals=(Signal.TRACES,),
        protocol=Setting(Protocol.HTTP_JSON.value, Source(SourceKind.DEFAULT, "the query API")),
        tls=quest.tls,
        timeout=quest.timeout,
        deadline=3 * quest.timeout + quest.within,
    )
    return Search(quest, Run(world, target, redact), world.clock.monotonic())


_WAY = {row.id: row.body for row in table_of_endpoint(())}


def _by_the_way(name: str) -> Callable[[Search], Outcome]:
    def body(search: Search) -> Outcome:
        return _WAY[name](search.way)

    return body


def table() -> tuple[Check[Search], ...]:
    """Return the checks of a trace in its backend. Their ids differ from those of an endpoint's, for one report."""
    path = ("backend-url", "backend-credential", "backend-dns", "backend-tcp", "backend-tls")
    return (
        Check("backend-url", "the backend's URL can be asked", (), _url),
        Check("backend-credential", "the credential for reading can be sent", ("backend-url",), _credential),
        Check("backend-dns", "the backend's host name resolves", ("backend-url",), _by_the_way("dns")),
        Check("backend-tcp", "the backend's port takes connections", ("backend-dns",), _by_the_way("tcp")),
        Check("backend-tls", "TLS to the backend is sound", ("backend-tcp",), _by_the_way("tls")),
        Check("query", "the backend answers queries for traces", path, _query),
        Check("trace", "the trace is in the backend", ("query",), _trace),
        Check("whole", "the trace is whole", ("trace",), _whole),
        Check("backend-clock", "this clock agrees with the backend's", ("backend-tls",), _by_the_way("clock")),
    )


def _shown(text: str) -> str:
    return "".join(char for char in text.strip().rpartition("@")[2] if char.isprintable())[:100] or "(empty)"


def _url(search: Search) -> Outcome:
    quest = search.quest
    try:
        endpoint = search.way.endpoint = parse(quest.url.value)
    except EndpointError as error:
        return Outcome(judge.judge_unreadable(search.question, str(error)))
    search.paths = backend.trace_paths(quest.backend, endpoint.path, quest.trace_id)
    return Outcome(judge.judge_url(search.question, endpoint), f"{search.way.url} from {search.way.subject}")


def _credential(search: Search) -> Outcome:
    headers = search.quest.headers
    if headers is None:
        return Outcome(skipped="none is configured")
    header = search.way.header = read_header(headers.value.reveal())
    for secret in (header.token, header.meant, header.wire, *(value for _, value in header.other)):
        if secret is not None:
            search.way.redact.add(secret)
    if _authorization(header) is None and not header.other:
        return Outcome(judge.judge_header(search.question, str(headers.source)))
    return Outcome(detail=str(headers.source))


def _authorization(header: Header) -> Secret | None:
    """Return the value of Authorization: no exporter reads this file, so a colon or a missing name does no harm."""
    return header.wire or (header.meant if header.scheme else None)


def _headers(search: Search) -> tuple[tuple[str, Secret], ...]:
    fields = {"user-agent": Secret(f"otelctl/{__version__}"), "accept": Secret("application/json")}
    header = search.way.header
    if header is not None:
        fields |= {name: value for name, value in header.other if name not in fields}
        authorization = _authorization(header)
        if authorization is not None:
            fields["authorization"] = authorization
    if search.quest.tenant is not None:
        fields["x-scope-orgid"] = Secret(search.quest.tenant)
    return tuple(fields.items())


def _get(search: Search, path: str, keep: int) -> Reply | Fault:
    way = search.way
    assert way.link is not None and way.endpoint is not None  # noqa: S101, PT018  the table has it after `backend-tcp`
    answer = way.link.exchange(HttpRequest("GET", path, _headers(search), b"", keep))
    if isinstance(answer, Fault):
        return answer
    if way.date is None and answer.header("date"):
        way.date = (answer.header("date"), way.world.clock.now())
    body = otlp.read_answer(
        Signal.TRACES, answer.header("content-type"), answer.body[:65_536], truncated=answer.truncated
    )
    text = way.redact(body.message or answer.reason)
    return Reply(way.endpoint.with_path(path).url, answer, body, text[:_TEXT])


def _ask(search: Search) -> Fault | None:
    """Ask once for the trace, and keep the answer and what was read from it.

    An answer that says nothing for sure (a 404 may be the API's or that of a server without it) is followed by the
    older path, and at last by a question that only the API can answer.
    """
    search.asked += 1
    for path in search.paths:
        reply = _get(search, path, backend.LARGEST)
        if isinstance(reply, Fault):
            return reply
        search.reply = reply
        search.reading = _cleaned(search, backend.read(search.quest.backend, search.quest.trace_id, reply.answer))
        if search.reading.found in (Found.TRACE, Found.ABSENT):
            search.settled = True
        if search.reading.found is not Found.SILENT:
            return None
    if not search.settled:
        search.settled = _probe(search, search.quest.backend, _base(search))
    if search.settled:
        search.reading = replace(search.reading, found=Found.ABSENT)
    return None


def _cleaned(search: Search, reading: Reading) -> Reading:
    return replace(reading, text=search.way.redact(reading.text)[:_TEXT])


def _base(search: Search) -> str:
    return search.way.endpoint.path if search.way.endpoint else ""


def _probe(search: Search, kind: Backend, path: str) -> bool:
    reply = _get(search, backend.probe_path(kind, path), 65_536)
    return isinstance(reply, Reply) and backend.is_api(kind, reply.answer)


def _query(search: Search) -> Outcome:
    """Ask for the first time. What passes by itself (limits, a server that comes up) is asked again in time."""
    pauses = _Pauses(search)
    while True:
        fault = _ask(search)
        if fault is not None:
            findings = network_judge.judge_fault(fault, url=search.way.url, subject=search.way.subject)
            if fault.kind is FaultKind.BAD_REQUEST or not pauses.next():
                return Outcome(findings)
            continue
        assert search.reply is not None  # noqa: S101  there was no fault
        findings = _judge_reply(search, search.reply)
        if not findings:
            return Outcome(detail=f"{search.quest.backend}, {search.reply.answer.status}")
        if not judge.transient(search.reply.answer.status) or not pauses.next():
            return Outcome(findings, str(search.reply.answer.status))


def _judge_reply(search: Search, reply: Reply) -> tuple[Finding, ...]:
    way = search.way
    assert way.endpoint is not None  # noqa: S101  the table has it after `backend-url`
    if search.reading.found in (Found.TRACE, Found.ABSENT):
        return ()
    findings = network_judge.judge_answer(reply.answer, url=way.url, subject=way.subject, proxy=way.proxy)
    findings = findings or judge.judge_refusal(search.question, reply)
    if findings:
        return findings
    kind, path = search.quest.backend, way.endpoint.path
    if _may_be_elsewhere(reply.answer):
        candidates = backend.bases_worth_trying(kind, path)
        working = next((one for one in candidates if _probe(search, *one)), None)
        tried = tuple(dict.fromkeys(base or "/" for _, base in candidates))
        return judge.judge_elsewhere(search.question, reply, working, tried, way.endpoint)
    return judge.judge_unread(search.question, reply, search.reading)


def _may_be_elsewhere(answer: HttpAnswer) -> bool:
    """Tell whether an answer looks like that of a server without the API at this path, rather than of the API."""
    if answer.truncated or answer.status == 400:
        return False
    return answer.status in (404, 405) or answer.status < 400


class _Pauses:
    """Pauses that grow, until the time of a search is over."""

    def __init__(self, search: Search) -> None:
        self._clock = search.way.world.clock
        since = self._clock.monotonic() if search.quest.since is None else search.quest.since
        self._end = since + search.quest.within
        self._pause = _FIRST_PAUSE

    def next(self) -> bool:
        """Wait, and return whether there is time for one more question; the last one is asked at the very end."""
        left = self._end - self._clock.monotonic()
        if left <= 0:
            return False
        self._clock.sleep(min(self._pause, left))
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        return True


def _trace(search: Search) -> Outcome:
    """Ask until the trace is whole or the time is over. An answer that fails on the way is passed over."""
    pauses = _Pauses(search)
    best = search.reading
    while not search.whole and pauses.next():
        fault = _ask(search)
        if fault is None and len(search.reading.spans) >= len(best.spans) and search.reading.found is not Found.OTHER:
            best = search.reading
        search.reading = best
    if search.whole:
        search.visible = search.way.world.clock.monotonic()
    findings = judge.judge_presence(search.question, search.reading, search.waited)
    if findings:
        return Outcome(findings, f"asked {search.asked} times")
    return Outcome(detail=f"{backend.describe(search.reading)}, after {search.waited:.1f} s")


def _whole(search: Search) -> Outcome:
    findings = judge.judge_whole(search.question, search.reading, search.quest.sent, search.waited)
    sent = len(search.quest.sent)
    return Outcome(findings, f"all {sent} spans that were sent are there" if sent and not findings else "")
