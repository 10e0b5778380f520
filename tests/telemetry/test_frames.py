"""Frames: a building as it was at equally spaced moments, from rollups and from readings alike."""

import math
from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np
import pytest

from telemetry.decode import RawReading
from telemetry.frames import MOST_FRAMES, read_frames
from telemetry.ingest import Ingest
from telemetry.points import NewPoint
from telemetry.rollups import Rollups
from tests.telemetry.conftest import make_points, source_of
from twin.db import Database
from twin.errors import Invalid
from twin.settings import Settings

NOW = datetime.now(UTC).replace(minute=7, second=11, microsecond=0)
POINTS = [NewPoint(key=key, name=key, kind="number") for key in ("often", "seldom", "never")]
Story = list[tuple[datetime, float, str]]


def story(seed: int, every: timedelta, days: float) -> Story:
    """Readings of the last days; some of them bad, which no frame shows."""
    random = Random(seed)
    at, out = NOW - timedelta(days=days), Story()
    while at < NOW:
        out.append((at, float(len(out)), random.choice(("good", "good", "uncertain", "bad"))))
        at += every * random.uniform(0.2, 1.8)
    return out


def shown(readings: Story, at: datetime) -> float:
    """The newest usable value at a moment, NaN without one."""
    return next((value for ts, value, q in reversed(readings) if ts <= at and q != "bad"), math.nan)


async def test_each_frame_shows_what_was_newest_then_or_a_bucket_before(anywhere: Database) -> None:
    points = await make_points(anywhere, *POINTS)
    stories = {"often": story(1, timedelta(minutes=2), 3), "seldom": story(2, timedelta(hours=9), 4), "never": []}
    async with Ingest(anywhere, Settings(), clock=lambda: NOW.timestamp() + 86_400) as ingest:
        raw = [RawReading(key, ts, value, quality=q) for key, all_ in stories.items() for ts, value, q in all_]  # type: ignore[arg-type]
        assert not (await ingest.submit(await source_of(ingest), raw)).rejected
    await Rollups(anywhere).catch_up(now=NOW - timedelta(minutes=30))  # the rest only stands in the readings
    for hours, count, width in ((0.5, 61, 0), (2.5, 31, 5), (24, 97, 5), (70, 25, 60)):
        start = NOW - timedelta(hours=hours)
        async with anywhere.connection() as conn:
            frames = await read_frames(conn, points[0].building_id, start, NOW, count)
        assert frames.handles == [point.handle for point in points]
        assert frames.values.shape == (count, 3)
        for i in range(count):
            at = start + i * frames.step
            for j, key in enumerate(stories):
                found = float(frames.values[i, j])
                lag = timedelta(minutes=width)
                newest, oldest = shown(stories[key], at), shown(stories[key], at - lag)
                if math.isnan(found):
                    assert math.isnan(oldest), (key, at)
                else:
                    assert (0 if math.isnan(oldest) else oldest) <= found <= newest, (key, at, width)
    assert np.isnan(frames.values[:, 2]).all()


async def test_a_window_that_makes_no_frames_is_refused(anywhere: Database) -> None:
    [point] = await make_points(anywhere, POINTS[0])
    async with anywhere.connection() as conn:
        for end, count in ((NOW, 10), (NOW + timedelta(hours=1), 1), (NOW + timedelta(hours=1), MOST_FRAMES + 1)):
            with pytest.raises(Invalid):
                await read_frames(conn, point.building_id, NOW, end, count)
