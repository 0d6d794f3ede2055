"""Numbers in a question: slower than 2 s, status 5xx, over 100 retries."""

import re
from dataclasses import dataclass

from logstream.explain.ask.filler import FILLER
from logstream.explain.ask.q_terms import any_of, text_term
from logstream.explain.ask.question import Part, Question
from logstream.explain.ask.vocabulary import Vocabulary
from logstream.explain.ask.words import word_set
from logstream.text_query import term_for

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
_STATUS_WORDS = frozenset({"status", "statuses", "code", "codes", "statuscode", "http"})
_STATUS_NAMES = (
    "http.response.status_code",
    "http.status_code",
    "status_code",
    "statusCode",
    "status",
)
_AFTER_STATUS = word_set(
    """error errors response responses status statuses code codes result results reply replies
    failure failures http"""
)
_COUNTED = word_set(
    """times time attempts attempt occurrences hits machines devices accounts users failures logins
    failed messages lines errors events requests per"""
)
SLOW_MS = 1000


@dataclass(frozen=True)
class _Amount:
    value: float
    unit_ms: float | None
    last: int


def read_numbers(question: Question, vocabulary: Vocabulary) -> None:
    """Take comparisons with numbers, and HTTP status codes."""
    _read_status(question, vocabulary)
    for index in range(len(question.tokens)):
        if question.is_free(index):
            _read_comparison(question, vocabulary, index)
    _read_slow(question)


def _read_status(question: Question, vocabulary: Vocabulary) -> None:
    for index, token in enumerate(question.tokens):
        match = re.fullmatch(r"(?P<code>[1-5](?:\d\d|xx))s?", question.word(index))
        if match is None or token.is_quoted:
            continue
        first, last = index, index
        while question.word(first - 1) in _STATUS_WORDS | {"is", "of", "=", "a", "an", "with"}:
            first -= 1
        while question.word(last + 1) in _AFTER_STATUS - {"requests"} and last < index + 2:
            last += 1
        before = {question.word(at) for at in range(first, index)}
        after = {question.word(at) for at in range(index + 1, last + 1)}
        is_class = match["code"].endswith("xx")
        returned = question.any_word(first - 1) in (
            "returned",
            "returning",
            "returns",
            "got",
            "gave",
        )
        is_status = bool((before | after) & _STATUS_WORDS) or is_class or returned
        is_status = is_status or token.text.endswith("s")
        is_status = is_status or (match["code"][0] in "45" and bool(after))
        following = question.any_word(index + 1)
        is_status = is_status or (
            match["code"][0] in "45"
            and question.any_word(index - 1) == "with"
            and (not following or following in FILLER - {"items", "times"})
        )
        if not is_status:
            continue
        while first < index and question.word(first) not in _STATUS_WORDS:
            first += 1
        _add_status(question, vocabulary, first, last, match["code"])


def _add_status(
    question: Question, vocabulary: Vocabulary, first: int, last: int, code: str
) -> None:
    names = [one for name in _STATUS_NAMES if (one := vocabulary.attribute(name)) is not None]
    others = [one for one in vocabulary.attributes_of(["status"]) if one not in names]
    attribute = next(iter([*names, *others]), None)
    terms: tuple[str, ...]
    if attribute is not None:
        if code.endswith("xx"):
            low = int(code[0]) * 100
            terms = (f"{attribute.name}>={low}", f"{attribute.name}<{low + 100}")
            meaning = f"{attribute.name} from {low} to {low + 99}"
        else:
            terms = (term_for(attribute.name, code),)
            meaning = f"{attribute.name} is {code}"
        question.add(Part(first, last, "q", terms, meaning))
        return
    forms = _written_forms(vocabulary)
    if code.endswith("xx"):
        texts = [f"{form}{code[0]}*" for form in forms] or [f"status={code[0]}*"]
        terms = (any_of([f'"{text}"' if " " in text else text for text in texts]),)
        if not forms:
            question.notes.append("no attribute holds a status code; it is looked for in messages")
    elif forms:
        terms = (any_of([text_term(f"{form}{code}") for form in forms]),)
    else:
        terms = (text_term(code),)
    if code.endswith("xx") and " " in terms[0] and "*" in terms[0]:
        # A phrase has no wildcard: the codes themselves, as far as they are in use.
        codes = [f"{code[0]}{rest}" for rest in ("00", "01", "02", "03", "04", "22", "29")]
        terms = (any_of([text_term(f"{form}{one}") for form in forms for one in codes]),)
    question.add(Part(first, last, "q", terms, f"status {code} in messages", "likely"))


def _written_forms(vocabulary: Vocabulary) -> list[str]:
    """How the log's patterns write a status: `status: `, `status=`; of either once."""
    forms: dict[str, None] = {}
    for segments in vocabulary.templates.segments:
        for segment in segments[:-1]:
            if found := re.search(
                r"(?:status|code|HTTP)(?: code)?[=: ]+\"?$", segment, re.IGNORECASE
            ):
                forms[found[0].lower().replace('"', "")] = None
    return list(forms)[:3]


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
    if end > last:
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
    if any("latency" in value for part in question.parts for value in part.values):
        return
    for index in range(len(question.tokens)):
        if question.word(index) in ("slow", "sluggish", "slowness", "slowest"):
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
