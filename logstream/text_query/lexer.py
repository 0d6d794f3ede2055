"""Cutting `q` into tokens.

A bracket at the beginning of a term groups; within a word, as in `foo(bar)`, it is part of it.
What only looks like an operator stays a word where that is the likelier meaning: `404 NOT
FOUND`, `()`, `:)`, `/api/cart`.
"""

import re
from collections.abc import Iterator
from typing import Any

from lark import Token
from lark.lexer import Lexer

from logstream.text_query.fields import LABELS
from logstream.text_query.mistakes import QueryError, did_you_mean

MAX_DEPTH = 50
KEY = r"(?:[^\W\d]|@)[\w./@-]*"
# A quote within quotes is written twice.
QUOTED = r'"((?:[^"]|"")*)"'
ALIASES = {"duration_ms": "latency"}

_PHRASE = re.compile(QUOTED)
QUOTED_TEST = re.compile(rf"({KEY}):{QUOTED}")
_UNCLOSED_TEST = re.compile(rf'({KEY}):"')
# An address, a path on Windows, `std::string` and `fe80::1` are words, not tests.
TEST = re.compile(rf'({KEY}):([^/\\:"].*)', re.DOTALL)
_OPERATOR = r">=|<=|!=|>|<|="
COMPARISON = re.compile(rf"({KEY}(?<=\w))\s*({_OPERATOR})\s*(.*)", re.DOTALL)
# Blanks around the sign only where the key leaves no doubt.
_SPACED = re.compile(
    rf"(severity|latency|duration_ms)(?:[ \t]+({_OPERATOR})[ \t]*|({_OPERATOR})[ \t]+)([^\s()]+)"
)
_COMPARED_VALUE = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,2})?([A-Za-zµ%]*)")
_REGEX = re.compile(r"/((?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\])+)/(?=[\s)]|\Z)", re.DOTALL)
_WHAT_MAKES_A_REGEX = re.compile(r"[\\\[(|*+?^$]")
# A lone star, and quotes around nothing.
_NOTHING = re.compile(r'-?(?:\*+|"")(?=[\s)]|\Z)')
_BLANK = re.compile(r"\s+")
_OPERATOR_WORD = re.compile(r"(OR|AND|NOT)(?=[\s()]|\Z)")


class QueryLexer(Lexer):
    """What lark asks for tokens."""

    def __init__(self, _conf: Any) -> None:
        pass

    def lex(self, lexer_state: Any, parser_state: Any = None) -> Iterator[Token]:
        """The tokens of a text; raises QueryError."""
        yield from tokens_of_query(str(lexer_state))


def tokens_of_query(text: str) -> Iterator[Token]:
    """The tokens of a text, in order; raises QueryError."""
    return _Scanner(text).tokens()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.opened: list[int] = []
        # Brackets that words have opened: `foo(a, b)` is two words and no group.
        self.open_in_words = 0
        self.has_operators = False
        self.last = ""

    def tokens(self) -> Iterator[Token]:
        while True:
            blank = _BLANK.match(self.text, self.at)
            self.at = blank.end() if blank else self.at
            if self.at >= len(self.text):
                break
            yield from self.term()
        # An operator with nothing behind it is the first thing to say.
        if self.opened and self.last not in ("_OR", "_AND", "MINUS"):
            at = self.opened[-1]
            raise QueryError(
                self.text,
                at,
                1,
                "`)` is missing for this bracket",
                f'{did_you_mean(closed)} For the sign itself: "("'
                if len(closed := self.text.rstrip() + ")" * len(self.opened)) < 60
                else 'add it, or for the sign itself: "("',
            )

    def term(self) -> Iterator[Token]:
        text, at = self.text, self.at
        sign = text[at]
        if sign == ")" and self.opened and not self.open_in_words:
            self.opened.pop()
            yield self.token("CLOSE", at + 1)
            return
        if operator := self.operator():
            self.has_operators = True
            kinds = {"OR": "_OR", "AND": "_AND", "NOT": "MINUS"}
            yield self.token(kinds[operator], at + len(operator))
            return
        if nothing := _NOTHING.match(text, at):
            self.at = nothing.end()
            return
        if sign == "-" and not _is_end(text, at + 1) and text[at + 1] != ")":
            yield self.token("MINUS", at + 1)
            if text[self.at] == "-":
                yield from self.word()
                return
            sign = text[self.at]
        if sign == "(" and self.is_group():
            self.has_operators = True
            self.opened.append(self.at)
            if len(self.opened) > MAX_DEPTH:
                raise QueryError(
                    text, self.at, 1, f"brackets are more than {MAX_DEPTH} deep", "make it simpler"
                )
            yield self.token("OPEN", self.at + 1)
            return
        yield from self.leaf(sign)

    def leaf(self, sign: str) -> Iterator[Token]:
        text, at = self.text, self.at
        if sign == '"':
            match = _PHRASE.match(text, at)
            if match is None:
                raise _unclosed(text, at, at)
            yield self.token("PHRASE", match.end())
            return
        if sign == "/" and (match := _REGEX.match(text, at)):
            is_meant = not _BLANK.search(match[1]) or _WHAT_MAKES_A_REGEX.search(match[1])
            if is_meant:
                yield self.token("REGEX", match.end())
                return
        if match := QUOTED_TEST.match(text, at):
            if match[2]:
                yield self.token("TEST", match.end())
                return
        elif match := _UNCLOSED_TEST.match(text, at):
            raise _unclosed(text, match.end() - 1, at)
        if match := _SPACED.match(text, at):
            yield self.token("COMPARISON", match.end(4))
            return
        yield from self.word()

    def word(self) -> Iterator[Token]:
        """What stands up to the next blank, or to the bracket that closes a group."""
        text, start = self.text, self.at
        at, balance = start, 0
        while at < len(text) and not text[at].isspace():
            if text[at] == "(":
                balance += 1
            elif text[at] == ")":
                if balance + self.open_in_words > 0:
                    balance -= 1
                elif self.opened:
                    break
                else:
                    self.check_unmatched(start, at)
            at += 1
        self.open_in_words = max(0, self.open_in_words + balance) if self.opened else 0
        word = text[start:at]
        kind = "WORD"
        if match := TEST.fullmatch(word):
            # Of a list of nothing, `service:,`, there is nothing to ask.
            kind = "TEST" if match[2].strip(",") or match[1] not in LABELS else "WORD"
        elif (match := COMPARISON.fullmatch(word)) and self.is_compared(match):
            kind = "COMPARISON"
        yield self.token(kind, at)

    def is_compared(self, match: re.Match[str]) -> bool:
        key, sign, value = match.groups()
        if key in LABELS or key in ALIASES:
            return True
        if sign == "=":
            return False
        if sign == "!=" and value in ("true", "false", "null"):
            return True
        return _COMPARED_VALUE.fullmatch(value) is not None

    def operator(self) -> str:
        match = _OPERATOR_WORD.match(self.text, self.at)
        if match is None:
            return ""
        if match[1] != "NOT":
            return match[1]
        rest = self.text[match.end() :].lstrip()
        following = re.match(r"\S*", rest)
        word = following[0] if following else ""
        # `404 NOT FOUND`, and a NOT with nothing behind it, are text.
        is_shouted = word == word.upper() and word != word.lower() and word[0] not in '("/-'
        return "" if not word or word[0] == ")" or is_shouted else "NOT"

    def is_group(self) -> bool:
        """True for `(a OR b)` and `(a)`, not for `()` and `(null)x`."""
        balance = 0
        for at in range(self.at, len(self.text)):
            sign = self.text[at]
            if sign.isspace():
                return True
            balance += (sign == "(") - (sign == ")")
            if balance == 0:
                is_last = _is_end(self.text, at + 1) or self.text[at + 1] == ")"
                return is_last and at > self.at + 1
        return True

    def check_unmatched(self, start: int, at: int) -> None:
        """A `)` too many is text, unless brackets or operators show that a group was meant."""
        is_beside = at > start or (at > 0 and not self.text[at - 1].isspace())
        if self.has_operators and _is_end(self.text, at + 1) and is_beside:
            word = self.text[start : at + 1]
            raise QueryError(
                self.text,
                at,
                1,
                "`)` closes nothing",
                did_you_mean(f'"{word}"') if '"' not in word and len(word) > 1 else "remove it",
            )

    def token(self, kind: str, end: int) -> Token:
        token = Token(kind, self.text[self.at : end], start_pos=self.at, end_pos=end)
        self.at, self.last = end, kind
        return token


def _is_end(text: str, at: int) -> bool:
    return at >= len(text) or text[at].isspace()


def _unclosed(text: str, quote: int, start: int) -> QueryError:
    rest = text[start:].rstrip()
    return QueryError(
        text,
        quote,
        1,
        "this quote is not closed",
        did_you_mean(f'{rest}"') if rest[-1] != '"' and len(rest) < 60 else 'add " where it ends',
    )
