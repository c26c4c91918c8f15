"""Compiled kernels that read the messages of a PBF block: texts, nodes, ways and relations.

A kernel gets the bytes of a whole block and the stretch of it that it is to read. Nothing guards
compiled code: so every read is held against the end of its stretch, every number of a text against
the table of texts, and a kernel that meets anything else than what it knows returns -1 or False.
What a stretch holds more than once, or in a rarer coding that the format allows too, counts as
unknown: whoever calls then leaves the file to osmium.

Source of the format: https://wiki.openstreetmap.org/wiki/PBF_Format
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numpy as np
from numba import njit

Array = np.ndarray[Any, Any]

F = TypeVar("F", bound=Callable[..., Any])

TEXT_BYTES: Final = 1024  # the longest text that osmium takes
KINDS: Final = 6  # numbers of the fields of a group: 1 and 2 nodes, 3 ways, 4 relations

# Columns of the table of ways or relations, two for a stretch. REFS: the nodes of a way or the
# members of a relation; ROLES and TYPES: of those members.
ID, KEYS, VALUES, REFS, ROLES, TYPES, TIME, COLUMNS = 0, 1, 3, 5, 7, 9, 11, 12

_SEVEN_BITS: Final = 127
UNSIGNED: Final = 0x7FFF_FFFF_FFFF_FFFF


def kernel(function: F) -> F:
    """Compile a function, to run without Python's lock, and keep what came of it on disk."""
    return cast(F, njit(nogil=True, cache=True)(function))


@kernel
def varint(data: Array, at: int, end: int) -> tuple[Any, int]:
    """Return the number that begins at a byte and where the next begins, -1 for a broken one."""
    value, shift = np.int64(0), np.int64(0)
    while 0 <= at < end and shift < 70:
        byte = np.int64(data[at])
        at += 1
        value |= (byte & _SEVEN_BITS) << shift
        if byte < 128:
            return value, at
        shift += 7
    return value, -1


@kernel
def _field(data: Array, at: int, end: int) -> tuple[int, int, Any, int, int, int]:
    """Return number, kind of coding, value, begin and end of a field, and the next (-1: broken)."""
    key, at = varint(data, at, end)
    number, coding = (key >> 3) & UNSIGNED, key & 7
    if at < 0 or number == 0:
        return number, coding, np.int64(0), 0, 0, -1
    if coding == 0:
        value, at = varint(data, at, end)
        return number, coding, value, 0, 0, at
    if coding == 2:
        length, at = varint(data, at, end)
        if at < 0 or length < 0 or length > end - at:
            return number, coding, np.int64(0), 0, 0, -1
        return number, coding, np.int64(0), at, at + length, at + length
    size = 8 if coding == 1 else 4
    if (coding != 1 and coding != 5) or size > end - at:
        return number, coding, np.int64(0), 0, 0, -1
    return number, coding, np.int64(0), 0, 0, at + size


@kernel
def count_texts(data: Array, at: int, end: int) -> int:
    """Return how many texts a table holds."""
    count = 0
    while at < end:
        number, coding, _, start, stop, at = _field(data, at, end)
        if at < 0 or number != 1 or coding != 2 or stop - start > TEXT_BYTES:
            return -1
        count += 1
    return count


@kernel
def find_texts(
    data: Array,
    at: int,
    end: int,
    starts: Array,
    lengths: Array,
    words: Array,
    word_ends: Array,
    by_length: Array,
    codes: Array,
) -> bool:
    """Note where each text stands, and which word of a list it is: its code, 0 for none of them.

    words: sorted by length; by_length: the first word of each length. The texts were counted.
    Returns False if one holds a zero byte.
    """
    i = 0
    while at < end and i < len(starts):
        _, _, _, start, stop, at = _field(data, at, end)
        length = stop - start
        starts[i], lengths[i], codes[i] = start, length, 0
        for byte in range(start, stop):
            if data[byte] == 0:
                return False
        if length + 1 < len(by_length):
            for word in range(by_length[length], by_length[length + 1]):
                begin = word_ends[word] - length
                same = True
                for j in range(length):
                    if data[start + j] != words[begin + j]:
                        same = False
                        break
                if same:
                    codes[i] = word + 1
                    break
        i += 1
    return i == len(starts)


@kernel
def count_kinds(data: Array, at: int, end: int, counts: Array) -> bool:
    """Count the fields of a group by number, KINDS of them; False for any other."""
    while at < end:
        number, coding, _, _, _, at = _field(data, at, end)
        if at < 0 or number >= KINDS or coding != 2:
            return False
        counts[number] += 1
    return True


@kernel
def count(data: Array, start: int, stop: int) -> int:
    """Return how many numbers are packed in a stretch."""
    if stop > start and data[stop - 1] > _SEVEN_BITS:
        return -1
    found = 0
    for at in range(start, stop):
        found += data[at] <= _SEVEN_BITS
    return found


@kernel
def unpack(data: Array, start: int, stop: int, sums: bool, out: Array) -> bool:
    """Write the numbers packed in a stretch; False if they are not as many as `out` has room.

    sums: they are signed, and each is the difference to the one before.
    """
    i, value, shift, total = 0, np.int64(0), np.int64(0), np.int64(0)
    for at in range(start, stop):
        byte = np.int64(data[at])
        value |= (byte & _SEVEN_BITS) << shift
        if byte > _SEVEN_BITS:
            shift += 7
            if shift > 63:
                return False
            continue
        if i >= len(out):
            return False
        if sums:
            total += ((value >> 1) & UNSIGNED) ^ -(value & 1)
            value = total
        out[i] = value
        i, value, shift = i + 1, np.int64(0), np.int64(0)
    return i == len(out)


@kernel
def count_rows(data: Array, table: Array, column: int, ends: Array) -> bool:
    """Note how many numbers are packed in a column of ways or relations, up to each row."""
    total = 0
    for i in range(len(table)):
        start, stop = table[i, column], table[i, column + 1]
        if stop > start and data[stop - 1] > _SEVEN_BITS:
            return False
        for at in range(start, stop):
            total += data[at] <= _SEVEN_BITS
        ends[i] = total
    return True


@kernel
def unpack_rows(
    data: Array, table: Array, column: int, sums: bool, ends: Array, out: Array
) -> bool:
    """Write what count_rows counted; sums: of signed differences, anew in each row."""
    i = 0
    for row in range(len(table)):
        at, stop, total = table[row, column], table[row, column + 1], np.int64(0)
        while i < ends[row]:
            value, at = varint(data, at, stop)
            if at < 0:
                return False
            if sums:
                total += ((value >> 1) & UNSIGNED) ^ -(value & 1)
                value = total
            out[i] = value
            i += 1
    return True


@kernel
def find_dense(data: Array, at: int, end: int, found: Array) -> bool:
    """Find the stretches of packed nodes in their group: ids, lat, lon, tags, times of edit.

    found: begin and end of each, -1 for what is not there.
    """
    found[:] = -1
    while at < end:
        number, _, _, start, stop, at = _field(data, at, end)
        if at < 0:
            return False
        if number == 2 and not _dense_parts(data, start, stop, found):
            return False
    return True


@kernel
def _dense_parts(data: Array, at: int, end: int, found: Array) -> bool:
    while at < end:
        number, coding, _, start, stop, at = _field(data, at, end)
        if at < 0:
            return False
        if number == 5:
            if coding != 2 or not _dense_info(data, start, stop, found):
                return False
            continue
        part = 0 if number == 1 else 1 if number == 8 else 2 if number == 9 else 3
        if number == 1 or 8 <= number <= 10:
            if coding != 2 or found[2 * part] >= 0:
                return False
            found[2 * part], found[2 * part + 1] = start, stop
    return True


@kernel
def _dense_info(data: Array, at: int, end: int, found: Array) -> bool:
    while at < end:
        number, coding, _, start, stop, at = _field(data, at, end)
        if at < 0 or number == 6:  # whether the object still exists: a history
            return False
        if number == 2:
            if coding != 2 or found[8] >= 0:
                return False
            found[8], found[9] = start, stop
    return True


@kernel
def dense_tags(packed: Array, codes: Array, pairs: Array, keys: Array, matches: Array) -> bool:
    """Find the tags of packed nodes: keys[i] is where those of node i begin in `packed`.

    matches: set for nodes with a tag of `pairs`, by code of key and of value.
    """
    at = 0
    for i in range(len(matches)):
        keys[i] = at
        while True:
            if at >= len(packed):
                return False
            key = packed[at]
            if key == 0:
                break
            if at + 1 >= len(packed):
                return False
            value = packed[at + 1]
            if key < 0 or key >= len(codes) or value < 0 or value >= len(codes):
                return False
            if pairs[codes[key], codes[value]]:
                matches[i] = True
            at += 2
        at += 1
    keys[len(matches)] = at
    return at == len(packed)


@kernel
def find_objects(data: Array, at: int, end: int, kind: int, table: Array) -> bool:
    """Fill a row for every way (kind 3) or relation (4) of a group; they were counted."""
    row = 0
    while at < end:
        number, _, _, start, stop, at = _field(data, at, end)
        if at < 0:
            return False
        if number == kind:
            if row >= len(table) or not _object(data, start, stop, kind, table[row]):
                return False
            row += 1
    return row == len(table)


@kernel
def _object(data: Array, at: int, end: int, kind: int, row: Array) -> bool:
    row[:] = -1
    row[TIME] = 0
    while at < end:
        number, coding, value, start, stop, at = _field(data, at, end)
        if at < 0:
            return False
        if number == 1:
            if coding != 0 or row[ID] >= 0 or value < 0:
                return False
            row[ID] = value
        elif number == 4:
            if coding != 2 or not _info(data, start, stop, row):
                return False
        elif number == 2 or number == 3 or 8 <= number <= 10:
            if coding != 2 or (kind == 3 and number > 8):  # a way that carries its own places
                return False
            if number == 2:
                column = KEYS
            elif number == 3:
                column = VALUES
            elif number == 10:
                column = TYPES
            else:
                column = REFS if (kind == 3) == (number == 8) else ROLES
            if row[column] >= 0:
                return False
            row[column], row[column + 1] = start, stop
    return bool(row[ID] >= 0)


@kernel
def _info(data: Array, at: int, end: int, row: Array) -> bool:
    while at < end:
        number, coding, value, _, _, at = _field(data, at, end)
        if at < 0 or number == 6:
            return False
        if number == 2:
            if coding != 0:
                return False
            row[TIME] = value
    return True


@kernel
def object_tags(
    data: Array,
    table: Array,
    codes: Array,
    pairs: Array,
    columns: Array,
    values: Array,
    matches: Array,
) -> bool:
    """Read the tags of ways or relations: the values of the keys that have a column.

    columns: of each code, -1 for none. values: the text of the first value of each row and
    column; comes filled with -1. matches: set for rows with a tag of `pairs`.
    """
    for i in range(len(table)):
        key_at, key_end = table[i, KEYS], table[i, KEYS + 1]
        at, end = table[i, VALUES], table[i, VALUES + 1]
        while key_at < key_end:
            key, key_at = varint(data, key_at, key_end)
            value, at = varint(data, at, end)
            if key_at < 0 or at < 0:
                return False
            if key < 0 or key >= len(codes) or value < 0 or value >= len(codes):
                return False
            code = codes[key]
            if code == 0:
                continue
            column = columns[code]
            if column >= 0 and values[i, column] < 0:
                values[i, column] = value
            if pairs[code, codes[value]]:
                matches[i] = True
        if at != end:
            return False
    return True
