"""What `--undercount` can say, in one place for all commands that add what no list has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sousveil.errors import UnusableInput
from sousveil.overlap import Common, Listed, common
from sousveil.records import CAMERAS
from sousveil.undercount import _files, _listing
from sousveil.undercount._missing import Missing
from sousveil.undercount._stated import MOST_FOR_ONE, Stated, evenly, is_stated, stated

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

NONE: Final = "none"
PRIOR: Final = "prior"

_SAME: Final = 0.95  # of the cameras of an earlier result must be known here to be told apart


def missing(
    given: Stated | Path | None,
    cameras: pa.Table,
    *,
    lists: Sequence[Listed] = (),
    told: dict[str, Any] | None = None,
    streets: pa.Table | None = None,
    seed: int = 0,
) -> Missing:
    """Return how many cameras no list has, beside those of a register (records.CAMERAS).

    given: "1.8/1.4/2.6" or three numbers, cameras for each listed one; the directory of a census or
    a linkage, or the JSON of a census or of capture; "prior", from where completeness was measured;
    "none"; or None: what the overlap of the lists tells, if there are several. lists, told: of the
    census (`overlap.lists`, Undercount.told). streets: records.STREETS. Raises UnusableInput.
    """
    if given is None:
        return _bounded(_of_lists(cameras, lists, told, streets), cameras)
    if isinstance(given, str) and given == NONE:
        return _nothing(cameras, "No cameras are added to those listed, as asked.")
    if isinstance(given, str) and given == PRIOR:
        return _of_prior(cameras.num_rows)
    if isinstance(given, str | Path) and Path(given).exists():
        return _bounded(_of_file(Path(given), cameras, seed), cameras)
    if isinstance(given, Path) or not is_stated(given):
        raise UnusableInput(
            f"--undercount {given}: no such file; write estimate/low/high, such as 1.8/1.4/2.6, or "
            "give a result of census, link or capture, prior, or none"
        )
    return stated(given, cameras.num_rows)


def check(given: Stated | Path | None) -> None:
    """Raise UnusableInput for what no register can make sense of, before one is read."""
    if given is not None and not (isinstance(given, str | Path) and Path(given).exists()):
        missing(given, CAMERAS.empty_table())


def _nothing(cameras: pa.Table, note: str, *, basis: str = NONE, definition: str = "") -> Missing:
    everything = evenly(np.ones(cameras.num_rows, bool))
    return Missing(basis, everything, cameras.num_rows, definition=definition, note=note)


def _of_prior(n: int) -> Missing:
    """Return what the share held in places with a register makes of a place without one."""
    from scipy.stats import beta

    from sousveil.completeness import MEASURED, prior

    assumed = prior(MEASURED)
    share = beta.ppf([0.5, 0.975, 0.025], assumed["alpha"], assumed["beta"])
    more, least, most = ((1 - p) / p * n for p in share.tolist())
    low, high = assumed["low"], assumed["high"]
    return Missing(
        basis=PRIOR,
        like=evenly(np.ones(n, bool)),
        listed=n,
        estimate=more,
        low=least,
        high=most,
        definition="cameras like those listed",
        method=f"prior: a list holds {low:.0%} to {high:.0%} of such cameras",
        note=f"How many cameras no list has is a prior from {len(MEASURED)} city (Milan, the gates "
        "of two zones), not a measurement of this place.",
    )


def _of_lists(
    cameras: pa.Table,
    lists: Sequence[Listed],
    told: dict[str, Any] | None,
    streets: pa.Table | None,
) -> Missing:
    if len(lists) < 2 or told is None:
        return _nothing(cameras, "No undercount was given: cameras that no list has are not in the "
                        "figures, which are therefore at least.")  # fmt: skip
    if told["reason"] is not None:
        return _nothing(cameras, f"How many cameras no list has cannot be said ({told['reason']}); "
                        "none are added, and the figures are at least.")  # fmt: skip
    list_of = {source: one.list_id for one in lists for source in one.sources}
    names = [one.list_id for one in lists]
    held = np.array([[name in {list_of[s] for s in held} for name in names]
                     for held in cameras["sources"].to_pylist()], bool)  # fmt: skip
    held = held.reshape(-1, len(names))
    shared = _common(cameras, held, names, told.get("kinds"))
    if told["estimate"] is None or told["high"] is None or shared is None:
        return _unbounded(cameras, told)
    mine = _holds(shared, cameras)
    from_overlap = _placed("lists", mine, told, shared)
    pair = _two_most_alike(held[mine])
    linkage, pair = _linkage(told.get("linkage"), names, pair)
    found = _listing.listing(cameras.filter(pa.array(mine)), held[mine][:, pair], streets=streets,
                             linkage=linkage)  # fmt: skip
    if found is None:
        return from_overlap
    weighed = _weighed(from_overlap, mine, found)
    return _by_covariates(weighed, found, told) if len(names) == 2 else weighed


def _linkage(
    said: dict[str, Any] | None, names: list[str], pair: list[int]
) -> tuple[Any, list[int]]:
    """Return capture.Linkage of two lists, and the lists in the order that it is about."""
    if said is None:
        return None, pair
    from sousveil.capture import Linkage

    rates = Linkage(**{key: said[key] for key in Linkage._fields})
    return rates, sorted(pair, key=lambda i: names[i] == said["second"])


def _of_file(path: Path, cameras: pa.Table, seed: int) -> Missing:
    earlier = _files.read(path, seed=seed)
    told = earlier.told
    names, held = _files.held_by(earlier)
    there = None if earlier.cameras is None else _common(earlier.cameras, held, names)
    if told["estimate"] is None or told["high"] is None:
        return _unbounded(cameras, told)
    mine = np.ones(cameras.num_rows, bool) if there is None else _holds(there, cameras)
    found = _placed("file", mine, told, there)
    if not mine.any():
        raise UnusableInput(
            f"--undercount {path}: is of cameras that are not here ({told['definition']}); give an "
            "estimate of this place"
        )
    if found.listed != told["observed"]:
        found = _of_fewer(found, told["observed"])
    if there is None or earlier.cameras is None:
        return found
    of_them = _holds(there, earlier.cameras)
    chosen = earlier.cameras.filter(pa.array(of_them))
    row = {camera: i for i, camera in enumerate(chosen["camera_id"].to_pylist())}
    ids = np.array(cameras["camera_id"].to_pylist(), dtype=object)[mine]
    if not row or np.mean([camera in row for camera in ids]) < _SAME:
        return found
    chances = _listing.listing(chosen, held[of_them][:, _two_most_alike(held[of_them])],
                               streets=earlier.streets)  # fmt: skip
    if chances is None:
        return found
    usual = float(np.median(chances.chance))
    mapped = [chances.chance[row[c]] if c in row else usual for c in ids.tolist()]
    return _weighed(found, mine, chances._replace(chance=np.array(mapped)))


def _of_fewer(found: Missing, observed: int) -> Missing:
    """Add the cameras that the lists of an estimate held and the register here does not."""
    more = max(observed - found.listed, 0)
    said = f" The lists of the estimate held {observed:,}; here {found.listed:,} are of that sort"
    said += f", and the other {more:,} count as unlisted." if more else "."
    return found._replace(
        estimate=(found.estimate or 0.0) + more,
        low=found.low + more,
        high=found.high + more,
        note=found.note + said,
    )


def _common(
    cameras: pa.Table, held: Bools, names: list[str], only: Sequence[str] | None = None
) -> Common | None:
    """Return what all lists could hold, by their cameras; only: the kinds that they all hold.

    A camera of several lists has one kind, so that its kind alone would not tell.
    """
    if only is not None:
        held = held & np.isin(cameras["kind"].to_pylist(), list(only))[:, None]
    camera, of_list = np.nonzero(held)
    if len(set(of_list.tolist())) < 2:
        return None
    lon, lat = cameras["lon"].to_numpy()[camera], cameras["lat"].to_numpy()[camera]
    kinds = cameras["kind"].take(pa.array(camera)).to_pylist()
    return common(lon, lat, kinds, np.array(names)[of_list])


def _holds(shared: Common, cameras: pa.Table) -> Bools:
    lon, lat = cameras["lon"].to_numpy(), cameras["lat"].to_numpy()
    return shared.holds(lon, lat, cameras["kind"].to_pylist())


def _placed(basis: str, mine: Bools, told: dict[str, Any], shared: Common | None) -> Missing:
    observed = float(told["observed"])
    return Missing(
        basis=basis,
        like=evenly(mine),
        listed=int(mine.sum()),
        estimate=told["estimate"] - observed,
        low=told["low"] - observed,
        high=told["high"] - observed,
        ground=shared and shared.ground,
        definition=told["definition"] or "",
        method=told["method"] or "",
        note=f"Cameras that no list has are those of the estimate of {told['definition']}: about "
        f"{told['estimate']:,.0f} ({told['low']:,.0f} to {told['high']:,.0f}), of which "
        f"{told['observed']:,} are listed.",
    )


def _unbounded(cameras: pa.Table, told: dict[str, Any]) -> Missing:
    note = (f"The lists cannot bound how many cameras there are (at least {told['observed']:,} "
            f"{told['definition']}): none are added, and the figures are at least.")  # fmt: skip
    return _nothing(cameras, note, definition=told["definition"] or "")


def _bounded(found: Missing, cameras: pa.Table) -> Missing:
    """Return what was found, or none where its upper end is beyond MOST_FOR_ONE."""
    if found.estimate is None or found.high <= MOST_FOR_ONE * max(found.listed, 1):
        return found
    note = (f"The lists share too few cameras to bound how many there are (of {found.definition} "
            f"{found.listed:,} are listed, and up to {found.high:,.0f} more would fit): none are "
            "added, and the figures are at least.")  # fmt: skip
    return _nothing(cameras, note, definition=found.definition)


def _two_most_alike(held: Bools) -> list[int]:
    """Return the two lists that share most cameras."""
    shared = held.T.astype(np.int64) @ held.astype(np.int64)
    pairs = np.array(np.triu_indices(len(shared), 1)).T
    best = pairs[int(np.argmax([shared[i, j] for i, j in pairs]))]
    return [int(i) for i in best]


def _weighed(plain: Missing, mine: Bools, found: _listing.Listing) -> Missing:
    """Spread the unlisted cameras by how seldom cameras of a sort are listed."""
    like: Floats = np.zeros(len(mine))
    weight = (1 - found.chance) / found.chance
    like[mine] = weight / weight.sum() if weight.sum() > 0 else 1 / max(int(mine.sum()), 1)
    return plain._replace(
        like=like,
        covariates=found.covariates,
        note=f"{plain.note} They are put where cameras are that lists seldom find, by "
        f"{_words(found.covariates)}.",
    )


def _by_covariates(weighed: Missing, found: _listing.Listing, told: dict[str, Any]) -> Missing:
    """Take the total that the chances of two lists come to, as cameras are not alike in them."""
    n = float(weighed.listed)
    return weighed._replace(
        estimate=found.estimate - n,
        low=found.low - n,
        high=found.high - n,
        method="capture-recapture (Huggins-Alho, covariates), linkage errors carried",
        note=f"Cameras that no list has are those of the estimate of {told['definition']}: about "
        f"{found.estimate:,.0f} ({found.low:,.0f} to {found.high:,.0f}), of which "
        f"{weighed.listed:,} are listed. The overlap alone gives {told['estimate']:,.0f} "
        f"({told['low']:,.0f} to {told['high']:,.0f}), as if all were found alike; here some are "
        f"found more easily than others, by {_words(found.covariates)}, and those that no list has "
        "are put where cameras are that lists seldom find.",
    )


def _words(names: Sequence[str]) -> str:
    words = [name.replace("_", " ") for name in names]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
