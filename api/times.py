"""Times in queries."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Query

from telemetry.decode import read_time
from twin.errors import Invalid

TimeText = Annotated[str | None, Query(description="RFC 3339 time with zone")]
Start = Annotated[TimeText, Query(alias="from")]
End = Annotated[TimeText, Query(alias="to")]


def time_of(text: str | None, where: str) -> datetime | None:
    """A time from a query; a `+` that was not encoded arrives as a blank. Raises Invalid `history.time`."""
    if text is None:
        return None
    try:
        time = read_time(text.strip().replace(" ", "+") if "T" in text else text).astimezone(UTC)
        # PostgreSQL's and Python's calendars end near here, and no reading lies there.
        if not timedelta(0) <= time - datetime(1, 1, 3, tzinfo=UTC) <= timedelta(days=3_652_050):
            raise OverflowError
    except (Invalid, OverflowError):
        raise Invalid("history.time", where=where, time=text[:60]) from None
    return time
