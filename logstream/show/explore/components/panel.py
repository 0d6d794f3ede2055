"""How a panel is mounted.

Clicks are followed in a callback, so before anything is drawn: one run of the page a click.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from logstream.show.asked import Asked, following
from logstream.show.palette import SERVICE_PALETTE

HERE = Path(__file__).parent
SHOW = HERE.parents[1]
# Text and numbers as people read them, and what all panels are built with.
_COMMON = (
    SHOW / "live_feed" / "text.js",
    SHOW / "live_feed" / "leaving.js",
    SHOW / "live_trend" / "counts.js",
    HERE / "panel.js",
)


class Panel:
    """A component under `name`, made of these files beside what all panels have in common."""

    def __init__(self, name: str, *files: Path) -> None:
        self._name = name
        self._scripts = (*_COMMON, *(file for file in files if file.suffix == ".js"))
        self._styles = (HERE / "panel.css", *(file for file in files if file.suffix == ".css"))
        self._mounts: list[Any] = []

    def __call__(
        self, data: Mapping[str, Any], *, key: str, follow: Callable[[Asked], None]
    ) -> None:
        """Draw it; `follow` is told what was clicked, as a Streamlit callback."""
        self._mount()(key=key, data={**data, "key": key}, on_asked_change=following(key, follow))

    def _mount(self) -> Any:
        # Registered on first use: importing this module must not need a running Streamlit.
        if not self._mounts:
            self._mounts.append(
                st.components.v2.component(
                    f"logstream_{self._name}",
                    html=f"<div class='panel {self._name}'></div>",
                    css="\n".join(path.read_text("utf-8") for path in self._styles),
                    js=self.script(),
                )
            )
        return self._mounts[0]

    def script(self) -> str:
        """The whole module as the browser gets it."""
        return "\n".join(path.read_text("utf-8") for path in self._scripts)


def service_palette() -> list[str]:
    """The colours of services as CSS, each for both themes."""
    light, dark = SERVICE_PALETTE["light"], SERVICE_PALETTE["dark"]
    return [f"light-dark({one},{other})" for one, other in zip(light, dark, strict=True)]
