"""Landing what listeners received: as durable, and as exactly once, as over HTTP."""

import asyncio
import logging
from collections.abc import Sequence

from ingest_service.admission import ANYBODY, Admission
from logstream import metrics
from logstream.errors import StoreUnavailable
from logstream.model import Decoded, LogRecord, Reject
from logstream.ports import Batch, LogWriter

log = logging.getLogger(__name__)

RETRY_SECONDS = 0.5


class Lander:
    """Lands for one listener, under its format's name.

    While the store takes nothing (not even the spool), it tries again until told to stop: the
    sender cannot be asked to. `stop_trying` makes the next refusal final.
    """

    def __init__(
        self, format_name: str, writer: LogWriter, admission: Admission, environment: str
    ) -> None:
        self.format_name = format_name
        self.environment = environment
        self._writer = writer
        self._admission = admission
        self._stopped = asyncio.Event()

    def stop_trying(self) -> None:
        """From now on what the store refuses is given up, and said."""
        self._stopped.set()

    async def land(
        self,
        records: Sequence[LogRecord],
        rejects: Sequence[Reject],
        size_bytes: int,
        key: str | None = None,
    ) -> bool:
        """True once all is durable; False when it had to be given up."""
        if not records and not rejects:
            return True
        decoded = self._admission.prepare(Decoded(list(records), list(rejects)), ANYBODY)
        batch = Batch(
            decoded.records,
            decoded.rejects,
            key,
            size_bytes,
            self.environment,
            format=self.format_name,
        )
        metrics.BODY_BYTES.labels(self.format_name).inc(size_bytes)
        has_said = False
        while True:
            try:
                landed = await self._writer.land(batch)
                break
            except StoreUnavailable as error:
                if self._stopped.is_set():
                    log.error("%s: %d lines lost: %s", self.format_name, len(records), error)
                    metrics.LINES_REJECTED.labels(self.format_name, error.code).inc(len(records))
                    return False
                if not has_said:
                    log.warning("%s waits: %s", self.format_name, error)
                    has_said = True
            await self._pause()
        if landed.rejects:
            metrics.LINES_REJECTED.labels(self.format_name, "bad_record").inc(len(landed.rejects))
        if not landed.is_replay:
            by_environment: dict[str, int] = {}
            for record in decoded.records:
                by_environment[record.environment] = by_environment.get(record.environment, 0) + 1
            for environment, lines in by_environment.items():
                metrics.LINES_ACCEPTED.labels(self.format_name, environment).inc(lines)
        return True

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(RETRY_SECONDS):
                await self._stopped.wait()
        except TimeoutError:
            pass
