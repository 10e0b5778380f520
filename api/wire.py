"""Frames for many sockets: made once, written to each without a task, a timeout or a layer in between.

uvicorn's protocol frames every message anew for every socket, and a send through the layers of ASGI costs several
times the system call. A server's frames are not masked, so those of a message are the same bytes for all.
"""

from typing import Any, Final, Protocol

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode

EXTENSION: Final = "twin.frames"


class FrameWriter(Protocol):
    """Where finished frames can be written."""

    def write_now(self, frame: bytes) -> bool:
        """Write a whole frame if the socket takes it without waiting; say whether it did."""
        ...


class SharedFrames(WebSocketsSansIOProtocol):
    """A socket that says in its scope (`twin.frames`) that it takes finished frames."""

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        scope: Any = getattr(self, "scope", None)  # none where the handshake was refused
        if scope is not None and not self.conn.extensions:  # an extension (compression) would change the bytes
            scope["extensions"][EXTENSION] = self

    def write_now(self, frame: bytes) -> bool:
        if not self.handshake_complete or self.close_sent or self.disconnected:
            return False
        if not self.writable.is_set() or self.transport.is_closing():
            return False
        self.transport.write(frame)
        return True


def frame_of(message: bytes) -> bytes:
    """A message as a frame of a server: JSON as text, what begins with a version byte as it is."""
    kind = Opcode.TEXT if message[:1] == b"{" else Opcode.BINARY
    return Frame(kind, message).serialize(mask=False)
