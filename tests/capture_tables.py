"""Published tables of capture histories, and lists made up with the truth known."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sousveil.capture._histories import Array, Histories, to_table


def table(text: str, names: str) -> Histories:
    """Return histories from "110:15 ..." and names of the lists."""
    lists = tuple(names.split())
    counts = np.zeros(1 << len(lists))
    for item in text.split():
        history, count = item.split(":")
        counts[sum(1 << i for i, held in enumerate(history) if held == "1")] += int(count)
    return Histories(lists, counts)


def arrow(text: str, names: str) -> pa.Table:
    return to_table(table(text, names))


HARE = table(
    "100000:3 010000:6 001000:5 101000:1 000100:3 100100:2 010100:3 101100:1 000010:4 100010:2 "
    "010010:3 110010:1 101010:1 000110:1 000001:4 100001:1 010001:1 110001:1 001001:2 011001:2 "
    "000101:4 010101:3 001101:1 011101:2 000011:2 010011:1 001011:1 011011:1 000111:1 100111:1 "
    "010111:1 011111:1 111111:2",
    "1 2 3 4 5 6",
)
"""Snowshoe hares, six occasions (Otis et al. 1978)."""

HIV = table(
    "1111:0 1110:3 1101:1 1100:33 1011:0 1010:20 1001:6 1000:403 0111:3 0110:35 0101:10 0100:545 "
    "0011:11 0010:621 0001:205",
    "1 2 3 4",
)
"""HIV in Rome, four reporting centres (Abeni 1994)."""

KOSOVO = table(
    "1000:1131 0100:845 0010:936 0001:306 1100:177 1010:228 1001:106 0110:217 0101:31 0011:123 "
    "1110:181 1101:18 1011:42 0111:32 1111:27",
    "EXH ABA OSCE HRW",
)
"""Killings in Kosovo 1999, four lists (Ball et al. 2002)."""

UK = table(
    "100000:54 010000:463 001000:907 000100:695 000010:316 000001:57 110000:15 101000:19 100100:3 "
    "011000:56 010100:19 010010:1 010001:3 001100:69 001010:10 001001:31 000110:8 000101:6 "
    "000011:1 111000:1 110100:1 011100:4 011001:3 001101:1 111100:1",
    "LA NG PF GO GP NCA",
)
"""Potential victims of slavery in the UK 2013, six lists (Silverman 2014)."""

NEW_ORLEANS = table(
    "10000000:25 10100000:1 10010000:2 10001000:1 10100010:1 10011000:1 01000000:5 01000100:1 "
    "00100000:70 00110000:1 00101000:1 00100010:1 00010000:33 00011000:2 00001000:6 00001001:1 "
    "00000100:6 00000010:6 00000001:21",
    "A B C D E F G H",
)
"""Victims of trafficking in New Orleans, eight lists (Bales, Murphy and Silverman 2020)."""

MADIGAN_YORK = table("001:247 011:142 101:112 111:12 100:60 010:49 110:4", "x y z")
"""Spina bifida, three lists (Madigan and York 1997)."""

HEPATITIS = table("111:28 110:21 101:17 011:18 100:69 010:55 001:63", "P Q E")
"""Hepatitis A in a college in Taiwan, three lists (Chao et al. 1997)."""

COTTONTAIL = (43, 16, 8, 6, 0, 2, 1)
"""Rabbits seen once, twice, ... in 18 nights (Edwards and Eberhardt 1967)."""


def lists_of(n: int, k: int, *, seed: int, heterogeneity: float = 0.0,
             dependence: float = 0.0) -> Histories:  # fmt: skip
    """Make up k lists of n cameras.

    heterogeneity: standard deviation of how visible a camera is, on the logit scale, shared by all
    lists. dependence: logit by which being in the first list helps to be in the second.
    """
    rng = np.random.default_rng(seed)
    base = np.array([-0.2, -0.6, -0.85, -1.1, -0.4])[:k]
    logit = base + heterogeneity * rng.normal(size=(n, 1))
    held = np.zeros((n, k), int)
    for i in range(k):
        shift = dependence * (held[:, 0] - 0.4) if i == 1 else 0.0
        held[:, i] = rng.random(n) < 1 / (1 + np.exp(-(logit[:, i] + shift)))
    counts: Array = np.bincount(held @ (1 << np.arange(k)), minlength=1 << k).astype(float)
    counts[0] = 0
    return Histories(tuple("abcde"[:k]), counts)
