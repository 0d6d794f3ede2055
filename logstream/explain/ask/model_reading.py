"""A conversation with a model about one question: ask, check, have it mended once."""

import time
from collections.abc import Sequence
from datetime import datetime, tzinfo

import msgspec

from logstream.errors import ModelUnavailable
from logstream.explain.ask.model_answer import Proposal, Unusable, read_answer
from logstream.explain.ask.model_prompt import (
    Known,
    first_messages,
    repair_messages,
    schema_of_answer,
)
from logstream.explain.ask.withheld import Withheld
from logstream.filter import LogFilter
from logstream.ports import ChatMessage, ChatModel
from logstream.receive.redaction import Redaction

SECONDS = 10.0
ROUNDS = 2
_SCHEMA = schema_of_answer()


class Talk(msgspec.Struct):
    """What was said to the model and what that cost, also when nothing came of it."""

    sent: list[ChatMessage] = []
    rounds: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0
    withheld: int = 0


async def ask_model(
    model: ChatModel,
    question: str,
    known: Known,
    talk: Talk,
    *,
    now: datetime,
    zone: tzinfo,
    current: LogFilter | None = None,
    redaction: Redaction | None = None,
    seconds: float = SECONDS,
) -> Proposal:
    """What the model makes of the question; `talk` is filled in as it goes on.

    Raises ModelUnavailable when it gave no answer in time, or none that can be used.
    """
    ends = time.monotonic() + seconds
    withheld = Withheld(redaction)
    talk.sent = first_messages(
        question, known, now=now, zone=zone, current=current, hidden=withheld.hidden
    )
    talk.withheld = withheld.count
    problems: Sequence[str] = ()
    for _ in range(ROUNDS):
        left = ends - time.monotonic()
        if left <= 0:
            break
        talk.rounds += 1
        answer = await model.complete(talk.sent, _SCHEMA, seconds=left)
        talk.prompt_tokens += answer.prompt_tokens or 0
        talk.answer_tokens += answer.answer_tokens or 0
        try:
            return read_answer(answer.text, known, withheld, now)
        except Unusable as unusable:
            problems = unusable.problems
            told = [withheld.hidden(problem) for problem in problems]
            talk.sent = talk.sent + repair_messages(withheld.hidden(answer.text), told)
    if talk.rounds == ROUNDS:
        # Nobody has read what would have been said next.
        talk.sent = talk.sent[:-2]
    raise ModelUnavailable(
        f"what {model.name} answered cannot be used: {'; '.join(problems[:2])}",
        "ask in other words",
    )
