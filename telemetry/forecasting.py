"""Forecasts and expectations of hourly series, each with the error that it had on data it had not seen.

A structural time series model (statsmodels' UnobservedComponents: a level that wanders, and what is left of the hour
before) sits on what is usual: waves of the day and the week, or the mean of each hour of the week, whichever foretold
the days before the last ones better. Fitted without the last days, it foretells these day by day as it would have then,
and so does the seasonal naive forecast ("as yesterday", "as last week"), the better of the two. Gaps are part of the
model: its filter steps over them. Where the naive forecast was closer, it is the answer.

Everything here is a pure function of numbers, and runs in a process of its own (`telemetry/statistics_pool.py`).
statsmodels takes seconds to import: only that process does it.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twin.errors import Invalid

Floats = NDArray[np.float64]

DAY: Final = 24
WEEK: Final = 168
LEAST: Final = 8 * DAY  # hours of history, at least
LONGEST: Final = 56 * DAY  # hours that are looked at
KNOWN: Final = 0.6  # share of the hours that must be known
LEVEL: Final = 0.9  # of the intervals
WEEKLY_FROM: Final = 3 * WEEK
HELD_BACK: Final = 7  # days
STEPS: Final = 7 * DAY


@dataclass(frozen=True, slots=True)
class ForecastError:
    """How far a forecast for the next day was off on the days that were held back; in the point's unit.

    `mase`: the mean absolute error divided by that of "as yesterday" over the time before (Hyndman, Koehler 2006): less
    than 1 is better. `coverage`: the share of values that lay in the interval, to be compared with `level`.
    """

    hours: int  # that were held back and known
    mae: float
    rmse: float
    mase: float | None
    r2: float | None
    coverage: float
    level: float
    naive_mae: float  # of the seasonal naive forecast on the same hours
    naive_rmse: float
    naive_period: int  # h: 24 as yesterday, 168 as last week
    skill: float | None  # 1 - mae / naive_mae: above 0 is better than naive


@dataclass(frozen=True, slots=True)
class Foretold:
    """Values of the next hours, (steps,) each."""

    value: list[float]
    low: list[float]
    high: list[float]
    model: str  # structural | seasonal_naive
    seasons: list[int]  # h
    error: ForecastError


@dataclass(frozen=True, slots=True)
class Expected:
    """What was to be expected of each hour from the days before it, (n,) each; NaN as None where nothing could be."""

    value: list[float | None]
    low: list[float | None]
    high: list[float | None]
    score: list[float | None]  # how many widths of its usual error the value is off
    model: str
    seasons: list[int]
    error: ForecastError


def forecast(values: Sequence[float], steps: int) -> Foretold:
    """Foretell the next `steps` hours of hourly `values` (NaN: unknown).

    Raises Invalid `statistics.too_little`, `statistics.gaps`, `statistics.constant`.
    """
    series = _checked(values)
    model = _Model(series)
    error, best = model.judge()
    if best == "seasonal_naive":
        value, low, high = _naive_ahead(series, steps, error.naive_period)
    else:
        value, low, high = model.ahead(steps)
    return Foretold(value.tolist(), low.tolist(), high.tolist(), best, model.seasons, error)


def expect(values: Sequence[float], first: int) -> Expected:
    """What was to be expected of the hours from `first` on, each local day from the hours before it."""
    series = _checked(values[:first])
    model = _Model(series)
    error, _ = model.judge()
    whole = np.concatenate([series, np.array(values[first:], np.float64)])
    first = len(series)
    value, low, high = model.day_by_day(whole, first)
    spread = np.maximum((high - low) / (2 * _NORMAL_90), 1e-9 * max(1.0, float(np.nanmax(np.abs(series)))))
    score = np.abs(whole[first:] - value) / spread
    return Expected(_plain(value), _plain(low), _plain(high), _plain(score), "structural", model.seasons, error)


_NORMAL_90: Final = 1.6448536269514722  # half a 90 % interval, in standard deviations


def _plain(values: Floats) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def _checked(values: Sequence[float]) -> Floats:
    """The last `LONGEST` hours from the first known one on."""
    series = np.array(values, np.float64)
    known = np.flatnonzero(np.isfinite(series))
    if len(known):
        series = series[known[0] :][-LONGEST:]
    if not len(known) or len(series) < LEAST:
        raise Invalid("statistics.too_little", hours=len(series) if len(known) else 0, least=LEAST)
    share = float(np.isfinite(series).mean())
    if share < KNOWN:
        raise Invalid("statistics.gaps", share=round(100 * share), least=round(100 * KNOWN))
    spread = float(np.nanmax(series) - np.nanmin(series))
    if spread <= 1e-9 * max(1.0, float(np.nanmax(np.abs(series)))):
        raise Invalid("statistics.constant", value=float(np.nanmean(series)))
    return series


class _Fitted:
    """One model fitted to the begin of a series: what is usual at each hour, plus a structural model of the rest.

    `weekly`: what is usual is the mean of each hour of the week, drawn towards that of the hour of the day where few
    weeks are known; without, it is left to waves of a day (and from three weeks on of a week) in the model itself.
    """

    def __init__(self, train: Floats, *, weekly: bool) -> None:
        self.length = len(train)
        self.seasons = [DAY, WEEK] if weekly or len(train) >= WEEKLY_FROM else [DAY]
        self._usual = _hours_of_week(train) if weekly else np.zeros(WEEK)
        rest = train - self._usual_at(0, len(train))
        self._middle, self._spread = float(np.nanmean(rest)), float(np.nanstd(rest)) or 1.0
        self._result = self._fit((rest - self._middle) / self._spread, [] if weekly else self.seasons)

    @staticmethod
    def _fit(rest: Floats, seasons: list[int]) -> Any:
        from statsmodels.tsa.statespace.structural import (  # type: ignore[import-untyped]
            UnobservedComponents,
        )

        waves = [{"period": period, "harmonics": 6 if period == DAY else 5} for period in seasons]
        season = {
            "freq_seasonal": waves,
            "stochastic_freq_seasonal": [True] + [False] * (len(waves) - 1),
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of convergence: the error on held-back data says how good it is
            model = UnobservedComponents(rest, level="llevel", autoregressive=1, **(season if waves else {}))
            return model.fit(disp=False, maxiter=60)

    def _usual_at(self, first: int, count: int) -> Floats:
        return np.asarray(self._usual[np.arange(first, first + count) % WEEK], np.float64)

    def day_by_day(self, series: Floats, first: int, step: int = DAY) -> tuple[Floats, Floats, Floats]:
        """What was expected of the hours from `first` on, `step` at a time from all hours before these.

        `series` begins as the fitted one does.
        """
        result, parts = self._extended(self._result, series, self.length, first), []
        for at in range(first, len(series), step):
            told = result.get_forecast(min(step, len(series) - at))
            parts.append(np.column_stack([told.predicted_mean, told.conf_int(alpha=1 - LEVEL)]))
            if at + step < len(series):
                result = self._extended(result, series, at, at + step)
        columns = (
            np.concatenate(parts) * self._spread + self._middle + self._usual_at(first, len(series) - first)[:, None]
        )
        return columns[:, 0], columns[:, 1], columns[:, 2]

    def _extended(self, result: Any, series: Floats, start: int, end: int) -> Any:
        more = series[start:end] - self._usual_at(start, end - start)
        return result.append((more - self._middle) / self._spread) if len(more) else result


def _hours_of_week(train: Floats) -> Floats:
    """(168,) the mean of each hour of the week, each known week counting once and the hour of the day half a week."""
    padded = np.concatenate([train, np.full(-len(train) % WEEK, np.nan)]).reshape(-1, WEEK)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of hours that are never known
        daily = np.tile(np.nanmean(padded.reshape(-1, DAY), axis=0), WEEK // DAY)
    daily = np.where(np.isfinite(daily), daily, np.nanmean(train))
    known = np.isfinite(padded).sum(axis=0)
    return np.asarray((np.nansum(padded, axis=0) + 0.5 * daily) / (known + 0.5), np.float64)


class _Model:
    """The better one of two models, fitted to all of a series but the days held back at its end.

    Which one is better is decided on days before those: the error that is shown is of data that decided nothing.
    """

    def __init__(self, series: Floats) -> None:
        self.series = series
        days = max(1, min(HELD_BACK, len(series) // DAY // 4))
        self.cut = len(series) - days * DAY
        train = series[: self.cut]
        weekly = False
        if len(train) >= 2 * WEEK + days * DAY:
            tried = len(train) - days * DAY
            off = [
                _off(_Fitted(train[:tried], weekly=each).day_by_day(train, tried)[0], train[tried:])
                for each in (False, True)
            ]
            weekly = off[1] < off[0]
        self._fitted = _Fitted(train, weekly=weekly)
        self.seasons = self._fitted.seasons

    def ahead(self, steps: int) -> tuple[Floats, Floats, Floats]:
        """Value and interval of the `steps` hours after the series."""
        longer = np.concatenate([self.series, np.full(steps, np.nan)])
        return self._fitted.day_by_day(longer, len(self.series), steps)

    def day_by_day(self, series: Floats, first: int) -> tuple[Floats, Floats, Floats]:
        """What was expected of the hours from `first` on, a day at a time from all hours before that day."""
        return self._fitted.day_by_day(series, first)

    def judge(self) -> tuple[ForecastError, str]:
        """The error on the days held back, and which forecast was closer there."""
        truth = self.series[self.cut :]
        value, low, high = self.day_by_day(self.series, self.cut)
        naive, period = _better_naive(self.series, self.cut)
        known = np.isfinite(truth) & np.isfinite(naive)
        if not known.any():
            raise Invalid("statistics.gaps", share=0, least=round(100 * KNOWN))
        truth, value, low, high, naive = truth[known], value[known], low[known], high[known], naive[known]
        off, naive_off = np.abs(truth - value), np.abs(truth - naive)
        usual = _usual_step(self.series[: self.cut])
        around = float(((truth - truth.mean()) ** 2).sum())
        mae, naive_mae = float(off.mean()), float(naive_off.mean())
        error = ForecastError(
            hours=len(truth),
            mae=mae,
            rmse=float(np.sqrt((off**2).mean())),
            mase=mae / usual if usual else None,
            r2=1 - float((off**2).sum()) / around if around else None,
            coverage=float(((truth >= low) & (truth <= high)).mean()),
            level=LEVEL,
            naive_mae=naive_mae,
            naive_rmse=float(np.sqrt((naive_off**2).mean())),
            naive_period=period,
            skill=1 - mae / naive_mae if naive_mae else None,
        )
        return error, "structural" if mae <= naive_mae else "seasonal_naive"


def _off(value: Floats, truth: Floats) -> float:
    off = np.abs(value - truth)
    return float(np.nanmean(off)) if np.isfinite(off).any() else np.inf


def _better_naive(series: Floats, cut: int) -> tuple[Floats, int]:
    """The seasonal naive forecast of the hours from `cut` on that is closer, and its period in h."""
    found = []
    for period in (DAY, WEEK):
        if cut >= period:
            told = np.array([_as_before(series, at, period) for at in range(cut, len(series))])
            off = np.abs(series[cut:] - told)
            if np.isfinite(off).any():
                found.append((float(np.nanmean(off)), period, told))
    if not found:
        return np.full(len(series) - cut, np.nan), DAY
    _, period, told = min(found, key=lambda each: each[0])
    return told, period


def _as_before(series: Floats, at: int, period: int) -> float:
    """The last known value whole periods before an hour; of a day ahead that lies before the day."""
    before = at - period
    while before >= 0 and not np.isfinite(series[before]):
        before -= period
    return float(series[before]) if before >= 0 else np.nan


def _usual_step(train: Floats) -> float:
    """The mean absolute error of "as yesterday" within the fitted data."""
    steps = np.abs(train[DAY:] - train[:-DAY])
    return float(np.nanmean(steps)) if np.isfinite(steps).any() else 0.0


def _naive_ahead(series: Floats, steps: int, period: int) -> tuple[Floats, Floats, Floats]:
    """As before, with the interval that such a forecast would have had."""
    long = np.concatenate([series, np.full(steps, np.nan)])
    for at in range(len(series), len(long)):
        long[at] = _as_before(long, at, period)
    off = series[period:] - series[:-period]
    low, high = np.nanquantile(off, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    value = np.where(np.isfinite(long[len(series) :]), long[len(series) :], np.nanmean(series))
    return value, value + low, value + high
