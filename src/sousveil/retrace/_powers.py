"""What operators can do, read from a TOML file: each a range of low, middle and high."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sousveil.errors import UnusableInput
from sousveil.records import LEVELS

Floats = npt.NDArray[np.float64]

QUALITIES: Final = ("low", "middle", "high")


class Powers(NamedTuple):
    """One choice of what operators can do, and how a record is read.

    recognised: chance by level, from LEVELS[0] on, that a passage puts a name to somebody.
    """

    recognised: Floats
    false_match: float
    at_night: float
    dark_hours: tuple[float, float]  # from, to (over midnight)
    recorded_hours: tuple[float, float]  # from, to (the same day)
    retention_days: float
    near_m: float
    together_s: float
    meetings: int
    places: int
    longest_gap_h: float


class Ranges(NamedTuple):
    """Low, middle and high of each power."""

    low: Powers
    middle: Powers
    high: Powers

    def between(self, at: float) -> Powers:
        """Return powers of recognition between low (0), middle (0.5) and high (1)."""
        a, b, t = (
            (self.low, self.middle, 2 * at) if at < 0.5 else (self.middle, self.high, 2 * at - 1)
        )
        return self.middle._replace(
            recognised=a.recognised + t * (b.recognised - a.recognised),
            false_match=a.false_match + t * (b.false_match - a.false_match),
            at_night=a.at_night + t * (b.at_night - a.at_night),
        )


def read_powers(path: Path | None = None) -> Ranges:
    """Return the powers in a file, or those that come with the package.

    Good recognition goes with few false matches: `low` has the most of them.
    Raises UnusableInput for a file that cannot be used.
    """
    named = str(path) if path else "the package's own powers"
    try:
        if path:
            text = path.read_text(encoding="utf-8")
        else:
            text = (resources.files("sousveil.retrace") / "powers.toml").read_text("utf-8")
        said = tomllib.loads(text)
        return Ranges(*(_powers(said, i) for i in range(3)))
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
            f"{named}: lacks {error.args[0]}; start from a copy of the package's own powers"
        ) from None
    except (ValueError, TypeError, IndexError) as error:
        raise UnusableInput(f"{named}: {error}; mend it there") from None


def _powers(said: dict[str, Any], i: int) -> Powers:
    reading, night = said["reading"], said["at_night"]
    recognised = np.array([_share(said["recognised"][level][i], level) for level in LEVELS])
    if (np.diff(recognised) < 0).any():
        raise ValueError("recognised: falls from one level to the next better one")
    retention_days = float(said["retention"]["days"][i])
    if retention_days <= 0:
        raise ValueError("retention.days: give numbers above 0")
    dark = [float(hour) for hour in night["hours"]]
    recorded = [float(hour) for hour in said["recorded"]["hours"]]
    if not 0 <= recorded[0] < recorded[1] <= 24:
        raise ValueError("recorded.hours: give two hours of the day, the earlier first")
    return Powers(
        recognised=recognised,
        false_match=_share(said["false_match"]["passage"][2 - i], "false_match"),
        at_night=_share(night["factor"][i], "at_night"),
        dark_hours=(dark[0], dark[1]),
        recorded_hours=(recorded[0], recorded[1]),
        retention_days=retention_days,
        near_m=float(reading["near_m"]),
        together_s=float(reading["together_s"]),
        meetings=int(reading["meetings"]),
        places=int(reading["places"]),
        longest_gap_h=float(reading["longest_gap_h"]),
    )


def _share(value: Any, name: str) -> float:
    share = float(value)
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"{name}: holds {share:g}, which is no share")
    return share
