"""Figures as a table for people and as JSON for programs."""

import json
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Row:
    """One measured figure."""

    what: str
    unit: str
    value: float


def table(title: str, rows: list[Row]) -> str:
    """Aligned columns: what, figure, unit."""
    width = max(len(row.what) for row in rows)
    lines = [title, "-" * len(title)]
    lines += [f"{row.what:<{width}}  {_number(row.value):>12}  {row.unit}" for row in rows]
    return "\n".join(lines)


def machine_words() -> str:
    """The machine in one line, for every table that is quoted."""
    memory = psutil.virtual_memory().total / 2**30
    return f"{psutil.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}"


def write_json(path: Path, tables: dict[str, list[Row]]) -> None:
    """All tables in one file."""
    content = {
        "machine": machine_words(),
        "tables": {title: [asdict(row) for row in rows] for title, rows in tables.items()},
    }
    path.write_text(json.dumps(content, indent=1) + "\n")


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"
