"""How residents spend their days, read from a TOML file and checked."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sousveil.errors import UnusableInput

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PURPOSES: Final = ("home", "work", "school", "shop", "eat", "errand", "social", "leisure", "gate")
"""What a place is for; a gate is where residents leave the area and come back."""
HOME, WORK, SCHOOL, SHOP, EAT, ERRAND, SOCIAL, LEISURE, GATE = range(9)
FREE: Final = ("shop", "eat", "errand", "social", "leisure")
TOURS: Final = ("work", "school", *FREE)
MOST_MEMBERS: Final = 8

_ASSUMED: Final = (
    "weekend_work", "weekend_school", "weekend_free", "pupils_inside", "speed_m_s", "spread_m_s",
    "explore", "rank_exponent", "own_places", "detour", "joins",
)  # fmt: skip


class Rates(NamedTuple):
    """Rates of a day as arrays, cumulated where something is drawn from them."""

    work: Floats  # by person type (8)
    school: Floats
    free_when_out: Floats  # 8 x 4, cumulated
    free_else: Floats
    free_purposes: Floats  # 8 x 5, cumulated
    start_hour: Floats  # 7 x 24, cumulated, in the order of TOURS
    hours: Floats  # 7 x 19, cumulated
    inside: Floats  # by tour (7)
    stops: Floats  # 4 x 4, cumulated: out main, out free, back main, back free
    stop_purposes: Floats  # 5, cumulated
    escorted: Floats  # pupils, preschool
    scalars: Floats  # break_at_work, break_is_meal, joint, then _ASSUMED


def packed(rates: Rates) -> np.void:
    """Return the rates as one record, which compiled code takes as one argument."""
    layout = np.dtype([(name, np.float64, array.shape) for name, array in rates._asdict().items()])
    record = np.zeros(1, layout)
    for name, array in rates._asdict().items():
        record[name] = array
    return record[0]  # type: ignore[no-any-return]


class Parameters(NamedTuple):
    """Everything that decides who lives in a place and what they do."""

    name: str
    source: str
    licence: str
    members: list[str]  # of a household, a digit a person
    weight: Floats
    rates: Rates
    reach_m: dict[str, float]
    awake_hours: tuple[float, float]


(
    BREAK, BREAK_MEAL, JOINT, WEEKEND_WORK, WEEKEND_SCHOOL, WEEKEND_FREE, PUPILS_INSIDE, SPEED,
    SPREAD, EXPLORE, RANK, OWN, DETOUR, JOINS,
) = range(14)  # fmt: skip


def read_parameters(path: Path | None = None) -> Parameters:
    """Return the parameters in a file, or those that come with the package.

    Raises UnusableInput for a file that cannot be used.
    """
    named = str(path) if path else "the package's own parameters"
    try:
        text = path.read_text(encoding="utf-8") if path else _shipped()
        return _parameters(tomllib.loads(text))
    except OSError as error:
        raise UnusableInput(
            f"{named}: cannot be read ({error.strerror or error}); check the path"
        ) from None
    except UnicodeDecodeError:
        raise UnusableInput(f"{named}: is no text; give a TOML file") from None
    except tomllib.TOMLDecodeError as error:
        raise UnusableInput(f"{named}: is no valid TOML ({error}); mend it there") from None
    except KeyError as error:
        raise UnusableInput(
            f"{named}: lacks {error.args[0]}; start from a copy of the package's own parameters"
        ) from None
    except (ValueError, TypeError) as error:
        raise UnusableInput(f"{named}: {error}; mend it there") from None


def _shipped() -> str:
    return (resources.files("sousveil.residents") / "san_francisco.toml").read_text("utf-8")


def _parameters(said: dict[str, Any]) -> Parameters:
    households, assumed = said["households"], said["assumed"]
    members = [str(one) for one in households["members"]]
    if not members or any(
        set(m) - set("12345678") or not 0 < len(m) <= MOST_MEMBERS for m in members
    ):
        raise ValueError("households.members: each is 1 to 8 digits from 1 to 8, a person each")
    start, end = (float(hour) for hour in assumed["awake_hours"])
    if not 0 <= start < end <= 24:
        raise ValueError("assumed.awake_hours: give two hours of the day, the earlier first")
    reach = {p: float(assumed["reach_m"][p]) for p in PURPOSES[1:]}
    if min(reach.values()) <= 0:
        raise ValueError("assumed.reach_m: give lengths above 0")
    return Parameters(
        name=str(said["name"]),
        source=str(said["source"]),
        licence=str(said["licence"]),
        members=members,
        weight=_array(households["weight"], (len(members),), "households.weight", most=np.inf),
        rates=_rates(said["day"], said["tour"], said["stops"], assumed),
        reach_m=reach,
        awake_hours=(start, end),
    )


def _rates(
    day: dict[str, Any], tour: dict[str, Any], stops: dict[str, Any], assumed: dict[str, Any]
) -> Rates:
    inside = [float(tour[name]["on_foot"]) for name in TOURS]
    ways = [stops[f"{word}_{kind}"] for word in ("out", "back") for kind in ("main", "free")]
    scalars = [day["break_at_work"], day["break_is_meal"], day["joint"]]
    return Rates(
        work=_array(day["work"], (8,), "day.work"),
        school=_array(day["school"], (8,), "day.school"),
        free_when_out=_drawn(day["free_tours_when_out"], (8, 4), "day.free_tours_when_out"),
        free_else=_drawn(day["free_tours_else"], (8, 4), "day.free_tours_else"),
        free_purposes=_drawn(day["free_purposes"], (8, 5), "day.free_purposes"),
        start_hour=_drawn([tour[name]["start_hour"] for name in TOURS], (7, 24), "start_hour"),
        hours=_drawn([tour[name]["hours"] for name in TOURS], (7, 19), "hours"),
        inside=_array(inside, (7,), "on_foot"),
        stops=_drawn(ways, (4, 4), "stops"),
        stop_purposes=_drawn(stops["purposes"], (5,), "stops.purposes"),
        escorted=_array(day["escorted"], (2,), "day.escorted"),
        scalars=_array(
            scalars + [float(assumed[name]) for name in _ASSUMED], (14,), "assumed", most=100.0
        ),
    )


def _array(values: Any, shape: tuple[int, ...], name: str, most: float = 1.0) -> Floats:
    array = np.asarray(values, np.float64)
    if array.shape != shape:
        raise ValueError(f"{name}: has the shape {array.shape} where {shape} is needed")
    if not ((array >= 0) & (array <= most)).all():
        raise ValueError(f"{name}: holds a value below 0 or above {most:g}")
    return array


def _drawn(values: Any, shape: tuple[int, ...], name: str) -> Floats:
    array = _array(values, shape, name)
    if not (array.sum(axis=-1) > 0).all():
        raise ValueError(f"{name}: holds only zeros where one of several is to be drawn")
    return array.cumsum(axis=-1)
