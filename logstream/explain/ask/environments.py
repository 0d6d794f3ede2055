"""Environments in a question: by name, and by what people call production, staging and so on."""

from logstream.explain.ask.filler import FILLER
from logstream.explain.ask.question import Part, Question
from logstream.explain.ask.severities import HARD, SOFT
from logstream.explain.ask.vocabulary import Vocabulary

ENVIRONMENT_NOUNS = frozenset({"environment", "environments", "env", "envs", "stage", "tier"})
_ENVIRONMENTS = (
    frozenset({"prod", "production", "live", "prd"}),
    frozenset({"staging", "stage", "stg", "preprod", "pre-production"}),
    frozenset({"dev", "development", "develop"}),
    frozenset({"test", "testing", "tests"}),
    frozenset({"qa"}),
    frozenset({"demo"}),
)


def read_environments(question: Question, vocabulary: Vocabulary) -> None:
    """Take names of environments, and what people call production, staging and so on."""
    known = {name.lower(): name for name in vocabulary.environments}
    for index in range(len(question.tokens)):
        word = question.named(index, ENVIRONMENT_NOUNS)
        beside = [at for at in (index - 1, index + 1) if question.word(at) in ENVIRONMENT_NOUNS]
        if not word or (word in FILLER | HARD.keys() | SOFT.keys() and not beside):
            continue
        if word in ("all", "every", "any") and beside:
            question.notes.append("every environment is meant")
            question.parts = [part for part in question.parts if part.field != "env"]
            question.add(Part(index, index, "env", (), "every environment"))
            question.take(beside)
            continue
        name = known.get(word)
        if name is None:
            group = next((one for one in _ENVIRONMENTS if word in one), None)
            if group is None:
                continue
            named = [known[one] for one in sorted(known) if one in group]
            if not named and (word in vocabulary.by_name or (known and not beside)):
                continue
            if known and not named:
                shown = ", ".join(vocabulary.environments[:5])
                question.notes.append(f"there is no environment “{word}”; there is {shown}")
                question.lose(index, index)
                continue
            name = named[0] if named else word
        question.add(Part(index, index, "env", (name,), f"environment {name}"))
        question.take(beside)
