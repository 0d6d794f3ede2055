"""The listeners that the settings ask for, opened and closed together."""

import asyncio
import logging
import socket

from ingest_service.admission import Admission
from ingest_service.listeners.chunks import Chunks
from ingest_service.listeners.connections import StreamListener
from ingest_service.listeners.datagrams import (
    RECEIVE_BUFFER_BYTES,
    DatagramListener,
    ReadDatagram,
    enlarge_receive_buffer,
)
from ingest_service.listeners.forward import ForwardReader
from ingest_service.listeners.framing import GelfFramer, SyslogFramer
from ingest_service.listeners.landing import Lander
from ingest_service.listeners.messages import MessageReader
from ingest_service.listeners.networks import Networks
from ingest_service.protocols.gelf import decompress
from logstream.errors import LogStreamError, SettingsError
from logstream.model import LogRecord, Reject
from logstream.ports import LogWriter
from logstream.receive import gelf, syslog
from logstream.receive.native_values import Defaults
from logstream.settings import MEBIBYTE, Settings

log = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = MEBIBYTE


class Listeners:
    """Binds the ports at once; receives from `start` to `close`.

    Raises SettingsError when a port cannot be had.
    """

    def __init__(self, settings: Settings, writer: LogWriter, admission: Admission) -> None:
        self._settings = settings
        self._writer = writer
        self._admission = admission
        self._networks = Networks(settings.listener_networks)
        self._landers: list[Lander] = []
        self._datagrams: list[DatagramListener] = []
        self._streams: list[StreamListener] = []
        self._sockets: list[socket.socket] = []
        try:
            self._open()
        except SettingsError:
            for bound in self._sockets:
                bound.close()
            raise

    async def start(self) -> None:
        """Begin to receive."""
        for datagrams in self._datagrams:
            datagrams.start()
        for stream in self._streams:
            await stream.start()

    async def close(self) -> None:
        """Receive no more, and land what was received."""
        for lander in self._landers:
            lander.stop_trying()
        await asyncio.gather(
            *(datagrams.close() for datagrams in self._datagrams),
            *(stream.close() for stream in self._streams),
        )

    def _open(self) -> None:
        settings = self._settings
        limit = min(settings.max_body_bytes, MAX_MESSAGE_BYTES)
        zone = settings.naive_timezone
        if settings.syslog_port:
            port, variable = settings.syslog_port, "LOGSTREAM_SYSLOG_PORT"
            tcp, udp = self._bind(port, variable)
            self._add_datagrams(udp, "syslog_udp", _read_syslog)
            lander = self._lander("syslog_tcp")
            reader = MessageReader(lambda: SyslogFramer(limit), _read_syslog, lander, zone)
            self._streams.append(StreamListener("syslog_tcp", tcp, reader.take, self._networks))
        if settings.gelf_port:
            tcp, udp = self._bind(settings.gelf_port, "LOGSTREAM_GELF_PORT")
            datagrams = GelfDatagrams(limit)
            listener = self._add_datagrams(udp, "gelf_udp", datagrams.read)
            datagrams.chunks = Chunks(lambda pieces: listener.drop(pieces, "incomplete"))
            lander = self._lander("gelf_tcp")
            reader = MessageReader(lambda: GelfFramer(limit), _read_gelf, lander, zone)
            self._streams.append(StreamListener("gelf_tcp", tcp, reader.take, self._networks))
        if settings.forward_port:
            tcp = self._bind_one(
                socket.SOCK_STREAM, settings.forward_port, "LOGSTREAM_FORWARD_PORT"
            )
            forward = ForwardReader(
                self._lander("forward"),
                zone,
                settings.max_body_bytes,
                settings.max_pending_bytes,
                settings.max_records,
            )
            self._streams.append(StreamListener("forward", tcp, forward.take, self._networks))

    def _lander(self, name: str) -> Lander:
        lander = Lander(name, self._writer, self._admission, self._settings.default_environment)
        self._landers.append(lander)
        return lander

    def _add_datagrams(self, udp: socket.socket, name: str, read: ReadDatagram) -> DatagramListener:
        granted = enlarge_receive_buffer(udp)
        if granted < RECEIVE_BUFFER_BYTES:
            log.warning(
                "%s: the kernel gives the socket only %d KiB, too little for bursts; "
                "set net.core.rmem_max to %d",
                *(name, granted // 1024, RECEIVE_BUFFER_BYTES),
            )
        listener = DatagramListener(
            udp, read, self._lander(name), self._networks, self._settings.naive_timezone
        )
        self._datagrams.append(listener)
        return listener

    def _bind(self, port: int, variable: str) -> tuple[socket.socket, socket.socket]:
        return (
            self._bind_one(socket.SOCK_STREAM, port, variable),
            self._bind_one(socket.SOCK_DGRAM, port, variable),
        )

    def _bind_one(self, kind: socket.SocketKind, port: int, variable: str) -> socket.socket:
        host = self._settings.host
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        bound = socket.socket(family, kind)
        self._sockets.append(bound)
        bound.setblocking(False)
        if kind == socket.SOCK_STREAM:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, port))
        except OSError as error:
            words = "TCP" if kind == socket.SOCK_STREAM else "UDP"
            raise SettingsError(
                f"{words} port {port} on {host} cannot be used: {error.strerror}",
                f"choose another with {variable}, or stop what holds it",
            ) from None
        return bound


class GelfDatagrams:
    """Reads datagrams that may be compressed, or pieces of a message."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self.chunks = Chunks(lambda _pieces: None)

    def read(
        self, datagram: bytes, defaults: Defaults, index: int, sender: str
    ) -> LogRecord | Reject | None:
        """The record of a message that the datagram completes."""
        message = self.chunks.add(datagram, sender, defaults.received_unix_nano)
        if message is None:
            return None
        try:
            message = decompress(message, "", self._limit_bytes)
        except LogStreamError as error:
            return Reject(index, error.one_line(), message[: gelf.MAX_REJECT_BYTES])
        return _read_gelf(message, defaults, index, sender)


def _read_syslog(message: bytes, defaults: Defaults, index: int, sender: str) -> LogRecord | Reject:
    return syslog.record_or_reject(message, defaults, index, sender)


def _read_gelf(message: bytes, defaults: Defaults, index: int, _sender: str) -> LogRecord | Reject:
    return gelf.record_or_reject(message, defaults, index)
