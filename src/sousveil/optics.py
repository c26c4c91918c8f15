"""What a camera's pixels allow at which distance: geometry and the levels of IEC 62676-4.

All functions take numbers or arrays of any shapes that broadcast, and return float64.
Lengths in metres, angles in degrees, pixel densities in pixels per metre on the target.

Sources: IEC 62676-4:2014 and :2025 for the levels; the rest is the geometry of a lens without
distortion. A level says what the pixels would allow in good light with a sharp picture; what is
really recognised depends on light, movement, compression and the software behind it.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sousveil.errors import UnusableInput

Floats = npt.NDArray[np.float64]

LEVELS_PX_PER_M: Final[dict[str, dict[str, float]]] = {
    "2014": {
        "monitor": 12.5,
        "detect": 25.0,
        "observe": 62.5,
        "recognise": 125.0,
        "identify": 250.0,
        "inspect": 1000.0,
    },
    "2025": {
        "overview": 20.0,
        "outline": 40.0,
        "discern": 80.0,
        "perceive": 125.0,
        "characterise": 250.0,
        "validate": 500.0,
        "scrutinise": 1500.0,
    },
}
"""Pixels per metre that each level needs, by edition of IEC 62676-4."""

SENSOR_WIDTHS_MM: Final = {
    "1/4": 3.20,
    "1/3": 4.80,
    "1/2.8": 5.37,
    "1/2": 6.40,
    "1/1.8": 7.20,
    "2/3": 8.80,
}
"""Width of the light-sensitive area by the sensor's nominal size in inches."""

PERSON_HEIGHT_M: Final = 1.6
"""Height above ground of the face that is looked at, between a child's and a tall adult's."""

_ASPECT: Final = 16 / 9


def optics(
    pixels: float, hfov_deg: float, *, edition: str = "2014", form: str = "flat"
) -> dict[str, Any]:
    """Return up to which distance a camera reaches each level, as the command prints it.

    pixels: of a picture's width. Returns {"levels": [{"name", "px_per_m", "distance_m"}]}.
    Raises UnusableInput for an unknown edition or form, or an angle that the form does not allow.
    """
    if edition not in LEVELS_PX_PER_M:
        known = ", ".join(LEVELS_PX_PER_M)
        raise UnusableInput(f"--edition {edition}: not an edition of IEC 62676-4; use {known}")
    if form not in ("flat", "arc"):
        raise UnusableInput(f"--form {form}: unknown; use flat or arc")
    if not pixels > 0 or not np.isfinite(pixels):
        raise UnusableInput(f"--pixels {pixels:g}: give the width of the picture in pixels")
    if not 0 < hfov_deg <= 360:
        raise UnusableInput(f"--hfov {hfov_deg:g}: give an angle above 0 and up to 360 degrees")
    if form == "flat" and hfov_deg >= 180:
        raise UnusableInput(
            f"--hfov {hfov_deg:g}: the flat form ends below 180 degrees; use --form arc"
        )
    levels = [
        {
            "name": name,
            "px_per_m": density,
            "distance_m": float(distance_m(pixels, hfov_deg, density, form=form)),
        }
        for name, density in LEVELS_PX_PER_M[edition].items()
    ]
    return {"levels": levels}


def field_of_view(hfov: float | None, sensor: str | None, lens_mm: float | None) -> float:
    """Return the field of view as options give it: by itself, or by a sensor and a lens.

    Raises UnusableInput where neither, both or half of it is given, or the sensor is unknown.
    """
    if hfov is not None and sensor is None and lens_mm is None:
        return hfov
    if hfov is not None or sensor is None or lens_mm is None:
        raise UnusableInput("give --hfov, or --sensor together with --lens")
    if sensor not in SENSOR_WIDTHS_MM:
        raise UnusableInput(f"--sensor {sensor}: unknown; use {', '.join(SENSOR_WIDTHS_MM)}")
    if not lens_mm > 0:
        raise UnusableInput(f"--lens {lens_mm:g}: give the focal length in millimetres")
    return float(hfov_deg(SENSOR_WIDTHS_MM[sensor], lens_mm))


def along_the_ground(
    answer: dict[str, Any], height_m: float | None, tilt_deg: float | None = None, *, hfov: float
) -> dict[str, Any]:
    """Return the answer of `optics` with distances along the ground from below a camera.

    height_m: None leaves them straight from the lens. tilt_deg: below the horizon; with it faces
    count only between the edges of a picture of 16:9. A distance_m of 0 says: nowhere. Adds
    "blind_m" and "upper_edge_m", None where height or tilt is not given, or no upper edge limits.
    Raises UnusableInput for a tilt without a height, or either out of bounds.
    """
    if height_m is None and tilt_deg is not None:
        raise UnusableInput(f"--tilt {tilt_deg:g}: says where the picture ends with --height only")
    if height_m is not None and not (height_m >= 0 and np.isfinite(height_m)):
        raise UnusableInput(f"--height {height_m:g}: give the height above the ground in metres")
    if tilt_deg is not None and not 0 <= tilt_deg <= 90:
        raise UnusableInput(f"--tilt {tilt_deg:g}: give 0 (level) to 90 (straight down) degrees")
    if height_m is None:
        return answer | {"blind_m": None, "upper_edge_m": None}
    near, far = 0.0, np.inf
    if tilt_deg is not None:
        near = float(blind_m(height_m, tilt_deg, vfov_deg(hfov)))
        far = float(upper_edge_m(height_m, tilt_deg, vfov_deg(hfov)))
    levels = []
    for level in answer["levels"]:
        reach = min(float(reach_m(level["distance_m"], height_m)), far)
        levels.append(level | {"distance_m": reach if reach > near else 0.0})
    return answer | {
        "levels": levels,
        "blind_m": None if tilt_deg is None else near,
        "upper_edge_m": far if np.isfinite(far) else None,
    }


def distance_m(
    pixels: npt.ArrayLike,
    hfov_deg: npt.ArrayLike,
    px_per_m: npt.ArrayLike,
    *,
    form: str = "flat",
) -> Floats:
    """Return the distance up to which a camera keeps a pixel density on the target.

    form: "flat", scene width 2 d tan(HFOV / 2), below 180 degrees; "arc", the older d * HFOV in
    radians, the only one above. "auto" is flat below 120 degrees and arc from there: so wide a
    lens is a fisheye, whose pixels lie evenly in the angle. NaN where flat is not defined.
    """
    return np.asarray(pixels, np.float64) / (
        np.asarray(px_per_m, np.float64) * _width_at_1_m(np.asarray(hfov_deg, np.float64), form)
    )


def px_per_m(
    pixels: npt.ArrayLike, hfov_deg: npt.ArrayLike, at_m: npt.ArrayLike, *, form: str = "flat"
) -> Floats:
    """Return pixels per metre on a target at a distance; the forms are those of distance_m."""
    width_m = np.asarray(at_m, np.float64) * _width_at_1_m(np.asarray(hfov_deg, np.float64), form)
    return np.asarray(pixels, np.float64) / width_m


def _width_at_1_m(hfov_deg: Floats, form: str) -> Floats:
    arc: Floats = np.radians(hfov_deg)
    if form == "arc":
        return arc
    with np.errstate(invalid="ignore"):
        flat = np.where(hfov_deg < 180.0, 2.0 * np.tan(arc / 2.0), np.nan)
    if form == "flat":
        return flat
    return np.where(hfov_deg < FISHEYE_FROM_DEG, flat, arc)


FISHEYE_FROM_DEG: Final = 120.0


def hfov_deg(sensor_width_mm: npt.ArrayLike, focal_length_mm: npt.ArrayLike) -> Floats:
    """Return the horizontal field of view of a sensor behind a lens: 2 atan(width / 2 f)."""
    half = np.asarray(sensor_width_mm, np.float64) / (2.0 * np.asarray(focal_length_mm, np.float64))
    return np.degrees(2.0 * np.arctan(half))


def vfov_deg(hfov: npt.ArrayLike, *, aspect: float = _ASPECT) -> Floats:
    """Return the vertical field of view of a picture `aspect` times as wide as high.

    From 120 degrees on the lens is taken as a fisheye, whose angles are as the picture's sides,
    up to the half sphere of a panoramic camera.
    """
    hfov = np.asarray(hfov, np.float64)
    with np.errstate(invalid="ignore"):
        flat = np.degrees(2.0 * np.arctan(np.tan(np.radians(hfov) / 2.0) / aspect))
    return np.where(hfov < FISHEYE_FROM_DEG, flat, np.minimum(hfov / aspect, 180.0))


def slant_m(
    ground_m: npt.ArrayLike, height_m: npt.ArrayLike, *, target_m: float = PERSON_HEIGHT_M
) -> Floats:
    """Return how far a face is from the lens, which is what pixels depend on.

    ground_m: the distance along the ground. target_m: the height of the face.
    """
    return np.hypot(np.asarray(ground_m, np.float64), _above(height_m, target_m))


def reach_m(
    slant: npt.ArrayLike, height_m: npt.ArrayLike, *, target_m: float = PERSON_HEIGHT_M
) -> Floats:
    """Return how far along the ground a face is within a slant distance; 0 if nowhere.

    A higher camera reaches less far on the ground, never farther.
    """
    slant = np.asarray(slant, np.float64)
    above = _above(height_m, target_m)
    return np.sqrt(np.maximum(slant**2 - above**2, 0.0))


def blind_m(
    height_m: npt.ArrayLike,
    tilt_deg: npt.ArrayLike,
    vertical_fov_deg: npt.ArrayLike,
    *,
    target_m: float = PERSON_HEIGHT_M,
) -> Floats:
    """Return the distance along the ground below which a face lies under the picture.

    tilt_deg: how far the optical axis points below the horizon. 0 where the picture reaches
    straight down, infinite where its lower edge does not come down to the face.
    """
    lowest = np.asarray(tilt_deg, np.float64) + np.asarray(vertical_fov_deg, np.float64) / 2.0
    return _crossing(_drop(height_m, target_m), lowest)


def upper_edge_m(
    height_m: npt.ArrayLike,
    tilt_deg: npt.ArrayLike,
    vertical_fov_deg: npt.ArrayLike,
    *,
    target_m: float = PERSON_HEIGHT_M,
) -> Floats:
    """Return the distance along the ground beyond which a face lies above the picture.

    Infinite where the picture shows the horizon.
    """
    highest = np.asarray(tilt_deg, np.float64) - np.asarray(vertical_fov_deg, np.float64) / 2.0
    return _crossing(_drop(height_m, target_m), highest)


def _above(height_m: npt.ArrayLike, target_m: float) -> Floats:
    return np.abs(np.asarray(height_m, np.float64) - target_m)


def _drop(height_m: npt.ArrayLike, target_m: float) -> Floats:
    """Return by how much a camera is higher than a face; one that hangs lower sees it level."""
    return np.maximum(np.asarray(height_m, np.float64) - target_m, 0.0)


def _crossing(drop_m: Floats, below_horizon_deg: Floats) -> Floats:
    """Return where a ray that points below the horizon has come down by drop_m."""
    with np.errstate(divide="ignore", invalid="ignore"):
        where = drop_m / np.tan(np.radians(below_horizon_deg))
    where = np.where(below_horizon_deg >= 90.0, 0.0, where)
    return np.where(below_horizon_deg > 0.0, where, np.inf)
