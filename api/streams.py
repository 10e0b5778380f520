"""Answers that are written while they are read from the database."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

Piece = TypeVar("Piece", str, bytes)


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
