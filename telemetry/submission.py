"""Submissions on their way through ingest: what came together, and what became of each once all were stored."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from telemetry.decode import Refusal, Rejected
from telemetry.sources import SourceRef
from telemetry.store import ACCEPTED, CONFLICT, DUPLICATE, Readings, SourceCount
from telemetry.validate import Piece
from twin.db import Conn
from twin.errors import Language


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a submission; given after the commit."""

    accepted: int
    duplicate: int
    rejected: list[Rejected]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a submission, before the commit."""

    accepted: int
    duplicate: int
    refused: list[Refusal]


Together = Callable[[Conn, Outcome], Awaitable[None]]
"""Is called in the transaction that stores a submission: what it writes is committed with the readings, or not."""


@dataclass(slots=True)
class Job:
    """A submission in line, and who waits for its receipt."""

    source: SourceRef
    piece: Piece
    lang: Language
    done: asyncio.Future[Receipt]
    live: bool = True
    again: bool = False  # what is refused of it is in quarantine already, and its source has been counted
    together: Together | None = None

    @property
    def rows(self) -> int:
        """Readings, refused ones included."""
        return len(self.piece.handle) + len(self.piece.refused)


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one job."""

    job: Job
    accepted: int
    duplicate: int
    refused: list[Refusal]

    def receipt(self) -> Receipt:
        """The answer to whoever sent it, in their language."""
        shown = (each.shown(self.job.lang) for each in self.refused)
        return Receipt(self.accepted, self.duplicate, sorted(shown, key=lambda each: each.index))


def fail(jobs: Sequence[Job], error: Exception) -> None:
    """Answer all of them with an error."""
    for job in jobs:
        if not job.done.done():
            job.done.set_exception(error)


def joined(jobs: Sequence[Job]) -> Readings:
    """The readings of all jobs, one after the other."""
    pieces = [job.piece for job in jobs]
    txt: NDArray[np.object_] | None = None
    if any(piece.txt is not None for piece in pieces):
        texts = [text for piece in pieces for text in (piece.txt or [None] * len(piece.handle))]
        txt = np.array(texts, dtype=object)
    return Readings(
        handle=np.concatenate([piece.handle for piece in pieces]),
        ts=np.concatenate([piece.ts for piece in pieces]),
        num=np.concatenate([piece.num for piece in pieces]),
        quality=np.concatenate([piece.quality for piece in pieces]),
        source=np.concatenate([np.full(len(job.piece.handle), job.source.id) for job in jobs]),
        txt=txt,
    )


def _spans(jobs: Sequence[Job]) -> Iterator[tuple[Job, slice]]:
    start = 0
    for job in jobs:
        end = start + len(job.piece.handle)
        yield job, slice(start, end)
        start = end


def settle(jobs: Sequence[Job], outcome: NDArray[np.uint8]) -> list[Settled]:
    """What became of each job; `outcome` is that of all their readings, one after the other."""
    settled = []
    for job, span in _spans(jobs):
        mine = outcome[span]
        conflicts = [job.piece.refuse(row, "reading.conflict") for row in np.flatnonzero(mine == CONFLICT).tolist()]
        accepted, duplicate = (int(np.count_nonzero(mine == kind)) for kind in (ACCEPTED, DUPLICATE))
        settled.append(Settled(job, accepted, duplicate, job.piece.refused + conflicts))
    return settled


def counts_of(settled: Sequence[Settled]) -> list[SourceCount]:
    """One count per source; several jobs of a source are added up."""
    by_source: dict[int, list[Settled]] = {}
    for each in settled:
        by_source.setdefault(each.job.source.id, []).append(each)
    counts = []
    for source, group in by_source.items():
        skews = [each.job.piece.skew_us for each in group if each.job.piece.skew_us is not None]
        counts.append(
            SourceCount(
                source_id=source,
                accepted=sum(each.accepted for each in group),
                duplicate=sum(each.duplicate for each in group),
                rejected=sum(len(each.refused) for each in group),
                skew_us=float(np.median(skews)) if skews else None,
            )
        )
    return counts
