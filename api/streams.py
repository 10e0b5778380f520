"""Answers that are written while they are read from the database."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

Piece = TypeVar("Piece", str, bytes)


class Streamed(StreamingResponse):
    """A streamed answer that lets go of what it reads as soon as it ends, also when nobody takes it any more."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            if isinstance(self.body_iterator, AsyncGenerator):
                await self.body_iterator.aclose()


async def begun(stream: AsyncGenerator[Piece, None], pieces: int = 2) -> AsyncGenerator[Piece, None]:
    """Wait for the first pieces (a header and some rows), so that what is wrong is still a problem document: once the
    status has left, an error can only break the answer off."""
    first: list[Piece] = []
    while len(first) < pieces:
        try:
            first.append(await anext(stream))
        except StopAsyncIteration:
            break

    async def all_of_it() -> AsyncGenerator[Piece, None]:
        async with aclosing(stream):
            for piece in first:
                yield piece
            async for piece in stream:
                yield piece

    return all_of_it()
