"""How many cameras a sample of street-level images comes to, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sousveil._rows import Row, read_rows
from sousveil.errors import UnusableInput

Floats = npt.NDArray[np.float64]

ROAD_LENGTHS: Final = {
    "directed": "the length of directed edges, as published: a two-way street counts twice, so "
    "the total is up to twice that along centre lines",
    "centre-line": "the length of centre lines: each street counts once",
}
"""What --street-km may be the length of, and what that means for the total."""

PUBLISHED: Final = "published (binomial; recall and metres per image taken as exact)"
CARRIED: Final = "counts with carried uncertainty"

Z95: Final = 1.959963984540054
_PUBLISHED_Z: Final = 1.96
_DRAWS: Final = 20_000
_WIDEST_VIEW_M: Final = 60.0


@dataclass(frozen=True, kw_only=True)
class Zone:
    """What was sampled in one zone, or in the whole place.

    detections: their sum over the images; squares: the sum of their squares, None where only the
    sum is known. recall_found of recall_of validated cameras were detected; recall is exact where
    they are None. street_km: of the zone, in the convention of the estimate.
    """

    name: str
    images: int
    detections: int
    metres_per_image: float
    street_km: float
    recall: float | None = None
    recall_found: int | None = None
    recall_of: int | None = None
    metres_per_image_se: float = 0.0
    squares: int | None = None

    @property
    def recall_point(self) -> float:
        """Share of the cameras that are detected."""
        if self.recall is not None:
            return self.recall
        return (self.recall_found or 0) / (self.recall_of or 1)


def metres_per_image(distances_m: Floats, *, fov_deg: float = 90.0) -> tuple[float, float]:
    """Return the mean metres of street that an image across it shows, and its standard error.

    distances_m: to the nearest building at sampled points. An image with a field of view of
    fov_deg shows 2 tan(fov/2) times the distance, at most 60 m. Source: Sheng, Yao and Goel 2021.
    """
    reach = np.clip(2 * np.tan(math.radians(fov_deg) / 2) * distances_m, 0, _WIDEST_VIEW_M)
    return float(reach.mean()), float(reach.std(ddof=1) / math.sqrt(len(reach)))


def sample_estimate(
    *,
    images: int | None = None,
    detections: int | None = None,
    metres_per_image: float | None = None,
    street_km: float | None = None,
    recall: float | None = None,
    recall_found: int | None = None,
    recall_of: int | None = None,
    metres_per_image_se: float = 0.0,
    fov_deg: float = 90.0,
    fov_se_deg: float = 0.0,
    counts: str | Path | None = None,
    zones: str | Path | None = None,
    road_length: str = "directed",
    two_way_share: float | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Estimate the cameras along the streets of a place from detections in sampled images.

    images, detections: how many were looked at, and how many cameras were detected in them.
    metres_per_image: of street seen in one image of one side, for a field of view of 90 degrees;
        metres_per_image_se its standard error. fov_deg, fov_se_deg: the field of view and its
        standard error; metres grow with tan(fov/2).
    street_km: length of the streets. recall: share of the cameras that are detected, taken as
        exact; or recall_found of recall_of cameras in a validation set.
    counts: CSV with a row for each image (cameras, optionally zone) in place of the two sums.
    zones: CSV with a row for each zone (zone, street_km, and what differs from the arguments).
    road_length: what street_km is the length of, a key of ROAD_LENGTHS. two_way_share: share of
        the centre lines that are two-way; adds the total along centre lines to a directed length.

    With exact arguments it is the published estimator (Sheng, Yao, Goel 2021, arXiv 2105.01764);
    with any other, counts get a Gamma posterior widened by their dispersion, recall a Beta, the
    view a log-normal, and the interval holds the middle 95 % of draws. Returns per_km, se_per_km,
    total, se_total, low, high, and what they rest on. Raises UnusableInput.
    """
    if road_length not in ROAD_LENGTHS:
        raise UnusableInput(f"--road-length {road_length}: give {' or '.join(ROAD_LENGTHS)}")
    _check_number("--fov-deg", fov_deg, 1, 179)
    _check_number("--fov-se-deg", fov_se_deg, 0, 90)
    _check_number("--metres-per-image-se", metres_per_image_se, 0, math.inf)
    given = {
        "images": images,
        "detections": detections,
        "metres_per_image": metres_per_image,
        "street_km": street_km,
        "recall": recall,
        "recall_found": recall_found,
        "recall_of": recall_of,
        "metres_per_image_se": metres_per_image_se,
    }
    counted = None if counts is None else _read_counts(Path(counts))
    rows = None if zones is None else _read_zones(Path(zones))
    sampled = [_for_fov(zone, fov_deg, fov_se_deg) for zone in _zones(given, counted, rows)]
    exact = counts is None and zones is None and sampled[0].recall is not None
    if exact and not sampled[0].metres_per_image_se:
        answer = _published(sampled[0])
    else:
        answer = _carried(sampled, seed=seed)
    answer["road_length"] = {"convention": road_length, "note": ROAD_LENGTHS[road_length]}
    if two_way_share is not None:
        answer["centre_line"] = _centre_line(answer, road_length, two_way_share)
    return answer


def _published(zone: Zone) -> dict[str, Any]:
    share = zone.detections / zone.images
    if share > 1:
        raise UnusableInput(
            f"--detections {zone.detections}: more than the images, which the published estimator "
            "cannot hold; give --recall-found and --recall-of, or --counts"
        )
    factor = (1000 / zone.metres_per_image) * (2 / zone.recall_point)
    per_km = share * factor
    se_per_km = math.sqrt(share * (1 - share) / zone.images) * factor
    total, se_total = per_km * zone.street_km, se_per_km * zone.street_km
    return {
        "per_km": per_km,
        "se_per_km": se_per_km,
        "total": total,
        "se_total": se_total,
        "low": max(total - _PUBLISHED_Z * se_total, 0.0),
        "high": _published_high(zone, factor, total + _PUBLISHED_Z * se_total),
        "level": 0.95,
        "method": PUBLISHED,
        "images": zone.images,
        "detections": zone.detections,
        "recall": zone.recall_point,
        "street_km": zone.street_km,
        "warnings": _warnings([zone]),
    }


def _published_high(zone: Zone, factor: float, high: float) -> float:
    """Return the upper end; without a detection the published one is 0 and says nothing.

    Then it is the exact binomial bound (Clopper and Pearson 1934), 1 - 0.025^(1/images).
    """
    if zone.detections:
        return high
    share: float = 1 - 0.025 ** (1 / zone.images)
    return share * factor * zone.street_km


def _carried(zones: Sequence[Zone], *, seed: int) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    recalls = _recall_draws(zones, random)
    draws = np.stack([_total_draws(z, recalls[_validation(z)], random) for z in zones])
    points = np.array([_rate(zone) * zone.street_km for zone in zones])
    total_draws, total = draws.sum(axis=0), float(points.sum())
    street_km = sum(zone.street_km for zone in zones)
    se = float(total_draws.std())
    low, high = (float(x) for x in np.quantile(total_draws, [0.025, 0.975]))
    answer: dict[str, Any] = {
        "per_km": total / street_km,
        "se_per_km": se / street_km,
        "total": total,
        "se_total": se,
        "low": low,
        "high": high,
        "level": 0.95,
        "method": CARRIED,
        "images": sum(zone.images for zone in zones),
        "detections": sum(zone.detections for zone in zones),
        "recall": zones[0].recall_point if len(recalls) == 1 else None,
        "street_km": street_km,
        "warnings": _warnings(zones),
    }
    if len(zones) > 1:
        answer["zones"] = [_zone_row(*at) for at in zip(zones, points.tolist(), draws, strict=True)]
    return answer


def _zone_row(zone: Zone, total: float, draws: Floats) -> dict[str, Any]:
    low, high = (float(x) for x in np.quantile(draws, [0.025, 0.975]))
    return {
        "zone": zone.name,
        "street_km": zone.street_km,
        "images": zone.images,
        "detections": zone.detections,
        "per_km": total / zone.street_km,
        "total": total,
        "low": low,
        "high": high,
    }


def _rate(zone: Zone) -> float:
    factor = (1000 / zone.metres_per_image) * (2 / zone.recall_point)
    return zone.detections / zone.images * factor


def _dispersion(zone: Zone) -> float:
    """Return variance over mean of the detections of an image, 1 where only their sum is known.

    Below 1 it is taken as 1: cameras do not stand more evenly than by chance.
    """
    if zone.squares is None or not zone.detections or zone.images < 2:
        return 1.0
    mean = zone.detections / zone.images
    variance = (zone.squares - zone.images * mean**2) / (zone.images - 1)
    return max(variance / mean, 1.0)


_Validation = tuple[float | None, int | None, int | None]


def _validation(zone: Zone) -> _Validation:
    return zone.recall, zone.recall_found, zone.recall_of


def _recall_draws(
    zones: Sequence[Zone], random: np.random.Generator
) -> dict[_Validation, Floats | float]:
    """Return draws of recall by validation: zones that share one share its error as well."""
    drawn: dict[_Validation, Floats | float] = {}
    for exact, found, of in dict.fromkeys(_validation(zone) for zone in zones):
        if exact is not None or found is None or of is None:
            drawn[exact, found, of] = exact or 1.0
        else:
            drawn[exact, found, of] = random.beta(found + 0.5, of - found + 0.5, _DRAWS)
    return drawn


def _total_draws(zone: Zone, recall: Floats | float, random: np.random.Generator) -> Floats:
    dispersion = _dispersion(zone)
    # A sum of clumped detections tells as much as a sum / dispersion of single ones.
    shape = (zone.detections + 0.5) / dispersion
    per_image = random.gamma(shape, dispersion / zone.images, _DRAWS)
    spread = math.sqrt(math.log1p((zone.metres_per_image_se / zone.metres_per_image) ** 2))
    metres = zone.metres_per_image * np.exp(random.normal(0.0, spread, _DRAWS))
    return np.asarray(per_image * (1000 / metres) * (2 / recall) * zone.street_km)


def _for_fov(zone: Zone, fov_deg: float, fov_se_deg: float) -> Zone:
    """Return the zone with its metres, stated for 90 degrees, as a field of view shows them."""
    half, half_se = math.radians(fov_deg) / 2, math.radians(fov_se_deg) / 2
    scale = math.tan(half) if fov_deg != 90.0 else 1.0
    relative = math.hypot(
        zone.metres_per_image_se / zone.metres_per_image,
        half_se / (math.sin(half) * math.cos(half)),
    )
    metres = zone.metres_per_image * scale
    return replace(zone, metres_per_image=metres, metres_per_image_se=metres * relative)


def _warnings(zones: Sequence[Zone]) -> list[str]:
    said = []
    if any(zone.recall is not None for zone in zones):
        said.append("recall is taken as exact: the interval is too narrow by what it is unsure of")
    if not all(zone.metres_per_image_se for zone in zones):
        said.append("metres per image are taken as exact")
    if any(zone.squares is None for zone in zones):
        said.append(
            "several cameras in one image are not seen in the sums: give --counts for their spread"
        )
    if any(zone.detections == 0 for zone in zones):
        said.append("no detection somewhere: only the upper end of its interval says anything")
    return said


def _centre_line(answer: dict[str, Any], road_length: str, share: float) -> dict[str, Any]:
    if road_length != "directed":
        raise UnusableInput("--two-way-share: only a directed length can be turned to centre lines")
    _check_number("--two-way-share", share, 0, 1)
    scale = 1 / (1 + share)
    keys = ("total", "se_total", "low", "high", "street_km")
    return {key: answer[key] * scale for key in keys}


def _zones(
    given: dict[str, Any], counted: dict[str, list[int]] | None, rows: list[dict[str, Any]] | None
) -> list[Zone]:
    if rows is None:
        if counted is not None:
            given = given | _sums([n for counts in counted.values() for n in counts])
        return [_zone("the place", given, "")]
    zones = []
    for row in rows:
        name, where = row.pop("zone"), row.pop("where")
        known = given | {key: value for key, value in row.items() if value is not None}
        if row.get("recall_found") is not None or row.get("recall_of") is not None:
            known["recall"] = None
        elif row.get("recall") is not None:
            known["recall_found"] = known["recall_of"] = None
        if counted is not None:
            if name not in counted:
                raise UnusableInput(f"{where}: no image of zone {name} in --counts; add some")
            known |= _sums(counted[name])
        zones.append(_zone(name, known, f"{where}: "))
    unlisted = set(counted or ()) - {zone.name for zone in zones}
    if unlisted:
        raise UnusableInput(f"--counts: zone {min(unlisted)!r} has no row in --zones; add it")
    return zones


def _sums(counts: Sequence[int]) -> dict[str, int]:
    return {
        "images": len(counts),
        "detections": sum(counts),
        "squares": sum(n * n for n in counts),
    }


def _zone(name: str, known: dict[str, Any], where: str) -> Zone:
    for key in ("images", "detections", "metres_per_image", "street_km"):
        if known.get(key) is None:
            raise UnusableInput(f"{where}--{key.replace('_', '-')} is missing; give it")
    _check_number(f"{where}--images", known["images"], 1, math.inf)
    _check_number(f"{where}--detections", known["detections"], 0, math.inf)
    _check_number(f"{where}--metres-per-image", known["metres_per_image"], 0.1, 1000)
    _check_number(f"{where}--street-km", known["street_km"], 1e-6, 1e9)
    _check_recall(known, where)
    return Zone(name=name, **known)


def _check_recall(known: dict[str, Any], where: str) -> None:
    found, of, exact = known.get("recall_found"), known.get("recall_of"), known.get("recall")
    if exact is not None:
        if found is not None or of is not None:
            raise UnusableInput(f"{where}--recall: give it or --recall-found, not both")
        _check_number(f"{where}--recall", exact, 1e-6, 1)
    elif found is None or of is None:
        raise UnusableInput(
            f"{where}--recall is missing; give it, or --recall-found and --recall-of"
        )
    elif not 0 < found <= of:
        raise UnusableInput(
            f"{where}--recall-found {found}: give 1 to {of}, of the {of} validated cameras"
        )


def _check_number(name: str, value: float, least: float, most: float) -> None:
    if not (math.isfinite(value) and least <= value <= most):
        span = f"{least:g} or more" if math.isinf(most) else f"{least:g} to {most:g}"
        raise UnusableInput(f"{name} {value:g}: is out of range; give {span}")


def _read_counts(path: Path) -> dict[str, list[int]]:
    """Return the detections of each image by zone ("" where the file names none)."""
    _, rows = read_rows(path, needed=["cameras"])
    by_zone: dict[str, list[int]] = {}
    for row in rows:
        by_zone.setdefault(row.text("zone"), []).append(int(_needed(row, "cameras", whole=True)))
    if not rows:
        raise UnusableInput(f"{path}: holds no image; it needs one row for each")
    return by_zone


def _read_zones(path: Path) -> list[dict[str, Any]]:
    _, rows = read_rows(path, needed=["zone", "street_km"])
    if not rows:
        raise UnusableInput(f"{path}: holds no zone; it needs one row for each")
    names = [row.text("zone") for row in rows]
    twice = next((row for row in rows if names.count(row.text("zone")) > 1), None)
    if twice:
        raise twice.refuse("zone", "stands in two rows; give each zone one")
    return [_read_zone(row) for row in rows]


def _read_zone(row: Row) -> dict[str, Any]:
    found: dict[str, Any] = {
        "zone": row.text("zone"),
        "where": f"{row.path}: row {row.number}",
        "street_km": _needed(row, "street_km"),
        "metres_per_image": row.number_of("metres_per_image", least=0.1, most=1000),
        "metres_per_image_se": row.number_of("metres_per_image_se", least=0),
        "recall": row.number_of("recall", least=1e-6, most=1),
    }
    for column in ("images", "detections", "recall_found", "recall_of"):
        value = row.number_of(column, least=0, whole=True)
        found[column] = None if value is None else int(value)
    return found


def _needed(row: Row, column: str, *, whole: bool = False) -> float:
    value = row.number_of(column, least=0, whole=whole)
    if value is None:
        raise row.refuse(column, "is empty; give a number")
    return value
