"""Start and stop: the server with everything that runs beside it, and the worker without it."""

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator

import click
import structlog
import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from api.app import Twin, create_app, open_twin
from api.guard import allowed_hosts
from api.http import Http
from api.wire import SharedFrames
from identity import accounts
from twin import jobs
from twin.errors import Conflict
from twin.settings import Settings

log = structlog.get_logger()
BACKLOG = 2048
GRACE_S = 10  # for requests at hand
SOCKET_GRACE_S = 2  # for a live socket to take what it has still been sent
YOUNG = 50_000  # objects made before the garbage collector looks: by then what a batch of readings made is gone


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: those end the process before ingest is drained."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        """Stop when the requests at hand are answered; asked twice, at once."""
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what was asked, close live sockets with 1012 (come back). One whose browser sleeps is dropped."""
        drop = asyncio.get_running_loop().call_later(SOCKET_GRACE_S, self._drop_sockets)
        try:
            await super().shutdown(sockets)
        finally:
            drop.cancel()

    def _drop_sockets(self) -> None:
        for connection in list(self.server_state.connections):
            if isinstance(connection, WebSocketsSansIOProtocol):
                connection.transport.abort()


Hook = Callable[[Twin, str], Coroutine[None, None, None]]


async def serve_forever(settings: Settings, *, opened: Hook | None = None, started: Hook | None = None) -> None:
    """Serve until SIGINT or SIGTERM. `opened` is called with the address to be before anything is served, `started`
    once requests are answered."""
    listener = bind(settings.host, settings.port)
    host, port = listener.getsockname()[:2]
    address = f"http://{'localhost' if host in ('127.0.0.1', '::1') else host}:{port}/"
    async with open_twin(settings) as twin:
        if opened:
            await opened(twin, address)
        async with twin.db.transaction() as conn:
            password = await accounts.ensure_administrator(conn)
        if password:
            click.echo(f"First start. Sign in as administrator with the password {password} (shown only now).")
        Http.head_timeout = settings.request_stall.total_seconds()  # uvicorn makes them, one per connection
        config = uvicorn.Config(
            create_app(twin, hosts=allowed_hosts(settings.host, settings.hosts)),
            http=Http,
            h11_max_incomplete_event_size=settings.header_limit,
            ws=SharedFrames,
            ws_per_message_deflate=False,
            ws_max_size=1 << 20,
            ws_ping_interval=20,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=list(settings.trusted_proxies),
            timeout_graceful_shutdown=GRACE_S,
        )
        server = _Server(config)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, server.stop)
        serving = asyncio.create_task(server.serve(sockets=[listener]), name="http")
        while not server.started and not serving.done():  # noqa: ASYNC110  uvicorn has no event for it
            await asyncio.sleep(0.01)
        if not serving.done():
            _leave_alone_what_stays()
            click.echo(f"Serving on {address}")
        beside = asyncio.create_task(started(twin, address), name="started") if started else None
        try:
            await asyncio.wait({serving, beside} if beside else {serving}, return_when=asyncio.FIRST_COMPLETED)
            if beside and beside.done():
                beside.result()
            await serving
        finally:
            server.should_exit = True
            if beside:
                beside.cancel()
                await asyncio.gather(beside, return_exceptions=True)
            await asyncio.gather(serving, return_exceptions=True)


def _leave_alone_what_stays() -> None:
    """Keep the garbage collector from looking through modules, routes and points again and again: 0.3 s every time, in
    which nobody is answered."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; raise Conflict when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sets TCP_NODELAY on what it accepts; without, the second piece of every answer
    # waits some 40 ms for the client's acknowledgement of the first.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise Conflict("server.port", host=host, port=port, reason=error.strerror) from error
    return listener


async def work_forever(settings: Settings) -> None:
    """Run jobs until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with open_twin(settings, serving=False) as twin:
        worker = asyncio.create_task(jobs.run_worker(twin.db, twin.handlers(), settings=settings), name="worker")
        click.echo("Working. Ctrl+C stops.")
        await asyncio.wait({worker, asyncio.create_task(stop.wait())}, return_when=asyncio.FIRST_COMPLETED)
        worker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await worker
