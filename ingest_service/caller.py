"""Who asks, as the rest of the service needs to know it."""

from collections.abc import Iterable
from dataclasses import replace

import msgspec

from logstream.errors import Forbidden
from logstream.filter import Choice, LogFilter


class Caller(msgspec.Struct, frozen=True, gc=False):
    """Who asks.

    `key` is the visible part of its API key, empty without one; `environment` the only one it
    may write to or read, None when it may any.
    """

    key: str = ""
    environment: str | None = None

    def narrowed(self, log_filter: LogFilter) -> LogFilter:
        """The filter within the caller's environment; raises Forbidden for another one."""
        if self.environment is None:
            return log_filter
        asked = log_filter.environment
        self.check_environments(asked.only)
        return replace(log_filter, environment=Choice((self.environment,), asked.excluded))

    def may_read(self, environment: str) -> bool:
        """Whether lines of this environment are the caller's to see."""
        return self.environment is None or environment == self.environment

    def check_environments(self, names: Iterable[str]) -> None:
        """Raise Forbidden when one of them is not the caller's."""
        for name in names:
            if self.environment is not None and name != self.environment:
                raise Forbidden(
                    f"key {self.key} may read environment '{self.environment}' only, not '{name}'",
                    "leave env out, or use a key made with --environment all",
                )


ANYBODY = Caller()
