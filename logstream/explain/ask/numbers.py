"""Numbers in a question: slower than 2 s, over 100 retries."""

import re
from dataclasses import dataclass

from logstream.explain.ask.filler import FILLER
from logstream.explain.ask.question import Part, Question
from logstream.explain.ask.vocabulary import Vocabulary
from logstream.explain.ask.words import word_set

_UNIT_MS = {
    **dict.fromkeys(("ms", "msec", "msecs", "millis", "millisecond", "milliseconds"), 1.0),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1000.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60_000.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3_600_000.0),
    **dict.fromkeys(("us", "µs", "μs", "microseconds", "microsecond"), 0.001),
    **dict.fromkeys(("ns", "nanoseconds"), 0.000001),
}
_NUMBER = re.compile(
    r"(?P<sign>>=|<=|>|<|=)?(?P<number>-?\d[\d,]*(?:\.\d+)?)(?P<factor>k)?(?P<unit>[a-zµμ]*)(?P<plus>\+)?"
)
_SIGNS = {
    ">": (
        *(("slower", "than"), ("longer", "than"), ("more", "than"), ("greater", "than")),
        *(("higher", "than"), ("larger", "than"), ("bigger", "than"), ("over",), ("above",)),
        *(("exceeding",), ("exceeds",), ("exceeded",), ("exceed",), ("beyond",), (">",)),
        *(("is", "more", "than"), ("older", "than"), ("upwards", "of")),
    ),
    ">=": (
        *(("at", "least"), ("no", "less", "than"), ("minimum",), ("min",), (">=",), ("≥",)),
        *(("greater", "than", "or", "equal", "to"), ("higher", "or", "equal", "to")),
        ("not", "less", "than"),
    ),
    "<": (
        *(("faster", "than"), ("shorter", "than"), ("less", "than"), ("fewer", "than")),
        *(("lower", "than"), ("smaller", "than"), ("under",), ("below",), ("quicker", "than")),
        ("<",),
    ),
    "<=": (
        *(("at", "most"), ("up", "to"), ("no", "more", "than"), ("maximum",), ("max",), ("<=",)),
        *(("not", "more", "than"), ("≤",), ("no", "longer", "than")),
    ),
}
_PHRASES = sorted(
    ((phrase, sign) for sign, phrases in _SIGNS.items() for phrase in phrases),
    key=lambda pair: -len(pair[0]),
)
_LATENCY_WORDS = word_set(
    """latency latencies duration durations took takes taking take taken response time times
    lasting lasted lasts elapsed slow slower requests request"""
)
_COUNTED = word_set(
    """times time attempts attempt occurrences hits machines devices accounts users failures logins
    items failed messages lines errors events requests per"""
)
SLOW_MS = 1000


@dataclass(frozen=True)
class _Amount:
    value: float
    unit_ms: float | None
    last: int


def read_numbers(question: Question, vocabulary: Vocabulary) -> None:
    """Take comparisons with numbers."""
    for index in range(len(question.tokens)):
        if question.is_free(index):
            _read_comparison(question, vocabulary, index)
    _read_slow(question)


def _read_comparison(question: Question, vocabulary: Vocabulary, index: int) -> None:
    phrase = next(
        (
            (sign, len(words))
            for words, sign in _PHRASES
            if all(question.word(index + offset) == word for offset, word in enumerate(words))
        ),
        None,
    )
    number = _amount(question, index + phrase[1]) if phrase else _amount(question, index)
    if number is None:
        if question.word(index) == "between":
            _read_between(question, vocabulary, index)
        return
    sign = phrase[0] if phrase else _own_sign(question, index)
    last = number.last
    if question.word(last + 1) == "or" and question.word(last + 2) in (
        *("more", "longer", "higher", "above", "slower", "greater"),
        *("less", "fewer", "below", "lower", "faster"),
    ):
        sign = (
            ">=" if question.word(last + 2) in "more longer higher above slower greater" else "<="
        )
        last += 2
    if sign:
        _compare(question, vocabulary, index, last, sign, number)


def _read_between(question: Question, vocabulary: Vocabulary, index: int) -> None:
    low = _amount(question, index + 1)
    if low is None or question.word(low.last + 1) not in ("and", "to", "-"):
        return
    high = _amount(question, low.last + 2)
    if high is None:
        return
    low = _Amount(low.value, low.unit_ms or high.unit_ms, low.last)
    name = _name(question, vocabulary, index, high)
    if name is not None:
        key, first, last = name
        terms = (f"{key}>={_written(low, key)}", f"{key}<={_written(high, key)}")
        meaning = f"{key} from {_written(low, key)} to {_written(high, key)}"
        question.add(Part(first, last, "q", terms, meaning))


def _compare(
    question: Question, vocabulary: Vocabulary, first: int, last: int, sign: str, number: _Amount
) -> None:
    number = _Amount(number.value, number.unit_ms, last)
    name = _name(question, vocabulary, first, number)
    if name is not None:
        key, start, end = name
        value = _written(number, key)
        unit = " ms" if key == "latency" else ""
        question.add(Part(start, end, "q", (f"{key}{sign}{value}",), f"{key} {sign} {value}{unit}"))
        return
    end = last
    while (
        end - last < 2
        and (noun := question.word(end + 1))
        and (noun in _COUNTED or (noun not in FILLER and end == last))
    ):
        end += 1
    if not question.starts(("up", "to"), first):  # "up to 100 lines" limits what is shown
        words = question.words(first, end)
        question.notes.append(
            f"“{words}” compares a count or a value that no attribute holds; it is left out"
        )
        question.lose(first, end)


def _name(
    question: Question, vocabulary: Vocabulary, first: int, number: _Amount
) -> tuple[str, int, int] | None:
    """(key, first token, last token) of what is compared: an attribute, or the latency."""
    for start, end, words in (
        (first, number.last + 2, (question.word(number.last + 1), question.word(number.last + 2))),
        (first, number.last + 1, (question.word(number.last + 1),)),
        (first - 2, number.last, (question.word(first - 2), question.word(first - 1))),
        (first - 1, number.last, (question.word(first - 1),)),
        (first - 2, number.last, (question.word(first - 2),)),
    ):
        if not all(words) or any(
            word in FILLER - {"time", "items", "attempt", "attempts"} for word in words
        ):
            continue
        found = [one for one in vocabulary.attributes_of(words) if one.kind in ("number", "mixed")]
        if found and number.unit_ms is None:
            if len(found) > 1:
                others = ", ".join(one.name for one in found[1:4])
                question.notes.append(f"{found[0].name} is compared; there is also {others}")
            return found[0].name, start, end
    start = first
    while question.word(start - 1) in _LATENCY_WORDS | {"is", "of", "a", "that", "with", "and"}:
        start -= 1
        if question.word(start) in ("latency", "duration", "took", "takes", "taking"):
            break
    named = {question.word(at) for at in range(start, first)} | {question.word(first)}
    while start < first and question.word(start) not in _LATENCY_WORDS:
        start += 1
    if number.unit_ms is not None:
        return "latency", start, number.last
    if named & {"latency", "latencies", "duration", "slower", "faster", "took", "takes"}:
        question.notes.append("a latency without a unit is read as milliseconds")
        return "latency", start, number.last
    return None


def _amount(question: Question, index: int) -> _Amount | None:
    word = question.word(index)
    match = _NUMBER.fullmatch(word)
    if match is None or (match["unit"] and match["unit"] not in _UNIT_MS):
        return None
    value = float(match["number"].replace(",", "")) * (1000 if match["factor"] else 1)
    if match["unit"]:
        return _Amount(value, _UNIT_MS[match["unit"]], index)
    unit = _UNIT_MS.get(question.word(index + 1))
    if unit is not None:
        return _Amount(value, unit, index + 1)
    return _Amount(value, None, index)


def _own_sign(question: Question, index: int) -> str:
    match = _NUMBER.fullmatch(question.word(index))
    if match is None:
        return ""
    return ">=" if match["plus"] else match["sign"] or ""


def _written(number: _Amount, key: str) -> str:
    value = number.value * (number.unit_ms or 1) if key == "latency" else number.value
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _read_slow(question: Question) -> None:
    """`slow` alone means a latency of a second or more, and says so."""
    has_limit = any("latency" in value for part in question.parts for value in part.values)
    for index in range(len(question.tokens)):
        if question.word(index) not in ("slow", "sluggish", "slowness", "slowest"):
            continue
        if has_limit:
            question.take([index])
        else:
            question.notes.append(
                f"“{question.word(index)}” is read as a latency of {SLOW_MS} ms or more"
            )
            question.add(
                Part(
                    *(index, index, "q", (f"latency>={SLOW_MS}",), f"latency ≥ {SLOW_MS} ms"),
                    sure="guess",
                    alternatives=("the word “slow” in messages", "another limit, as in “over 2 s”"),
                )
            )
            return
