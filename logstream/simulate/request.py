"""One request walking through the shop: a tree of spans, each with its log lines.

Times inside a request are milliseconds since it began. A caller gives a call a deadline
within its own, so a child always ends inside its parent, time-outs and retries included.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from logstream.model import NANOS_PER_SECOND
from logstream.simulate.incidents import Effect, Incident
from logstream.simulate.journeys import OPERATIONS, Call, Operation, expected_ms
from logstream.simulate.services import LANGUAGES, Fleet, Pod
from logstream.simulate.spans import SpansOfTrace, Tell, exception_event
from logstream.simulate.stack_traces import stack_trace
from logstream.simulate.templates import Template, Templates
from logstream.simulate.vocabulary import Facts

Write = Callable[[int, Pod, str, str, dict[str, Any]], None]

ROOT_DEADLINE_MS = 30_000.0
BEGIN_SHARE = 0.07
NOTE_SHARE = 0.72
ODD_SHARE = 0.078
FINE_NOTE_SHARE = 0.17
SLOW_FACTOR = 4.0
_MARGIN_MS = 2.0
_SPREAD = 0.4
_FINE_SEVERITIES = ("trace", "debug")
_KINDS_WITH_ORDER = frozenset(
    ("checkout", "payment-gateway", "orders", "shipping", "notification", "orders-db")
)
_REASONS = {
    400: "request refused",
    401: "not signed in",
    402: "payment declined by issuer",
    409: "item not available in this quantity",
    429: "too many requests",
    500: "500 Internal Server Error",
    502: "502 Bad Gateway",
    503: "connection refused",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a span ended: its status is an HTTP one, below 400 when all went well."""

    end_ms: float
    status: int


@dataclass(slots=True)
class _Span:
    """What is known while an operation runs."""

    operation: Operation
    pod: Pod
    span_id: str
    parent_id: str
    start_ms: float
    deadline_ms: float
    cursor_ms: float
    status: int = 200
    moment: str = "done"
    peer: str = ""
    attempt: int = 1
    # The caller's client span; `parent_id` is the operation that it is in.
    client_id: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FollowUp:
    """An operation that a message sets off: when, in milliseconds, and the span that sent it."""

    operation_name: str
    after_ms: float
    sent_by: tuple[str, str]


class Request:
    """One trace. `walk` runs it and returns how it ended; `follow_ups` is what it sets off.

    `write` is given its log lines, `tell` its spans, each when it is known how it ended.
    """

    def __init__(
        self,
        *,
        rng: Random,
        fleet: Fleet,
        templates: Templates,
        incidents: Sequence[Incident],
        facts: Facts,
        start_unix_nano: int,
        write: Write,
        tell: Tell,
        sent_by: tuple[str, str] | None = None,
    ) -> None:
        self._rng = rng
        self._fleet = fleet
        self._templates = templates
        self._incidents = incidents
        self._facts = facts
        self._start_unix_nano = start_unix_nano
        self._write = write
        self._trace_id = f"{rng.getrandbits(128):032x}"
        facts["trace"] = self._trace_id
        self._spans = SpansOfTrace(self._trace_id, start_unix_nano, sent_by, tell)
        self.follow_ups: list[FollowUp] = []

    def walk(self, operation_name: str) -> Outcome:
        """Run the operation as the root span, writing every line of the trace."""
        return self._perform(OPERATIONS[operation_name], 0.0, ROOT_DEADLINE_MS, "")

    def _perform(
        self,
        operation: Operation,
        start_ms: float,
        deadline_ms: float,
        parent_id: str,
        client_id: str = "",
    ) -> Outcome:
        rng = self._rng
        span = _Span(
            operation,
            self._fleet.any_pod(operation.service, rng),
            f"{rng.getrandbits(64):016x}",
            parent_id,
            start_ms,
            deadline_ms,
            start_ms,
            client_id=client_id,
        )
        effect = self._effect(operation, start_ms)
        own_ms = self._near(operation.own_ms) * effect.slower
        is_stalled = rng.random() < effect.stall_share
        if is_stalled:
            own_ms += self._near(effect.stall_ms)
        pieces = len(operation.steps) + 1
        fails_after = self._draw_failure(span, effect, pieces)
        for piece in range(pieces):
            span.cursor_ms += own_ms / pieces
            if span.cursor_ms >= deadline_ms:
                span.cursor_ms, span.status = deadline_ms, 504
                span.moment = "stalled"
                break
            if piece == fails_after:
                break
            if piece < len(operation.steps) and not self._step(span, operation.steps[piece]):
                break
        self._write_lines(span)
        if span.status < 400:
            for name, chance in operation.follow_ups:
                if rng.random() < chance:
                    self._publish(span, name)
        self._tell_served(span)
        return Outcome(span.cursor_ms, span.status)

    def _draw_failure(self, span: _Span, effect: Effect, pieces: int) -> int:
        """The piece of work after which the span fails of itself; -1 when it does not."""
        operation, draw = span.operation, self._rng.random()
        if draw < effect.fail_share:
            span.status, span.moment = effect.fail_status, effect.fail_moment
            return 0 if effect.fail_status != 500 else pieces - 1
        draw -= effect.fail_share
        if draw < operation.fail_share:
            span.status, span.moment = 500, "fail"
            return int(self._rng.random() * pieces)
        if draw < operation.fail_share + operation.refuse_share:
            span.status, span.moment = operation.refuse_status, "refused"
            return pieces - 1
        return -1

    def _step(self, span: _Span, step: tuple[Call, ...]) -> bool:
        """Make the calls of one step side by side; False when the span cannot go on."""
        begin_ms = latest_ms = span.cursor_ms
        failed: tuple[Call, Outcome] | None = None
        for call in step:
            if call.chance < 1.0 and self._rng.random() >= call.chance:
                continue
            outcome = self._call(span, call, begin_ms)
            latest_ms = max(latest_ms, outcome.end_ms)
            if outcome.status >= 400 and not call.is_optional and failed is None:
                failed = call, outcome
        span.cursor_ms = latest_ms
        if failed is None:
            return True
        call, outcome = failed
        span.peer = call.target.partition(" ")[0]
        if outcome.status < 500:
            span.status, span.moment = outcome.status, "refused"
        else:
            is_proxy = span.operation.service in ("api-gateway", "web-frontend")
            broken = 502 if is_proxy else 500
            span.status = 504 if outcome.status == 504 else broken
            span.moment = "gave-up"
        return False

    def _call(self, span: _Span, call: Call, begin_ms: float) -> Outcome:
        """One call with its retries."""
        now_ms = begin_ms
        attempts = call.retries + 1
        outcome = Outcome(begin_ms, 504)
        for attempt in range(1, attempts + 1):
            limit_ms = min(now_ms + call.timeout_ms, span.deadline_ms - _MARGIN_MS)
            if limit_ms <= now_ms + 1:
                break
            # A hair of network on each side keeps the child strictly inside the call.
            called = OPERATIONS[call.target]
            client_id = f"{self._rng.getrandbits(64):016x}"
            child = self._perform(called, now_ms + 0.2, limit_ms, span.span_id, client_id)
            outcome = Outcome(child.end_ms + 0.2, child.status)
            self._spans.called(
                span.pod,
                (client_id, span.span_id),
                (now_ms + 0.1, outcome.end_ms),
                called,
                outcome.status,
            )
            span.attempt = attempt
            if child.status < 500:
                break
            is_last = attempt == attempts
            if not is_last or call.is_optional:
                self._line(
                    span,
                    "skipped" if is_last else "callee",
                    outcome.end_ms,
                    peer=call.target.partition(" ")[0],
                    attempt=attempt,
                    retries=call.retries,
                    reason=self._reason(child.status, call.timeout_ms),
                    call_ms=_milliseconds(child.end_ms - now_ms),
                )
            now_ms = outcome.end_ms + self._near(30 * 2**attempt)
        return outcome

    def _write_lines(self, span: _Span) -> None:
        rng, length_ms = self._rng, span.cursor_ms - span.start_ms
        if rng.random() < BEGIN_SHARE:
            self._line(span, "begin", span.start_ms + 0.05 * length_ms)
        if span.status != 503 and rng.random() < NOTE_SHARE:
            self._line(span, "note", span.start_ms + rng.uniform(0.15, 0.9) * length_ms)
        if rng.random() < ODD_SHARE:
            self._line(span, "odd", span.start_ms + rng.uniform(0.3, 0.95) * length_ms)
        is_slow = length_ms > SLOW_FACTOR * expected_ms(span.operation.name)
        if span.status < 400 and is_slow:
            self._line(span, "slow", span.cursor_ms)
        if span.status >= 400 or rng.random() < span.operation.done_share:
            self._line(span, span.moment, span.cursor_ms, is_end=True)

    def _line(
        self, span: _Span, moment: str, at_ms: float, *, is_end: bool = False, **extra: Any
    ) -> None:
        candidates = self._templates[span.operation.name].get(moment, ())
        rng, operation, facts = self._rng, span.operation, self._facts
        if moment == "note":
            # Most of what production writes is info; finer notes are there, but seldom.
            is_fine = rng.random() < FINE_NOTE_SHARE
            candidates = tuple(
                note for note in candidates if (note.severity in _FINE_SEVERITIES) == is_fine
            )
        if not candidates:
            return
        template = candidates[int(rng.random() * len(candidates))]
        length_ms = span.cursor_ms - span.start_ms
        facts.update(
            operation=operation.name,
            service=operation.service,
            method=operation.method,
            route=operation.route,
            path=operation.path.format_map(facts).replace(" ", "+"),
            pod=span.pod.name,
            version=span.pod.version,
            language=LANGUAGES[operation.service],
            status=span.status,
            ms=_milliseconds(length_ms),
            expected=round(SLOW_FACTOR * expected_ms(operation.name)),
            timeout=round(span.deadline_ms - span.start_ms),
            upstream=operation.steps[-1][0].target.partition(" ")[0] if operation.steps else "-",
            peer=span.peer,
            attempt=span.attempt,
            reason=self._reason(span.status, length_ms),
        )
        facts.update(extra)
        metadata: dict[str, Any] = {"traceId": self._trace_id, "spanId": span.span_id}
        if span.parent_id:
            metadata["parentSpanId"] = span.parent_id
        if is_end:
            metadata["latency"] = round(length_ms, 3)
            metadata["span.name"] = (
                f"{operation.method} {operation.route}" if operation.http else operation.name
            )
            self._describe(span, metadata)
        metadata["user.id"] = facts["user"]
        if operation.service in _KINDS_WITH_ORDER:
            metadata["order.id"] = facts["order"]
        metadata.update(span.pod.attributes)
        metadata.update(operation.attributes)
        message = fill(template, facts, operation.service, rng, metadata)
        moment_unix_nano = self._start_unix_nano + int(at_ms * 1_000_000)
        self._write(moment_unix_nano, span.pod, template.severity, message, metadata)
        if "exception.type" in metadata:
            _, _, trace = message.partition("\n")
            kind = metadata["exception.type"]
            span.events.append(exception_event(moment_unix_nano, kind, trace))

    def _publish(self, span: _Span, operation_name: str) -> None:
        """Send the message that sets an operation off."""
        span_id = f"{self._rng.getrandbits(64):016x}"
        self._spans.sent(
            span.pod,
            (span_id, span.span_id),
            (span.start_ms, span.cursor_ms),
            OPERATIONS[operation_name],
        )
        sent_by = self._trace_id, span_id
        self.follow_ups.append(FollowUp(operation_name, span.cursor_ms, sent_by))

    def _tell_served(self, span: _Span) -> None:
        operation = span.operation
        attributes: dict[str, Any] = {"user.id": self._facts["user"]}
        if operation.service in _KINDS_WITH_ORDER:
            attributes["order.id"] = self._facts["order"]
        attributes.update(operation.attributes)
        self._describe(span, attributes)
        self._spans.served(
            span.pod,
            (span.span_id, span.client_id),
            (span.start_ms, span.cursor_ms),
            operation,
            is_error=span.status >= 500,
            attributes=attributes,
            events=span.events,
        )

    def _describe(self, span: _Span, metadata: dict[str, Any]) -> None:
        operation = span.operation
        if operation.http:
            metadata["http.request.method"] = operation.method
            metadata["http.route"] = operation.route
            metadata["http.response.status_code"] = span.status
        if span.status >= 500:
            metadata["error.type"] = "timeout" if span.status == 504 else str(span.status)

    def _effect(self, operation: Operation, start_ms: float) -> Effect:
        """The effects of all incidents on a span that starts then, taken together."""
        if not self._incidents:
            return _QUIET
        moment = self._start_unix_nano + int(start_ms * 1_000_000)
        found = [
            incident.effect(operation, (moment - incident.start_unix_nano) / NANOS_PER_SECOND)
            for incident in self._incidents
            if incident.start_unix_nano <= moment < incident.end_unix_nano
        ]
        if len(found) < 2:
            return found[0] if found else _QUIET
        gravest = max(found, key=lambda effect: (effect.fail_share, effect.stall_share))
        return Effect(
            math.prod(effect.slower for effect in found),
            max(effect.stall_share for effect in found),
            max(effect.stall_ms for effect in found),
            gravest.fail_share,
            gravest.fail_moment,
            gravest.fail_status,
        )

    def _near(self, median_ms: float) -> float:
        return self._rng.lognormvariate(math.log(median_ms), _SPREAD) if median_ms > 0 else 0.0

    @staticmethod
    def _reason(status: int, timeout_ms: float) -> str:
        if status == 504:
            return f"deadline exceeded after {timeout_ms:.0f} ms"
        return _REASONS.get(status, "")


_QUIET = Effect()


def fill(
    template: Template, facts: Facts, service: str, rng: Random, metadata: dict[str, Any]
) -> str:
    """The message of a template; an exception adds its stack trace and its name."""
    message = template.text.format_map(facts)
    if not template.exception:
        return message
    exception = template.exception.format_map(facts)
    metadata["exception.type"] = exception.partition(":")[0]
    return f"{message}\n{stack_trace(LANGUAGES[service], service, exception, rng)}"


def _milliseconds(length_ms: float) -> str:
    return f"{length_ms:.1f}" if length_ms < 10 else f"{length_ms:.0f}"
