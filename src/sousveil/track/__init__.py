"""A person's own track: read from a file on this machine, and matched to the streets it followed.

Nothing here asks a server or keeps anything: a file goes in, tables come out.
"""

from __future__ import annotations

from sousveil.track._graph import Graph, graph
from sousveil.track._matching import GAP_M, GAP_S, Matched, match
from sousveil.track._reading import FORMATS, SetAside, Track, read
from sousveil.track._sharing import WALKING_M_PER_S, moments

__all__ = [
    "FORMATS",
    "GAP_M",
    "GAP_S",
    "WALKING_M_PER_S",
    "Graph",
    "Matched",
    "SetAside",
    "Track",
    "graph",
    "match",
    "moments",
    "read",
]
