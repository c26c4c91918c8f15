"""Compiled kernels that draw ways: places of nodes, lines and polygons as WKB, texts of columns."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from sousveil.sources.osm._kernels import REFS, UNSIGNED, Array, kernel

Arrays = tuple[Array, ...]

# What to draw of a way; TRIAL: nothing, only find out whether it could be.
STREET, BUILDING, LINE, TRIAL = 1, 2, 4, 8

# What became of it.
UNDRAWN, WHOLE, PARTIAL = 0, 1, 2

UNITS_PER_DEGREE: Final = 10_000_000
NOWHERE: Final = (1 << 31) - 1  # where a node would be that has no place
_EAST_UNITS: Final = 180 * UNITS_PER_DEGREE
_NORTH_UNITS: Final = 90 * UNITS_PER_DEGREE

# The longest WKB: a head, and one more for every second node, where all others are missing.
HEAD_BYTES: Final = 13
NODE_BYTES: Final = 16 + 5

# A ring is proved simple only where integers prove it for the float64 of its degrees too: there a
# distance of one unit outweighs all rounding.
_LARGEST_SPAN: Final = 1 << 18
_LONGEST_RING: Final = 96


@kernel
def join_places(lons: Array, lats: Array, places: Array) -> None:
    """Put the two halves of places side by side, NOWHERE for what is no place in the world."""
    for i in range(len(lons)):
        places[i, 0], places[i, 1] = lons[i], lats[i]
        if abs(lons[i]) > _EAST_UNITS or abs(lats[i]) > _NORTH_UNITS:
            places[i, 0] = NOWHERE


@kernel
def fill_buckets(ids: Array, shift: int, buckets: Array) -> None:
    """Note for ids that ascend how many come before each bucket; id >> shift is its bucket."""
    bucket = 0
    for i in range(len(ids)):
        while bucket <= ids[i] >> shift:
            buckets[bucket] = i
            bucket += 1
    while bucket < len(buckets):
        buckets[bucket] = len(ids)
        bucket += 1


@kernel
def find(ids: Array, shift: int, buckets: Array, wanted: Any, near: int) -> int:
    """Return where an id stands in ids that ascend, or -1; near: where it may well stand."""
    if near < len(ids) and ids[near] == wanted:
        return near
    bucket = wanted >> shift
    if wanted < 0 or bucket >= len(buckets) - 1:
        return -1
    low, high = buckets[bucket], buckets[bucket + 1]
    while low < high:
        middle = (low + high) // 2
        if ids[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low if low < len(ids) and ids[low] == wanted else -1


@kernel
def draw(
    data: Array,
    table: Array,
    flags: Array,
    ids: Array,
    places: Array,
    shift: int,
    buckets: Array,
    outs: Arrays,
    ends: Arrays,
    states: Array,
    proved: Array,
    scratch: Array,
) -> bool:
    """Draw ways; outs and ends: the WKB of streets, buildings and lines, and where each ends.

    flags: STREET, BUILDING and LINE, added. proved: set for buildings whose ring is simple beyond
    doubt. scratch: room for lon, lat and end of run of the longest way. Returns False for refs
    that are broken.
    """
    near = 0
    counts, filled = np.zeros(3, np.int64), np.zeros(3, np.int64)
    for i in range(len(table)):
        if flags[i] == 0:
            continue
        at, end = table[i, REFS], table[i, REFS + 1]
        ref, points, runs, begin, gaps = np.int64(0), 0, 0, 0, False
        value, bits = np.int64(0), np.int64(0)
        if end > at and data[end - 1] > 127:
            return False
        for byte_at in range(at, end):
            byte = np.int64(data[byte_at])
            value |= (byte & 127) << bits
            if byte > 127:
                bits += 7
                if bits > 63:
                    return False
                continue
            ref += ((value >> 1) & UNSIGNED) ^ -(value & 1)
            value, bits = np.int64(0), np.int64(0)
            place = find(ids, shift, buckets, ref, near)
            if place >= 0:
                near = place + 1
            if place >= 0 and places[place, 0] != NOWHERE:
                lon, lat = places[place, 0], places[place, 1]
                repeats = points > begin and (
                    scratch[0, points - 1] == lon and scratch[1, points - 1] == lat
                )
                if not repeats:
                    scratch[0, points], scratch[1, points] = lon, lat
                    points += 1
                continue
            gaps = True
            if points - begin > 1:
                scratch[2, runs] = points
                runs += 1
                begin = points
            points = begin
        if points - begin > 1:
            scratch[2, runs] = points
            runs += 1
        else:
            points = begin
        if runs == 0:
            continue
        states[i] = PARTIAL if gaps else WHOLE
        closed = (
            runs == 1
            and points > 3
            and scratch[0, 0] == scratch[0, points - 1]
            and scratch[1, 0] == scratch[1, points - 1]
        )
        for what in range(3):
            if not flags[i] & (1 << what):
                continue
            if what == 1:
                if not closed:
                    flags[i] &= ~BUILDING
                    continue
                proved[counts[what]] = is_simple(scratch, points)
            filled[what] = _write(outs[what], filled[what], scratch, points, runs, what == 1)
            ends[what][counts[what]] = filled[what]
            counts[what] += 1
    return True


@kernel
def _write(out: Array, at: int, scratch: Array, points: int, runs: int, polygon: bool) -> int:
    """Write a line, several, or the polygon inside one, as little-endian WKB."""
    if polygon:
        at = _write_head(out, at, 3, 1)
        at = _write_number(out, at, points)
        return _write_points(out, at, scratch, 0, points)
    if runs > 1:
        at = _write_head(out, at, 5, runs)
    begin = 0
    for run in range(runs):
        end = scratch[2, run]
        at = _write_head(out, at, 2, end - begin)
        at = _write_points(out, at, scratch, begin, end)
        begin = end
    return at


@kernel
def _write_head(out: Array, at: int, kind: int, number: int) -> int:
    out[at] = 1
    at = _write_number(out, at + 1, kind)
    return _write_number(out, at, number)


@kernel
def _write_number(out: Array, at: int, number: int) -> int:
    for shift in range(0, 32, 8):
        out[at] = (number >> shift) & 255
        at += 1
    return at


@kernel
def _write_points(out: Array, at: int, scratch: Array, begin: int, end: int) -> int:
    pair = np.empty(2, np.float64)
    raw = pair.view(np.uint8)
    for i in range(begin, end):
        pair[0] = scratch[0, i] / UNITS_PER_DEGREE
        pair[1] = scratch[1, i] / UNITS_PER_DEGREE
        for j in range(16):
            out[at + j] = raw[j]
        at += 16
    return at


@kernel
def is_simple(ring: Array, points: int) -> bool:
    """Tell whether a closed ring certainly neither crosses nor touches itself.

    False where it does and where that is not sure: for long and large rings, and where a corner is
    so near to another side that rounding could decide.
    """
    if points > _LONGEST_RING:
        return False
    for axis in range(2):
        low, high = ring[axis, 0], ring[axis, 0]
        for i in range(1, points):
            low, high = min(low, ring[axis, i]), max(high, ring[axis, i])
        if high - low > _LARGEST_SPAN:
            return False
    sides = points - 1
    for i in range(sides):
        following = i + 1 if i + 1 < sides else 0
        if not _turns(ring, i, i + 1, following + 1):
            return False
        for j in range(i + 2, sides):
            if (i > 0 or j < sides - 1) and not _apart(ring, i, j):
                return False
    return True


@kernel
def _turns(ring: Array, a: int, b: int, c: int) -> bool:
    """Tell whether the way from a over b to c goes on or turns, and does not go back on itself."""
    if _side(ring, a, b, c) != 0:
        return True
    forth_x, forth_y = ring[0, b] - ring[0, a], ring[1, b] - ring[1, a]
    return bool(forth_x * (ring[0, c] - ring[0, b]) + forth_y * (ring[1, c] - ring[1, b]) > 0)


@kernel
def _side(ring: Array, a: int, b: int, c: int) -> Any:
    return (ring[0, b] - ring[0, a]) * (ring[1, c] - ring[1, a]) - (ring[1, b] - ring[1, a]) * (
        ring[0, c] - ring[0, a]
    )


@kernel
def _apart(ring: Array, i: int, j: int) -> bool:
    """Tell whether two sides that are no neighbours certainly have no point in common."""
    for axis in range(2):
        a, b, c, d = ring[axis, i], ring[axis, i + 1], ring[axis, j], ring[axis, j + 1]
        if max(a, b) < min(c, d) or max(c, d) < min(a, b):
            return True
    first, second = _side(ring, i, i + 1, j), _side(ring, i, i + 1, j + 1)
    if (first > 0 and second > 0) or (first < 0 and second < 0):
        return True
    first, second = _side(ring, j, j + 1, i), _side(ring, j, j + 1, i + 1)
    return bool((first > 0 and second > 0) or (first < 0 and second < 0))


@kernel
def copy_texts(
    data: Array, starts: Array, lengths: Array, texts: Array, offsets: Array, out: Array
) -> None:
    """Write texts of a block one behind the other; negative ones are left out."""
    for i in range(len(texts)):
        text = texts[i]
        if text >= 0:
            for j in range(lengths[text]):
                out[offsets[i] + j] = data[starts[text] + j]


@kernel
def write_ids(prefix: Array, ids: Array, ends: Array, out: Array) -> None:
    """Write a prefix and an id in decimal digits for each id; ends: where each ends."""
    at = 0
    for i in range(len(ids)):
        for byte in prefix:
            out[at] = byte
            at += 1
        rest, digits = ids[i], 1
        while rest >= 10:
            rest //= 10
            digits += 1
        rest = ids[i]
        for j in range(digits - 1, -1, -1):
            out[at + j] = 48 + rest % 10
            rest //= 10
        at += digits
        ends[i] = at
