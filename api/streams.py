"""Answers that are written while they are read from the database."""

from collections.abc import AsyncGenerator
from contextlib import aclosing


async def begun(stream: AsyncGenerator[str, None], pieces: int = 2) -> AsyncGenerator[str, None]:
    """Wait for the first pieces (a header and some rows), so that what is wrong is still a problem document: once the
    status has left, an error can only break the answer off."""
    first: list[str] = []
    while len(first) < pieces:
        try:
            first.append(await anext(stream))
        except StopAsyncIteration:
            break

    async def all_of_it() -> AsyncGenerator[str, None]:
        async with aclosing(stream):
            for piece in first:
                yield piece
            async for piece in stream:
                yield piece

    return all_of_it()
