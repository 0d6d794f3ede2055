"""A proxy in front of PostgreSQL that cuts connections in the middle of what they say."""

import asyncio
import random
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg.conninfo


class CuttingProxy:
    """While `is_cutting`, a connection ends after some bytes to the server, or loses an answer."""

    def __init__(self, database_url: str, socket_dir: Path, chance: random.Random) -> None:
        where = psycopg.conninfo.conninfo_to_dict(database_url)
        self._host, self._port = str(where["host"]), int(where.get("port") or 5432)
        self._chance = chance
        self._path = socket_dir / ".s.PGSQL.5432"
        self.url = f"postgresql://{where['user']}@/{where['dbname']}?host={quote(str(socket_dir))}&port=5432"
        self.is_cutting = False
        self.cuts = 0

    async def run(self, is_ready: threading.Event) -> None:
        """Until cancelled."""
        server = await asyncio.start_unix_server(self._connected, self._path)
        is_ready.set()
        async with server:
            await server.serve_forever()

    async def _connected(
        self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter
    ) -> None:
        if self._host.startswith("/"):
            socket = f"{self._host}/.s.PGSQL.{self._port}"
            server, to_server = await asyncio.open_unix_connection(socket)
        else:
            server, to_server = await asyncio.open_connection(self._host, self._port)
        # Log-uniform: some end in the handshake, most in a COPY. Or the answer that is lost.
        bytes_left = int(10 ** self._chance.uniform(2, 6.5))
        answers_left = int(10 ** self._chance.uniform(0, 2.5))

        async def ask() -> None:
            nonlocal bytes_left
            while data := await client.read(65_536):
                if self.is_cutting and len(data) > bytes_left:
                    to_server.write(data[:bytes_left])
                    self.cuts += 1
                    return
                bytes_left -= len(data)
                to_server.write(data)
                await to_server.drain()

        async def answer() -> None:
            nonlocal answers_left
            while data := await server.read(65_536):
                answers_left -= 1
                if self.is_cutting and answers_left < 0:
                    self.cuts += 1
                    return
                to_client.write(data)
                await to_client.drain()

        tasks = [asyncio.create_task(one()) for one in (ask, answer)]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for writer in (to_server, to_client):
            writer.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def cutting_proxy(database_url: str, seed: int) -> Iterator[CuttingProxy]:
    """A proxy that runs beside the test; at first it cuts nothing."""
    # Not in pytest's folder: a socket's path may have about 100 characters only.
    socket_dir = Path(tempfile.mkdtemp(prefix="logstream-proxy-"))
    proxy = CuttingProxy(database_url, socket_dir, random.Random(seed))
    loop = asyncio.new_event_loop()
    is_ready = threading.Event()
    task = loop.create_task(proxy.run(is_ready))

    def serve() -> None:
        asyncio.set_event_loop(loop)
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.get_loop().run_until_complete(asyncio.wait([task]))

    thread = threading.Thread(target=serve, name="proxy")
    thread.start()
    is_ready.wait(30)
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(30)
        shutil.rmtree(socket_dir)
