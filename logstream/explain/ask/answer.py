"""A question as somebody asks it, its answer, and the answer in the API's shape."""

from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any, Literal
from urllib.parse import urlencode

import msgspec

from logstream.errors import FilterError
from logstream.explain.ask.model_reading import Talk
from logstream.explain.ask.reading import Reading, Understood
from logstream.explain.ask.vocabularies import Scope
from logstream.filter import LogFilter

Interpreter = Literal["auto", "rules", "model"]
LONGEST_QUESTION = 500
# What Explore calls the tab that answers it.
_TABS = ("patterns", "fields")


class Question(msgspec.Struct, frozen=True):
    """What somebody asks: `current` is the filter in force.

    `is_refining`: whether its conditions stay beside those of the question; None: when the
    question sounds like it ("only the slow ones"). Time and environment stay in any case.
    `environment` is the only one that the asker may read, None when it may any.
    """

    text: str
    zone: tzinfo = UTC
    current: LogFilter = LogFilter()
    is_refining: bool | None = None
    environment: str | None = None
    interpreter: Interpreter = "auto"

    @property
    def scope(self) -> Scope:
        """Whose names, and whose aliases beside those for everywhere, this may speak of."""
        only = self.current.environment.only
        return self.environment, self.environment or (only[0] if len(only) == 1 else None)

    @property
    def line(self) -> str:
        """The question in one line; raises FilterError when there is none, or far too much."""
        line = " ".join(self.text.replace("\x00", " ").split())
        if not line:
            raise FilterError("query", "the question is empty", 'ask "errors in the last hour"')
        if len(line) > LONGEST_QUESTION:
            raise FilterError(
                "query",
                f"the question has {len(line):,} characters; the limit is {LONGEST_QUESTION}",
                "ask in fewer words",
            )
        return line


@dataclass(frozen=True)
class Answer:
    """A reading, who made it, and at what cost.

    `model` is the name of the model that made it, "" when rules did; then `why_rules` says why
    a model that is configured did not. `talk` is what was said to a model, if anything was.
    """

    reading: Reading
    milliseconds: float
    model: str = ""
    why_rules: str = ""
    talk: Talk = field(default_factory=Talk)

    def to_api(self, *, timezone: str = "", with_sent: bool = False) -> dict[str, Any]:
        """The filter in URL names, and everything that is known of how it came about."""
        reading, talk = self.reading, self.talk
        url = reading.log_filter.to_url()
        parameters = {**url, **({"tab": reading.show} if reading.show in _TABS else {})}
        if timezone:
            parameters["tz"] = timezone
        told: dict[str, Any] = {
            **url,
            **({"source": url["service"]} if "service" in url else {}),
            "interpreter": "model" if self.model else "rules",
            "words": reading.log_filter.words(),
            "understood": [_understood(one) for one in reading.understood],
            "notUnderstood": list(reading.not_understood),
            "notes": list(reading.notes),
            "show": reading.show,
            "groupBy": reading.group_by,
            "top": reading.top,
            "isFollowUp": reading.is_follow_up,
            "url": f"explore?{urlencode(parameters)}",
            "milliseconds": round(self.milliseconds, 1),
        }
        if self.model:
            told["model"] = self.model
        if self.why_rules:
            told["whyRules"] = self.why_rules
        if talk.rounds:
            told["tokens"] = {"prompt": talk.prompt_tokens, "answer": talk.answer_tokens}
            told["rounds"] = talk.rounds
            told["withheld"] = talk.withheld
        if with_sent:
            told["sent"] = [{"role": one.role, "content": one.content} for one in talk.sent]
        return told


def _understood(one: Understood) -> dict[str, Any]:
    return {
        "words": one.words,
        "field": one.field,
        "values": list(one.values),
        "meaning": one.meaning,
        "sure": one.sure,
        "alternatives": list(one.alternatives),
        "isExcluded": one.is_excluded,
    }
