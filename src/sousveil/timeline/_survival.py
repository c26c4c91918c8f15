"""How long cameras stay on lists: lifetimes from the dates of lists, and a survival curve."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sousveil.store._file import Connection
from sousveil.store._presence import COVERED_BY, EXISTS, KNOWN_SINCE

LEVEL: Final = 0.95
_QUANTILE: Final = 1.959963984540054  # of the normal distribution at (1 + LEVEL) / 2
DAYS_PER_YEAR: Final = 365.2425

Floats = npt.NDArray[np.float64]

SURVIVAL: Final = pa.schema(
    [
        pa.field("years", pa.float64(), nullable=False),
        pa.field("at_risk", pa.int64(), nullable=False),  # still on a list just before
        pa.field("vanished", pa.int64(), nullable=False),
        pa.field("survival", pa.float64(), nullable=False),
        pa.field("se", pa.float64()),  # Greenwood; null where none survive, as low and high
        pa.field("low", pa.float64()),
        pa.field("high", pa.float64()),
    ]
)

CAVEAT: Final = (
    "A camera is born and dies here when it enters and leaves a list, not when it is put up and "
    "taken down; each moment is taken as the middle of what the lists leave open."
)

# first .. last: the lists that hold a camera; the nearest lists without it enclose its life.
_LIVES: Final = f"""
    with spells as (
        select camera_id, series, min(dated) as first, max(dated) as last,
               min({KNOWN_SINCE}) as known_since,
               min_by(struct_pack(lon := lon, lat := lat), (dated, source_id)) as place
        from sightings where {EXISTS} group by camera_id, series
    ),
    enclosed as (
        select s.camera_id, s.series, first, last, known_since,
               max(t.dated) filter (t.dated < known_since) as without,
               min(t.dated) filter (t.dated > last) as gone_by
        from spells s left join known_sources t
            on t.series = s.series and (t.dated < known_since or t.dated > last) and {COVERED_BY}
        group by s.camera_id, s.series, first, last, known_since
    ),
    lives as (
        select camera_id, min(first) - $epoch as first, min(known_since) - $epoch as known_since,
               arg_min_null(without, (known_since, series)) - $epoch as without,
               bool_and(gone_by is not null) as is_over, max(last) - $epoch as last,
               max((last - $epoch) + (gone_by - last) / 2) as middle
        from enclosed group by camera_id
    ),
    begun as (
        select *, without is not null as entered,
               coalesce((without + known_since) / 2, first) as born
        from lives
    )
    select entered, is_over, case when is_over then middle else last end - born as days,
           first - born as days_when_first_listed, known_since - without as days_open
    from begun
"""  # noqa: S608  (constants of this package)


def lifetimes(connection: Connection) -> dict[str, Any]:
    """Return how long cameras stay on lists, as JSON: Kaplan-Meier curves of two groups.

    "entered": cameras that an earlier list of their place did not hold, by age from the middle
    between that list and their first listing (or last edit, if that was before); they count as at
    risk from the age at which a list first held them. "already_there": those of the first list of
    their place, whose age is unknown, by the time since. Who leaves does so in the middle between
    the last list with it and the next without; who is there still is censored at the last list.
    """
    rows = connection.sql(_LIVES, params={"epoch": date(1970, 1, 1)}).fetchnumpy()
    entered, is_over = (np.asarray(rows[name], dtype=bool) for name in ("entered", "is_over"))
    years, first = (
        np.asarray(rows[name], dtype=float) / DAYS_PER_YEAR
        for name in ("days", "days_when_first_listed")
    )
    days_open = np.asarray(rows["days_open"][entered], dtype=float)
    return {
        "note": CAVEAT,
        "entered": _group(years[entered], is_over[entered], first[entered])
        | {
            "median_years_open": float(np.median(days_open)) / DAYS_PER_YEAR
            if entered.any()
            else None
        },
        "already_there": _group(years[~entered], is_over[~entered], first[~entered]),
    }


def _group(years: Floats, is_over: npt.NDArray[np.bool_], first: Floats) -> dict[str, Any]:
    curve, median = kaplan_meier(years, is_over, since=first)
    return {
        "cameras": len(years),
        "vanished": int(is_over.sum()),
        "median_years": median,
        "curve": curve.to_pylist(),
    }


def kaplan_meier(
    durations: Floats, is_over: npt.NDArray[np.bool_], *, since: Floats | None = None
) -> tuple[pa.Table, float | None]:
    """Return the survival curve of right-censored durations (SURVIVAL) and its median, if reached.

    since: from which duration on each was watched, 0 by default; what was watched for no time is
    left out. One row a duration at which something ended. Method: E. L. Kaplan and P. Meier
    (1958), J. Am. Stat. Assoc. 53, 457-481, as statsmodels has it; standard error by Greenwood,
    interval on the scale of log(-log S): J. D. Kalbfleisch and R. L. Prentice (2002), The
    Statistical Analysis of Failure Time Data, 1.4.
    """
    since = np.zeros(len(durations)) if since is None else since
    watched = durations > since
    durations, is_over, since = durations[watched], is_over[watched], since[watched]
    if not is_over.any():
        return SURVIVAL.empty_table(), None
    from statsmodels.duration.survfunc import SurvfuncRight  # takes 1.5 s, only where needed

    fit = SurvfuncRight(durations, is_over.astype(int), entry=since if since.any() else None)
    low, high = _interval(fit.surv_prob, fit.surv_prob_se)
    columns = {
        "years": fit.surv_times,
        "at_risk": fit.n_risk.astype(int),
        "vanished": fit.n_events.astype(int),
        "survival": fit.surv_prob,
        "se": pa.array(fit.surv_prob_se, from_pandas=True),
        "low": pa.array(low, from_pandas=True),
        "high": pa.array(high, from_pandas=True),
    }
    median = fit.surv_times[fit.surv_prob <= 0.5]
    return pa.table(columns, schema=SURVIVAL), float(median[0]) if len(median) else None


def _interval(survival: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Return the bounds at LEVEL, NaN where all or none survive."""
    low, high = np.full((2, len(survival)), np.nan)
    inner = (survival > 0) & (survival < 1)
    s = survival[inner]
    half = _QUANTILE * error[inner] / (s * -np.log(s))
    low[inner], high[inner] = s ** np.exp(half), s ** np.exp(-half)
    return low, high
