"""How conditions hang together: not, or, and; and what they make as one filter."""

from collections.abc import Sequence

from logstream.explain.ask.filler import ARTICLES, FILLER, NEGATION_PAIRS, NEGATIONS, PREPOSITIONS
from logstream.explain.ask.q_terms import any_of, not_term
from logstream.explain.ask.question import Part, Question
from logstream.filter import Choice, LogFilter
from logstream.model import SEVERITY_WORDS
from logstream.text_query import term_for

_FARTHEST = 7
_STOPS = frozenset({"with", "but", "that", "which", "where", "when", "only", "just", "show", "if"})
_MARKS = frozenset({".", ";", "(", ")"})
_REPEATED = ARTICLES | PREPOSITIONS
_ALL = frozenset({"all", "everything", "anything", "any", "every"})
_ONLY = frozenset({"nothing", "only"})


def mark_excluded(question: Question) -> None:
    """Mark conditions that the question rules out: those behind not, without, except."""
    question.parts.sort(key=lambda part: (part.first, part.last))
    for number, part in enumerate(question.parts):
        before = question.parts[number - 1] if number else None
        if _is_denied(question, part, before):
            part.is_excluded = True
            _drop_verb(question, part, before)
    question.parts = [part for part in question.parts if part.values or part.field == "env"]


def _drop_verb(question: Question, part: Part, before: Part | None) -> None:
    """Of "not started by x.exe" only x.exe is ruled out: a verb alone says little."""
    if before is not None and _is_verb_of(question, before, part):
        question.lose(before.first, before.last)
        before.values = ()


def _is_verb_of(question: Question, verb: Part, part: Part) -> bool:
    between = {question.any_word(at) for at in range(verb.last + 1, part.first)}
    return (
        verb.is_excluded
        and verb.is_soft
        and verb.sure == "guess"
        and verb.first == verb.last
        and bool(between & {"by", "with", "from", "to", "in"})
        and between <= _REPEATED
    )


def _is_denied(question: Question, part: Part, before: Part | None) -> bool:
    at = part.first - 1
    joint = False
    for _ in range(_FARTHEST):
        word = question.any_word(at)
        if not word:
            return False
        if before is not None and before.first <= at <= before.last:
            is_list = joint and before.is_excluded and before.field == part.field
            return is_list or _is_verb_of(question, before, part)
        if (question.any_word(at - 1), word) in NEGATION_PAIRS:
            question.take([at - 1, at])
            return True
        is_all_but = word == "but" and not _ALL.isdisjoint(
            question.any_word(at - back) for back in (1, 2, 3)
        )
        if word in NEGATIONS or is_all_but or _is_minus(question, at):
            if word == "no" and part.field == "service" and part.sure == "guess":
                return False  # "no stock left" is a message, and rules no service out
            question.take([at])
            return not _is_double(question, at)
        if word in ("and", "or", ",", "nor", "&"):
            joint = True
        elif word in _STOPS | _MARKS or word not in (_REPEATED if joint else FILLER):
            return False
        at -= 1
    return False


def _is_minus(question: Question, at: int) -> bool:
    """True for the `-` of `-debug`."""
    token = question.tokens[at]
    return token.text == "-" and token.end == question.tokens[at + 1].start


def _is_double(question: Question, at: int) -> bool:
    """`nothing but`, `not only`: no negation after all."""
    return question.any_word(at + 1) in _ONLY or question.any_word(at - 1) == "nothing"


def or_groups(question: Question) -> list[list[Part]]:
    """Conditions in groups of which one is enough; most stand alone."""
    groups: list[list[Part]] = []
    for part in question.parts:
        before = groups[-1][-1] if groups else None
        if before is not None and not part.is_excluded and not before.is_excluded:
            joint = _joint(question, before, part)
            is_list = joint == "," and _ends_with_or(question, part)
            is_either = joint in ("and", ",") and _are_alike(before, part)
            if joint == "or" or is_list or is_either:
                if is_either:
                    kind = "two values" if part.id_kind else "two kinds of messages"
                    question.notes.append(f"“and” between {kind} is read as either of them")
                groups[-1].append(part)
                continue
        groups.append([part])
    return groups


def _are_alike(one: Part, other: Part) -> bool:
    """True for two values, or two kinds of messages, of which a line has one."""
    if one.id_kind or other.id_kind:
        return one.id_kind == other.id_kind
    return one.is_soft and other.is_soft


def _joint(question: Question, before: Part, part: Part) -> str:
    words = [question.any_word(at) for at in range(before.last + 1, part.first)]
    if any(word not in FILLER for word in words):
        return ""
    for joint in ("or", "and", ","):
        if joint in words:
            return joint
    return ""


def _ends_with_or(question: Question, part: Part) -> bool:
    """True when the list that this part stands in goes on to an "or"."""
    following = [one for one in question.parts if one.first > part.last]
    before = part
    for one in following:
        joint = _joint(question, before, one)
        if joint == "or":
            return True
        if joint != ",":
            return False
        before = one
    return False


def built(question: Question) -> LogFilter:
    """The filter of the question's conditions, without its time."""
    chosen: dict[str, dict[bool, list[str]]] = {
        name: {False: [], True: []} for name in ("service", "env", "severity")
    }
    terms: list[str] = []
    traces: list[str] = []
    for group in or_groups(question):
        fields = {part.field for part in group}
        if len(fields) == 1 and fields <= chosen.keys():
            for part in group:
                chosen[part.field][part.is_excluded] += part.values
        elif len(group) == 1 and group[0].field == "trace" and not group[0].is_excluded:
            traces += group[0].values
        elif len(group) == 1:
            terms += _terms(group[0])
        else:
            terms.append(any_of([" ".join(_terms(part)) for part in group]))
    if len(traces) > 1:
        terms.append(any_of([f"trace:{trace}" for trace in dict.fromkeys(traces)]))
    return LogFilter(
        environment=_choice(chosen["env"]),
        service=_choice(chosen["service"]),
        severity=_severities(chosen["severity"]),
        trace_id=traces[0] if len(set(traces)) == 1 else "",
        q=" ".join(dict.fromkeys(term for term in terms if term)),
    )


def _terms(part: Part) -> Sequence[str]:
    is_q = part.field == "q"
    values = list(part.values) if is_q else [_label_term(part.field, part.values)]
    if not part.is_excluded:
        return values
    return [not_term(values[0] if len(values) == 1 else f"({' '.join(values)})")]


def _label_term(name: str, values: Sequence[str]) -> str:
    """`severity:error,fatal`; names that a list cannot hold as terms of their own."""
    if all(value.replace("-", "").replace("_", "").isalnum() for value in values):
        return f"{name}:{','.join(values)}"
    return any_of([term_for(name, value) for value in values])


def _choice(values: dict[bool, list[str]]) -> Choice:
    only = dict.fromkeys(values[False])
    excluded = [value for value in dict.fromkeys(values[True]) if value not in only]
    return Choice(tuple(only), () if only else tuple(excluded))


def _severities(values: dict[bool, list[str]]) -> Choice:
    only = [word for word in SEVERITY_WORDS if word in values[False]]
    excluded = [word for word in SEVERITY_WORDS if word in values[True]]
    if only:
        return Choice(tuple(word for word in only if word not in excluded) or tuple(only))
    return Choice((), tuple(excluded))
