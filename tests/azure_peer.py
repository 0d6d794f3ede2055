"""Azure as a service with an identity sees it: tokens from App Service, a hub behind HTTPS.

The hub takes only the bearer token that the token endpoint gives out, and hands what it lets
in on to a built-in hub. Its certificate is made here; whoever speaks to it must trust it.
"""

import datetime
import ipaddress
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from logstream.notify.built_in_hub import BuiltInHub
from tests.hub_server import ACCESS_KEY, HUB, free_port, wait_until

AUDIENCE = "https://webpubsub.azure.com"
IDENTITY_HEADER = "a-header-only-this-machine-knows"


@dataclass
class AzurePeer:
    """Where it is, what a process needs in its environment, and what it was asked."""

    port: int
    token_port: int
    certificate: Path
    hub: BuiltInHub
    token: str = "eyJ.a-token-of-this-machines-identity"
    allows: bool = True
    paths: list[str] = field(default_factory=list)
    tokens_given: int = 0

    @property
    def connection_string(self) -> str:
        return f"Endpoint=https://localhost:{self.port};Version=1.0;"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "WEBPUBSUB_CONNECTION_STRING": self.connection_string,
            "WEBPUBSUB_HUB": HUB,
            "SSL_CERT_FILE": str(self.certificate),
            "IDENTITY_ENDPOINT": f"http://127.0.0.1:{self.token_port}/msi/token",
            "IDENTITY_HEADER": IDENTITY_HEADER,
        }

    def guard(self, hub: ASGIApp) -> ASGIApp:
        """The hub behind the check of the identity's token."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await hub(scope, receive, send)
                return
            self.paths.append(f"{scope['method']} {scope['path']}")
            headers = dict(scope["headers"])
            if headers.get(b"authorization") != f"Bearer {self.token}".encode():
                await Response(status_code=401)(scope, receive, send)
                return
            if not self.allows:
                await Response(status_code=403)(scope, receive, send)
                return
            claims = {"aud": f"https://localhost{scope['path']}", "exp": int(time.time()) + 60}
            signed = jwt.encode(claims, ACCESS_KEY, algorithm="HS256")
            headers[b"authorization"] = f"Bearer {signed}".encode()
            await hub({**scope, "headers": list(headers.items())}, receive, send)

        return guarded

    async def give_token(self, request: Request) -> Response:
        """App Service's endpoint for the tokens of its identity."""
        if request.headers.get("x-identity-header") != IDENTITY_HEADER:
            return Response(status_code=401)
        if request.query_params.get("resource") != AUDIENCE:
            return Response(status_code=400)
        self.tokens_given += 1
        return JSONResponse(
            {
                "access_token": self.token,
                "expires_on": str(int(time.time()) + 3600),
                "resource": AUDIENCE,
                "token_type": "Bearer",
            }
        )


@contextmanager
def azure_peer(folder: Path) -> Iterator[AzurePeer]:
    """A peer with a certificate of its own, until the block ends."""
    certificate, key = _certificate(folder)
    hub = BuiltInHub(ACCESS_KEY, HUB)
    peer = AzurePeer(free_port(), free_port(), certificate, hub)
    applications: list[tuple[ASGIApp, dict[str, Any]]] = [
        (
            peer.guard(Starlette(routes=hub.routes())),
            {"port": peer.port, "ssl_certfile": str(certificate), "ssl_keyfile": str(key)},
        ),
        (
            Starlette(routes=[Route("/msi/token", peer.give_token)]),
            {"port": peer.token_port},
        ),
    ]
    servers = [
        uvicorn.Server(
            uvicorn.Config(
                application, log_level="error", timeout_graceful_shutdown=1, lifespan="off", **where
            )
        )
        for application, where in applications
    ]
    threads = [threading.Thread(target=server.run, daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    wait_until(lambda: all(server.started for server in servers), "the peer listens")
    try:
        yield peer
    finally:
        for server in servers:
            server.should_exit = True
        for thread in threads:
            thread.join(20)


def trusting(certificate: Path) -> ssl.SSLContext:
    """What a client in this process needs to speak to the peer."""
    return ssl.create_default_context(cafile=str(certificate))


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "peer.pem", folder / "peer.key"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate_file, key_file
