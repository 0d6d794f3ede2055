"""How long lines and spans are kept: a default, exceptions by environment and severity."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from logstream.model import SEVERITY_WORDS, Severity

ANY = "*"
LONGEST_DAYS = 36_500


@dataclass(frozen=True)
class RetentionRules:
    """Days by (environment, severity word), either of them `*`; 0 keeps lines for ever.

    The most specific rule wins: environment and severity, then severity, then environment,
    then the default.
    """

    default_days: int = 0
    days_by_kind: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str, default_days: int = 0) -> "RetentionRules":
        """`staging=7,*/debug=3`; raises ValueError naming the part that is not a rule."""
        found: dict[tuple[str, str], int] = {}
        for part in (part.strip() for part in text.split(",")):
            if not part:
                continue
            kind, equals, days = (piece.strip() for piece in part.rpartition("="))
            if not equals or not kind:
                raise ValueError(f"'{part}' is not ENVIRONMENT[/SEVERITY]=DAYS")
            if not days.isascii() or not days.isdigit() or int(days) > LONGEST_DAYS:
                raise ValueError(f"'{part}' needs whole days from 0 to {LONGEST_DAYS} after the =")
            environment, slash, severity = (piece.strip() for piece in kind.rpartition("/"))
            if not slash:
                environment, severity = kind, ANY
            severity = severity.lower()
            if severity not in (*SEVERITY_WORDS, ANY):
                raise ValueError(
                    f"'{part}' names severity '{severity}'; use {', '.join(SEVERITY_WORDS)} or *"
                )
            if (environment, severity) in found:
                raise ValueError(f"'{part}' says again how long {kind} is kept")
            found[environment or ANY, severity] = int(days)
        return cls(default_days, found)

    def days(self, environment: str, severity_number: int) -> int:
        """Days to keep such lines; 0 for ever."""
        word = Severity.of(severity_number).word
        for kind in ((environment, word), (ANY, word), (environment, ANY), (ANY, ANY)):
            if kind in self.days_by_kind:
                return self.days_by_kind[kind]
        return self.default_days

    def span_days(self) -> tuple[int, dict[str, int]]:
        """(default, exceptions by environment) in days; a rule for a severity means no span."""
        by_environment = {
            environment: days
            for (environment, severity), days in self.days_by_kind.items()
            if severity == ANY
        }
        return by_environment.pop(ANY, self.default_days), by_environment

    @property
    def removes_something(self) -> bool:
        """False when every line is kept for ever."""
        return bool(self.default_days or any(self.days_by_kind.values()))

    def words(self) -> str:
        """`30 days, 2 exceptions`; `for ever`."""
        days = self.default_days
        default = "for ever" if not days else "1 day" if days == 1 else f"{days} days"
        count = len(self.days_by_kind)
        if not count:
            return default
        return f"{default}, {count} exception{'s' if count > 1 else ''}"
