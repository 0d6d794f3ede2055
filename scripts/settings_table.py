"""The README's table of settings, made from `logstream/settings.py`.

`python -m scripts.settings_table` rewrites the README between its two markers; a test
fails when the two differ.
"""

from pathlib import Path

from pydantic_core import PydanticUndefined

from logstream.settings import Settings

README = Path(__file__).resolve().parents[1] / "README.md"
BEGIN, END = "<!-- settings: begin -->", "<!-- settings: end -->"


def settings_table() -> str:
    """A Markdown table: variable, default, meaning."""
    lines = ["| Variable | Default | Meaning |", "|---|---|---|"]
    for field in Settings.model_fields.values():
        default = field.default
        is_short = default not in (None, PydanticUndefined) and not isinstance(default, tuple)
        shown = f"`{default}`" if is_short else ""
        lines.append(f"| `{field.alias}` | {shown} | {field.description} |")
    return "\n".join(lines)


def with_table(readme: str) -> str:
    """The README's text with the table between the markers replaced."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{settings_table()}\n{END}{after}"


if __name__ == "__main__":
    README.write_text(with_table(README.read_text()))
