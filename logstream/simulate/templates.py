"""The message templates of `templates.txt`, by service, operation and moment."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from logstream.model import SEVERITY_WORDS

EVERY_SERVICE = "*"
_EXCEPTION_MARK = " !! "


@dataclass(frozen=True)
class Template:
    """One message. `exception` is `Type: text`, written below it with a stack trace."""

    severity: str
    text: str
    exception: str = ""


class Templates(Mapping[str, Mapping[str, tuple[Template, ...]]]):
    """`templates["checkout place"]["done"]`: the candidates for one moment.

    What an operation does not say itself, its service says; what the service does not say,
    `[*]` says. Notes and warnings of `[*]` are left to services that have none.
    """

    def __init__(self, sections: dict[str, dict[str, list[Template]]]) -> None:
        self._sections = {
            name: {moment: tuple(found) for moment, found in moments.items()}
            for name, moments in sections.items()
        }
        self._resolved: dict[str, dict[str, tuple[Template, ...]]] = {}

    def __getitem__(self, name: str) -> Mapping[str, tuple[Template, ...]]:
        if name not in self._resolved:
            service = name.partition(" ")[0]
            merged = dict(self._sections[EVERY_SERVICE])
            own = self._sections.get(service, {})
            merged.update(own)
            merged["idle"] = own.get("idle", ()) + self._sections[EVERY_SERVICE]["idle"]
            if " " in name:
                merged.update(self._sections.get(name, {}))
            self._resolved[name] = merged
        return self._resolved[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sections)

    def __len__(self) -> int:
        return len(self._sections)

    def distinct_texts(self) -> set[str]:
        """Every different message text of the file."""
        return {
            template.text + template.exception
            for moments in self._sections.values()
            for found in moments.values()
            for template in found
        }


@cache
def load_templates() -> Templates:
    """The templates shipped with the package."""
    return parse_templates(files(__package__).joinpath("templates.txt").read_text("utf-8"))


def parse_templates(text: str) -> Templates:
    """Templates from the format explained at the head of `templates.txt`.

    Raises ValueError naming the line that cannot be read.
    """
    sections: dict[str, dict[str, list[Template]]] = {}
    section: dict[str, list[Template]] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("["):
            section = sections.setdefault(line.strip("[] "), {})
            continue
        parts = line.split(" ", 2)
        if section is None or len(parts) != 3 or parts[1] not in SEVERITY_WORDS:
            raise ValueError(f"line {number}: {line!r} is not `moment severity text`")
        moment, severity, rest = parts
        message, _, exception = rest.partition(_EXCEPTION_MARK)
        section.setdefault(moment, []).append(Template(severity, message, exception))
    return Templates(sections)
