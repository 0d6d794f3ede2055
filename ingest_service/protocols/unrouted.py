"""Formats that come in by a listener and not over HTTP; explained and sent again like others."""

from ingest_service.protocols.native import reply
from ingest_service.protocols.protocol import Protocol
from logstream.receive import forward, syslog

SYSLOG = Protocol("syslog", syslog.decode, reply)
FORWARD = Protocol("forward", forward.decode, reply)
