"""Asker: a question in plain words as a filter, by a model where there is one, else by rules."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from logstream.alias import Alias
from logstream.errors import LogStreamError, ModelUnavailable, StoreUnavailable
from logstream.explain.ask.answer import Answer, Question
from logstream.explain.ask.conditions import place_of, understood_by_model
from logstream.explain.ask.follow_up import refined
from logstream.explain.ask.interpret import interpret
from logstream.explain.ask.model_prompt import Known
from logstream.explain.ask.model_reading import SECONDS, Talk, ask_model
from logstream.explain.ask.reading import Reading
from logstream.explain.ask.vocabularies import Scope, Vocabularies
from logstream.explain.ask.vocabulary import Vocabulary, read_vocabulary
from logstream.filter import Choice, LogFilter
from logstream.ports import ChatModel, LogReader
from logstream.receive.redaction import Redaction

# Words that nobody knows are looked for among names so new.
NEW_SECONDS = 5.0
# Read once when a vocabulary is new, so that it has its indexes before somebody waits.
_WARM_UP = "top 5 services by errors, chekout slower than 2 s yesterday on host web-1"
_NO_NAMES = "The database does not answer, so no service can be known by its name now."


class Asker:
    """Reads questions against what is stored now."""

    def __init__(
        self,
        reader: LogReader,
        aliases: Callable[[], Sequence[Alias]],
        model: ChatModel | None = None,
        redaction: Redaction | None = None,
    ) -> None:
        self._reader = reader
        self._aliases = aliases
        self._model = model
        self._redaction = redaction
        self._vocabularies = Vocabularies(self._read_vocabulary)

    def by_rules(self, question: Question) -> Answer:
        """The built-in reading; blocks while a vocabulary is read for the first time.

        Raises FilterError for what is no question.
        """
        started, text = time.perf_counter(), question.line
        notes: tuple[str, ...] = ()
        try:
            vocabulary = self._vocabularies.of(question.scope)
        except StoreUnavailable:
            vocabulary, notes = Vocabulary(), (_NO_NAMES,)
        reading = _read(question, text, vocabulary)
        if _is_unsure(reading) and not notes:
            # The word may be the name of something that is new.
            newer = self._newer(question.scope)
            if newer is not vocabulary:
                reading = _read(question, text, newer)
        reading = replace(
            reading,
            log_filter=_within(reading.log_filter, question),
            notes=(*notes, *reading.notes),
        )
        return Answer(reading, (time.perf_counter() - started) * 1000)

    async def by_model(self, question: Question, by_rules: Answer) -> Answer:
        """The model's reading, or else the one by rules, saying why it is not the model's.

        Takes SECONDS at most.
        """
        model = self._model
        if question.interpreter == "rules":
            return by_rules
        if model is None:
            why = "no model is configured" if question.interpreter == "model" else ""
            return replace(by_rules, why_rules=why)
        if question.interpreter == "auto" and model.rest_seconds:
            why = f"{model.name} failed a moment ago; it is asked again soon"
            return replace(by_rules, why_rules=why)
        started, talk = time.perf_counter(), Talk()
        is_refining = by_rules.reading.is_follow_up
        try:
            proposal = await ask_model(
                model,
                question.line,
                self._known(question.scope),
                talk,
                now=datetime.now(UTC),
                zone=question.zone,
                current=question.current if is_refining else None,
                redaction=self._redaction,
                seconds=SECONDS,
            )
        except ModelUnavailable as error:
            elapsed = by_rules.milliseconds + (time.perf_counter() - started) * 1000
            return replace(by_rules, milliseconds=elapsed, why_rules=error.message, talk=talk)
        log_filter = _within(_placed(proposal.log_filter, question.current), question)
        reading = Reading(
            log_filter=log_filter,
            show=proposal.show,
            group_by=proposal.group_by,
            top=proposal.top,
            understood=understood_by_model(proposal.log_filter, by_rules.reading),
            not_understood=tuple(proposal.not_understood),
            is_follow_up=is_refining,
        )
        elapsed = by_rules.milliseconds + (time.perf_counter() - started) * 1000
        return Answer(reading, elapsed, model.name, talk=talk)

    def forget(self) -> None:
        """Aliases have changed."""
        self._vocabularies.forget()

    async def close(self) -> None:
        """Give back the model's connections."""
        if self._model is not None:
            await self._model.close()

    def _read_vocabulary(self, scope: Scope) -> Vocabulary:
        allowed, own = scope
        asked = LogFilter(environment=Choice((allowed,) if allowed is not None else ()))
        now = datetime.now(UTC)
        aliases = {
            # Those of the environment come later and win.
            one.word: one.value
            for one in self._aliases()
            if one.environment is None or one.environment == own
        }
        vocabulary = read_vocabulary(self._reader, asked, now, aliases)
        interpret(_WARM_UP, vocabulary, now=now, zone=UTC, current=LogFilter())
        return vocabulary

    def _newer(self, scope: Scope) -> Vocabulary:
        try:
            return self._vocabularies.of(scope, NEW_SECONDS)
        except LogStreamError:
            return self._vocabularies.of(scope)

    def _known(self, scope: Scope) -> Known:
        try:
            vocabulary = self._vocabularies.of(scope)
        except LogStreamError:
            vocabulary = Vocabulary()
        counts = vocabulary.counts
        return Known(
            sorted(counts, key=lambda name: (-counts[name], name)),
            vocabulary.environments,
            [one.name for one in vocabulary.attributes],
            [one.template for one in vocabulary.patterns],
            list(vocabulary.aliases.items()),
        )


def _read(question: Question, text: str, vocabulary: Vocabulary) -> Reading:
    now, zone, current = datetime.now(UTC), question.zone, question.current
    place = place_of(current)
    if question.is_refining is False:
        reading = interpret(text, vocabulary, now=now, zone=zone, current=place)
        return replace(reading, is_follow_up=False)
    reading = interpret(text, vocabulary, now=now, zone=zone, current=current)
    if not question.is_refining or reading.is_follow_up or current == place:
        return reading
    # It does not sound like refining, but somebody says that it is.
    alone = interpret(text, vocabulary, now=now, zone=zone)
    log_filter = refined(current, alone.log_filter, is_adding=False)
    return replace(reading, log_filter=log_filter, is_follow_up=True)


def _is_unsure(reading: Reading) -> bool:
    return bool(reading.not_understood) or any(one.sure == "guess" for one in reading.understood)


def _placed(log_filter: LogFilter, current: LogFilter) -> LogFilter:
    """The model's filter with time, environment and moment of before, where it named none."""
    if not (log_filter.range_text or log_filter.start or log_filter.end):
        log_filter = replace(
            log_filter, range_text=current.range_text, start=current.start, end=current.end
        )
    return replace(
        log_filter, environment=log_filter.environment or current.environment, at=current.at
    )


def _within(log_filter: LogFilter, question: Question) -> LogFilter:
    """The filter inside the asker's environment, whoever made it."""
    if question.environment is None:
        return log_filter
    return replace(log_filter, environment=Choice((question.environment,)))
