"""What must not leave this machine is named by a stand-in in what a model reads.

The stand-in comes back in the model's answer and becomes the secret again: a question about an
e-mail address can be answered without telling the address.
"""

import re

from logstream.api_keys import without_keys
from logstream.receive.redaction import Redaction

# Beside what is masked on its way into the store: what people call secret by name.
ALWAYS = (
    "email,card,bearer,"
    r"secret=/(?i)(?P<kept>\b(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key)"
    r"[\"']?\s{0,3}[:=]\s{0,3}[\"']?)[^\s\"',;&]{3,512}/,"
    r"secret=/\b(?:sk|pk|ghp|gho|xox[abp]|AKIA)[-_A-Za-z0-9]{16,200}/"
)
_PLAIN = re.compile(r"[\w@.+-]+")
_STAND_IN = re.compile(r"\bwithheld-[\w]{1,40}-(\d{1,4})\b")


class Withheld:
    """The secrets of one conversation."""

    def __init__(self, own: Redaction | None = None) -> None:
        always = Redaction.parse(ALWAYS)
        self._redactions = [one for one in (always, own) if one is not None]
        self._names: dict[str, str] = {}

    @property
    def count(self) -> int:
        """How many different ones there are."""
        return len(self._names)

    def hidden(self, text: str) -> str:
        """The text with a stand-in for each secret, the same one for the same secret."""
        for redaction in self._redactions:
            text = redaction.replaced(text, self._stand_in)
        return without_keys(text)

    def shown(self, text: str, *, as_phrase: bool = False) -> str:
        """The inverse of `hidden`; a stand-in that was never given out stays as it is.

        `as_phrase`: in quotes where that keeps a secret in one piece in `q`.
        """
        secrets = list(self._names)

        def secret(match: re.Match[str]) -> str:
            place = int(match[1]) - 1
            if not 0 <= place < len(secrets) or self._names[secrets[place]] != match[0]:
                return match[0]
            known = secrets[place]
            is_quoted = text[: match.start()].count('"') % 2 == 1
            if not as_phrase or is_quoted or _PLAIN.fullmatch(known):
                return known
            return '"' + known.replace('"', " ") + '"'

        return _STAND_IN.sub(secret, text)

    def _stand_in(self, name: str, secret: str) -> str:
        if _STAND_IN.fullmatch(secret):
            return secret
        kind = re.sub(r"\W", "", name)[:40] or "secret"
        return self._names.setdefault(secret, f"withheld-{kind}-{len(self._names) + 1}")
