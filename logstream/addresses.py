"""Ports that can be had, addresses that answer, and how to show them."""

import http.client
import ipaddress
import os
import re
import socket
import sys
from contextlib import suppress
from urllib.parse import urlsplit

import psutil

from logstream.errors import SettingsError


def check_port(host: str, port: int, option: str, variable: str) -> None:
    """Raises SettingsError, naming the holder when it can be seen, if the port cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror:
        raise SettingsError(
            f"LOGSTREAM_HOST={host} is no address of this machine", "use for example 127.0.0.1"
        ) from None
    except PermissionError:
        raise SettingsError(
            f"port {port} may not be used by this user", f"choose one above 1023 with {option}"
        ) from None
    except OSError as error:
        if not port_holder(port):
            raise SettingsError(
                f"cannot listen on {host} port {port}: {error.strerror}",
                f"choose another with {option} ({variable}) or LOGSTREAM_HOST",
            ) from None
        raise SettingsError(
            f"port {port} is taken by {port_holder(port)}",
            f"stop that, or choose another with {option} ({variable})",
        ) from None


def port_holder(port: int) -> str:
    """Who listens on a TCP port, in words; empty when nobody that we may see does."""
    with suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port:
                if connection.pid is None:
                    return "another user's process"
                return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    return ""


def url_host(host: str) -> str:
    """What to put into a URL to reach a server of this machine that listens on `host`.

    A server on every interface is reached over the loopback; IPv6 stands in brackets.
    """
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"[{host}]" if ":" in host and host[0] != "[" else host


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens on `host`, an address or a name."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        pass
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    return all(ipaddress.ip_address(one.partition("%")[0]).is_loopback for one in found)


def has_screen() -> bool:
    """Whether a person sits at a terminal of a desktop, where a browser can be opened."""
    return sys.stdout.isatty() and (
        sys.platform in ("darwin", "win32")
        or any(name in os.environ for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    )


def answers(address: str) -> bool:
    """Whether a GET of this http address gives 200 within a second."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=1)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def without_password(url: str) -> str:
    """The database's address, fit for the screen."""
    parts = urlsplit(url)
    query = re.sub(r"((?:^|&)\w*password=)[^&]*", r"\1***", parts.query)
    user, at, place = parts.netloc.rpartition("@")
    if ":" in user:
        user = user.split(":", 1)[0] + ":***"
    # Not geturl(): it drops the slashes of an address without a host (a socket's).
    return f"{parts.scheme}://{user}{at}{place}{parts.path}{'?' if query else ''}{query}"
