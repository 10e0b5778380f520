"""HTTP/1.1 as uvicorn speaks it, with a time limit for the head of a request and answers that say what was wrong."""

import asyncio
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.guard import API_POLICY, HEADERS
from api.problems import problem

LINGER_S = 1.0  # for a client that still speaks to hear what was wrong: a close at once would reset the connection


class Http(H11Protocol):
    """uvicorn waits for ever for the rest of a head; one byte a minute would hold a connection open."""

    head_timeout: ClassVar[float] = 20.0  # s
    _head_timer: asyncio.TimerHandle | None = None
    _refused = False  # answered for good; what still comes is thrown away

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.trailing_data[0]:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._unwatch()
        super().handle_websocket_upgrade(event)

    def _watch(self) -> None:
        """Run the clock while a head is awaited; more bytes of it do not set it back."""
        if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            self._unwatch()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_timeout, self._head_stalled)

    def _unwatch(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_stalled(self) -> None:
        self._head_timer = None
        if not self.conn.trailing_data[0]:
            self.transport.close()  # opened in advance, as browsers do, and never used
        elif not self.transport.is_closing():
            self._answer(408, "request.stalled", "The head of the request did not come to its end in time.")

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP request."""
        limit = self.config.h11_max_incomplete_event_size or 0
        if limit and len(self.conn.trailing_data[0]) > limit:
            self._answer(431, "request.head_too_large", f"The head of a request has at most {limit} bytes.")
        else:
            self._answer(400, "request.not_http", msg)

    def _answer(self, status: int, code: str, detail: str) -> None:
        if self.conn.our_state is h11.IDLE or self.conn.our_state is h11.SEND_RESPONSE:
            body = bytes(problem(status, code, detail, "en").body)
            headers = {**HEADERS, "content-security-policy": API_POLICY, "content-type": "application/problem+json"}
            headers |= {"content-length": str(len(body)), "cache-control": "no-store", "connection": "close"}
            for event in (
                h11.Response(status_code=status, headers=list(headers.items())),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self._refused = True
        self._unwatch()
        self.transport.write_eof()
        self.loop.call_later(LINGER_S, self.transport.close)
