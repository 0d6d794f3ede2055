"""Severity words and numbers of every common logger, as OpenTelemetry's 1–24."""

import re

from logstream.model import SEVERITY_WORDS, Severity

_SPELLINGS: dict[Severity, str] = {
    Severity.TRACE: "trace trce t verbose v vrb silly finest finer spam all",
    Severity.DEBUG: "debug d dbg dbug debugging fine config",
    Severity.INFO: "info i inf information informational infos notice n note log default "
    "ok success audit statement detail hint context normal system lifecycle any",
    Severity.WARN: "warn w warning wrn warnings caution",
    Severity.ERROR: "error e err eror errors severe failure fail failed",
    Severity.FATAL: "fatal f ftl critical crit crt c emerg emergency panic alert a dpanic",
}
_NUMBER_OF_WORD = {
    word: int(group) for group, words in _SPELLINGS.items() for word in words.split()
}
_NUMBERED_WORD = re.compile(r"([a-z]+)([1-9])")
_OFFSET_WORD = re.compile(r"(trace|debug|info|warn|error)([+-]\d{1,2})")
_NUMERIC = re.compile(r"\d{1,3}(?:\.0+)?")

# RFC 5424 §6.2.1: emergency, alert, critical, error, warning, notice, informational, debug.
SYSLOG_SEVERITIES = (21, 21, 21, 17, 13, 9, 9, 5)
_PINO_LEVELS = {10: 1, 20: 5, 30: 9, 40: 13, 50: 17, 60: 21}


def severity_number(value: str | int | float | None) -> int | None:
    """The severity_number a sender's word or number means; None when it is not known.

    Words are read in any case. Numbers are read by the one scale that uses them: 0–7 are
    syslog's, 10, 20, … 60 are pino's and bunyan's, the rest of 1–24 are OpenTelemetry's.
    A field that is by name an OpenTelemetry number goes to `otel_severity_number` instead.
    """
    if isinstance(value, str):
        known = _NUMBER_OF_WORD.get(value)
        return known if known is not None else _word_number(value)
    if value is None or isinstance(value, bool) or value != value or value in _INFINITIES:
        return None
    number = int(value)
    if number != value:
        return None
    if 0 <= number <= 7:
        return SYSLOG_SEVERITIES[number]
    if number in _PINO_LEVELS:
        return _PINO_LEVELS[number]
    return number if 1 <= number <= 24 else None


_INFINITIES = (float("inf"), float("-inf"))


def otel_severity_number(value: object) -> int | None:
    """1–24 of a field such as `severity_number`; 0 (unspecified) is info; else None."""
    if isinstance(value, str) and _NUMERIC.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if value == 0:
        return int(Severity.INFO)
    return int(value) if 1 <= value <= 24 and value == int(value) else None


def own_word(text: str, number: int) -> str | None:
    """The sender's word when it says more than the group's own word, else None."""
    return None if text.lower() == SEVERITY_WORDS[(number - 1) // 4] else text


def _word_number(text: str) -> int | None:
    word = text.strip().strip("[]<>():").lower()
    if word in _NUMBER_OF_WORD:
        return _NUMBER_OF_WORD[word]
    if _NUMERIC.fullmatch(word):
        return severity_number(float(word))
    # OpenTelemetry's short names: ERROR2 is 18, INFO4 is 12.
    numbered = _NUMBERED_WORD.fullmatch(word)
    if numbered and numbered[1] in _NUMBER_OF_WORD and len(numbered[1]) > 1:
        return min(_NUMBER_OF_WORD[numbered[1]] + int(numbered[2]) - 1, _last_of(numbered[1]))
    # Go's slog: its levels are four apart as here, ERROR+2 is 19 and DEBUG-2 is 3.
    offset = _OFFSET_WORD.fullmatch(word)
    if offset:
        return min(max(_NUMBER_OF_WORD[offset[1]] + int(offset[2]), 1), 24)
    # Loggers that prefix the word: `level.error`, `SEVERITY_WARNING`, `LOG_ERR`.
    tail = re.split(r"[._]", word)[-1]
    return _NUMBER_OF_WORD.get(tail) if len(tail) > 1 and tail != word else None


def _last_of(word: str) -> int:
    return Severity.of(_NUMBER_OF_WORD[word]).last_number
