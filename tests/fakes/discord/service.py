"""The service: its webhooks and messages, what was asked of it, and what was wrong with that."""

from __future__ import annotations

import re
import secrets
import threading
import time
from typing import TYPE_CHECKING, Self

from tests.fakes.discord import answers
from tests.fakes.discord.archive import Archive
from tests.fakes.discord.calls import Refused, redact
from tests.fakes.discord.limiter import Limiter, Limits, Scope
from tests.fakes.discord.records import Kind, Repeat, Request, Webhook
from tests.fakes.discord.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from tests.fakes.discord.answers import Answer
    from tests.fakes.discord.calls import Call
    from tests.fakes.discord.records import Edit, Fault, Message

HOSTS = ("127.0.0.1", "localhost")
USER_AGENT = re.compile(r"DiscordBot \(https://[^\s,()]+, [^\s,()]+\)")
QUERIES = {
    "POST": frozenset({"wait", "thread_id"}),
    "PATCH": frozenset({"thread_id"}),
    "DELETE": frozenset({"thread_id"}),
    "GET": frozenset[str](),
}


class Discord:
    """Listens on 127.0.0.1 and has one webhook to begin with.

    clock             seconds since 1970: it rules the limits and the window
    repeat_window_s   how long a message must not be said again
    allowed_repeats   how many repetitions are forgiven when the service is left
    webhook           the first of its webhooks
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        limits: Limits | None = None,
        repeat_window_s: float = 600.0,
    ) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._limiter = Limiter(limits or Limits())
        self._archive = Archive(repeat_window_s)
        self._faults: list[Fault] = []
        self._gone: set[str] = set()
        self._webhooks: dict[str, Webhook] = {}
        self._requests: list[Request] = []
        self._violations: list[str] = []
        self._server = Server(self.answer, self.accuse)
        self.allowed_repeats = 0
        self.webhook = self.add_webhook()

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stop()
        if kind is None:
            self.check()

    def check(self) -> None:
        """Raise what a client did that it must not, if it did."""
        found = self.violations
        if len(self.repeats) > self.allowed_repeats:
            found += [f"message {pair.again.id} repeats {pair.first.id}" for pair in self.repeats]
        if found:
            raise AssertionError("Discord was used wrongly:\n" + "\n".join(found))

    # What a test arranges.

    @property
    def url(self) -> str:
        """Return the whole address of the first webhook; it is a secret."""
        return self.webhook.url

    def add_webhook(self, *, channel_id: str | None = None, is_forum: bool = False) -> Webhook:
        """Make one more webhook, in a channel of its own unless one is named."""
        with self._lock:
            number, token = self._archive.new_id(), secrets.token_urlsafe(51)
            address = f"http://127.0.0.1:{self._server.port}/api/v10/webhooks/{number}/{token}"
            where = channel_id or self._archive.new_id()
            webhook = Webhook(number, token, where, address, is_forum=is_forum)
            self._webhooks[number] = webhook
            return webhook

    def add_thread(self, webhook: Webhook | None = None) -> str:
        """Open a thread in a webhook's channel and return its id."""
        with self._lock:
            thread = self._archive.new_id()
            (webhook or self.webhook).threads.add(thread)
            return thread

    def revoke(self, webhook: Webhook | None = None) -> None:
        """Delete a webhook, as a person would in Discord's own window."""
        with self._lock:
            (webhook or self.webhook).is_revoked = True

    def plan(self, *faults: Fault) -> None:
        """Let the next requests suffer, each the first of these that is meant for its method."""
        with self._lock:
            self._faults += faults

    # What a test reads.

    @property
    def requests(self) -> list[Request]:
        """Return every request with its answer, in order."""
        with self._lock:
            return [*self._requests]

    @property
    def violations(self) -> list[str]:
        """Return what a client did that it must not, in order."""
        with self._lock:
            return [*self._violations]

    def take_violations(self) -> list[str]:
        """Return the violations and forgive them."""
        with self._lock:
            taken, self._violations = self._violations, []
            return taken

    @property
    def posts(self) -> list[Message]:
        """Return every message as it was posted, deleted ones too."""
        with self._lock:
            return [*self._archive.posts]

    @property
    def messages(self) -> list[Message]:
        """Return the messages that can be read now, in the order in which they were posted."""
        with self._lock:
            return [*self._archive.messages.values()]

    @property
    def edits(self) -> list[Edit]:
        """Return every change of a message, in order."""
        with self._lock:
            return [*self._archive.edits]

    @property
    def deletions(self) -> list[Message]:
        """Return the messages that were deleted, as they were last."""
        with self._lock:
            return [*self._archive.deletions]

    @property
    def repeats(self) -> list[Repeat]:
        """Return the messages that said again what was said within the window."""
        with self._lock:
            return [*self._archive.repeats]

    @property
    def invalid_answers(self) -> int:
        """Return how many answers of the last ten minutes count towards a shut-out."""
        with self._lock:
            return self._limiter.invalid_count(self._clock())

    # What a client meets.

    def accuse(self, what: str) -> None:
        """Note a violation."""
        with self._lock:
            self._violations.append(redact(what))

    def answer(self, call: Call) -> Answer:
        """Judge a request, carry it out if it is right, and enter it in the ledger."""
        with self._lock:
            now_s = self._clock()
            if self._limiter.invalid_count(now_s) >= self._limiter.limits.invalid_answers:
                answer = answers.page(429).plus({"Retry-After": "600"})
            else:
                answer = self._judge(call, now_s)
                is_shared = answer.headers.get("X-RateLimit-Scope") == Scope.SHARED.value
                if answer.status in {401, 403, 429} and not is_shared:
                    self._limiter.note_invalid(now_s)
            self._requests.append(
                Request(
                    at_s=now_s,
                    method=call.method,
                    path=redact(call.path),
                    query=call.query,
                    body=call.json_or_none(),
                    status=None if answer.is_cut else answer.status,
                    code=answer.code,
                )
            )
            return answer

    def _judge(self, call: Call, now_s: float) -> Answer:
        """Return the answer to a request of an address that is not shut out."""
        fault = self._next_fault(call.method)
        kind = fault.kind if fault else None
        try:
            self._check_sender(call)
            self._check_route(call)
            if fault and kind in {Kind.CUT, Kind.HTML}:
                return answers.CUT if kind is Kind.CUT else answers.page(fault.status)
            webhook = self._webhook_of(call)
            self._throttle(call, webhook, fault, now_s)
        except Refused as refused:
            return refused.answer
        try:
            answer = self._serve(call, webhook, kind, now_s)
        except Refused as refused:
            answer = refused.answer
        if kind in {Kind.LOST, Kind.SILENT}:
            return answers.CUT if kind is Kind.LOST else answers.SILENCE
        return answer.plus(self._counts(webhook, now_s))

    def _counts(self, webhook: Webhook, now_s: float) -> dict[str, str]:
        """Return the headers that say how often the webhook may still be asked."""
        return answers.count_headers(self._limiter.bucket(Scope.USER, webhook.id), now_s)

    def _next_fault(self, method: str) -> Fault | None:
        for fault in self._faults:
            if fault.method in {"", method}:
                self._faults.remove(fault)
                return fault
        return None

    def _check_sender(self, call: Call) -> None:
        """Refuse who means another host or does not say who it is."""
        host = call.headers.get("host")
        if host not in {f"{name}:{self._server.port}" for name in HOSTS}:
            self.accuse(f"unknown host {host}")
            raise Refused(answers.error(404, 0, "404: Not Found"))
        if not USER_AGENT.fullmatch(call.headers.get("user-agent", "")):
            raise Refused(answers.page(403))

    def _check_route(self, call: Call) -> None:
        """Refuse what is no request of this service; note what it does not know of others."""
        asked = f"{call.method} {call.path}"
        if call.route is None:
            self.accuse(f"unknown path: {asked}")
            raise Refused(answers.error(404, 0, "404: Not Found"))
        if call.method not in ({"PATCH", "DELETE"} if call.route["message"] else {"POST", "GET"}):
            self.accuse(f"unknown method: {asked}")
            raise Refused(answers.error(405, 0, "405: Method Not Allowed"))
        for name in call.parameters.keys() - QUERIES[call.method]:
            self.accuse(f"unknown parameter {name}: {asked}")
        if call.method in {"GET", "DELETE"} and call.body:
            self.accuse(f"a body where none belongs: {asked}")

    def _webhook_of(self, call: Call) -> Webhook:
        """Return the webhook that a request names and knows the token of."""
        assert call.route is not None
        number, token = call.route["webhook"], call.route["token"]
        webhook = self._webhooks.get(number)
        if webhook is None or webhook.is_revoked:
            if number in self._gone:
                self.accuse(f"asked again after it was gone: {call.method} {call.path}")
            self._gone.add(number)
            raise Refused(answers.error(404, 10015))
        if not secrets.compare_digest(token, webhook.token):
            raise Refused(answers.error(401, 50027))
        told = [call.query, *(value for key, value in call.headers.items() if key != "host")]
        if webhook.token.encode() in call.body or any(webhook.token in text for text in told):
            self.accuse(f"the token stands outside of the path: {call.method} {call.path}")
            raise Refused(answers.error(403, 50013))
        return webhook

    def _throttle(self, call: Call, webhook: Webhook, fault: Fault | None, now_s: float) -> None:
        """Refuse what comes too often, and whom the test wants to wait."""
        keys = {Scope.GLOBAL: "", Scope.SHARED: webhook.channel_id, Scope.USER: webhook.id}
        counted = {**keys}
        if call.method != "POST":
            del counted[Scope.SHARED]
        refusal = self._limiter.admit(counted, now_s)
        if refusal is None and fault and fault.kind is Kind.THROTTLED:
            bucket = self._limiter.bucket(fault.scope, keys[fault.scope])
            refusal = bucket.hold(fault.scope, fault.retry_after_s, now_s)
        if refusal is None:
            return
        if refusal.is_early:
            self.accuse(f"asked before retry_after was over: {call.method} {call.path}")
        is_global = refusal.scope is Scope.GLOBAL
        counts = {} if is_global else self._counts(webhook, now_s)
        raise Refused(answers.refusal_answer(refusal).plus(counts))

    def _serve(self, call: Call, webhook: Webhook, kind: Kind | None, now_s: float) -> Answer:
        """Carry out a request that may be asked, as far as the fault lets it."""
        if kind is Kind.FORBIDDEN:
            return answers.error(403, 50013)
        if kind is Kind.UNSAVED and call.method != "POST":
            return answers.error(500, 0)
        if call.method == "GET":
            return answers.json_answer(200, answers.webhook_body(webhook))
        if call.method == "DELETE":
            self._archive.delete(call, webhook)
            return answers.Answer(204)
        said = call.read_form(self._limiter.limits.body_bytes, self.accuse)
        if call.method == "PATCH":
            edited = self._archive.edit(call, webhook, said, now_s)
            return answers.json_answer(200, answers.message_body(edited))
        message = self._archive.draft(call, webhook, said, now_s)
        return self._post(message, webhook, is_awaited=call.is_awaited, kind=kind)

    def _post(
        self, message: Message, webhook: Webhook, *, is_awaited: bool, kind: Kind | None
    ) -> Answer:
        """Save a message unless it is to be lost; only who waits hears of either."""
        if kind is Kind.UNSAVED:
            return answers.error(500, 0) if is_awaited else answers.Answer(204)
        self._archive.post(message, webhook)
        shown = answers.json_answer(200, answers.message_body(message))
        return shown if is_awaited else answers.Answer(204)
