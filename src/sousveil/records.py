"""The tables that flow through Sousveil: their columns, units and vocabularies, named only here.

Unknown is null, never a guess. Longitude and latitude are WGS 84 degrees; bearings are degrees
clockwise from north; geometry columns hold well-known binary (WKB) in longitude, latitude.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa

KINDS: Final = ("camera", "alpr", "speed", "red_light", "traffic", "other_camera")
HOUSINGS: Final = ("fixed", "dome", "panning")
SETTINGS: Final = ("public", "outdoor", "indoor")
OPERATOR_CLASSES: Final = ("public", "private", "unknown")
CAPABILITIES: Final = (
    "face_recognition",
    "alpr",
    "audio",
    "people_counting",
    "demographics",
    "behaviour",
    "other",
)
NOT_CAMERAS: Final = ("guard", "gunshot_detector", "other_sensor")
LIFECYCLES: Final = ("planned", "construction", "disused", "removed")

_strings = pa.list_(pa.string())

# What an installation is known to be like; the same columns in observations and in cameras.
_ATTRIBUTES: Final = [
    pa.field("lon", pa.float64(), nullable=False),
    pa.field("lat", pa.float64(), nullable=False),
    pa.field("accuracy_m", pa.float64()),
    pa.field("count", pa.int32(), nullable=False),  # devices at the installation, 1 unless known
    pa.field("kind", pa.string()),
    pa.field("housing", pa.string()),
    pa.field("bearings", pa.list_(pa.float64())),
    pa.field("hfov_deg", pa.float64()),
    pa.field("height_m", pa.float64()),
    pa.field("mount", pa.string()),
    pa.field("setting", pa.string()),
    pa.field("zone", pa.string()),
    pa.field("operator", pa.string()),
    pa.field("operator_class", pa.string(), nullable=False),
    pa.field("operator_class_rule", pa.string(), nullable=False),  # the rule that decided it
    pa.field("private_home", pa.bool_(), nullable=False),  # counted, never published one by one
    pa.field("purpose", pa.string()),
    pa.field("capabilities", _strings),
    pa.field("pixels_h", pa.int32()),
    pa.field("retention_days", pa.float64()),
    pa.field("installed", pa.date32()),
    pa.field("removed", pa.date32()),
    pa.field("evidence_url", pa.string()),
    pa.field("raw", pa.string()),  # JSON object of what the source said, live-feed links dropped
]

OBSERVATIONS: Final = pa.schema(
    [
        pa.field("observation_id", pa.string(), nullable=False),  # "<source_id>/<native_id>"
        pa.field("source_id", pa.string(), nullable=False),
        pa.field("native_id", pa.string(), nullable=False),  # "node/123" in OpenStreetMap
        pa.field(
            "seen_on", pa.date32()
        ),  # last check on the ground, else last edit, else of the list
        pa.field("seen_by", pa.string()),  # what seen_on rests on: check | edit | list
        *_ATTRIBUTES,
        pa.field("not_camera", pa.string()),  # NOT_CAMERAS, null for a camera
        pa.field("lifecycle", pa.string()),  # LIFECYCLES, null for what exists
    ]
)

LINKS: Final = pa.schema(
    [
        pa.field("observation_id", pa.string(), nullable=False),
        pa.field("source_id", pa.string(), nullable=False),
        pa.field("native_id", pa.string(), nullable=False),
        pa.field("camera_id", pa.string(), nullable=False),
        pa.field("probability", pa.float64(), nullable=False),
    ]
)

CAMERAS: Final = pa.schema(
    [
        pa.field("camera_id", pa.string(), nullable=False),
        *_ATTRIBUTES,
        pa.field("sources", _strings, nullable=False),
        pa.field("n_sources", pa.int32(), nullable=False),
        pa.field("link_probability", pa.float64(), nullable=False),
        pa.field("first_seen", pa.date32()),
        pa.field("last_seen", pa.date32()),
        pa.field("seen_by", pa.string()),
        pa.field("native_ids", _strings, nullable=False),
    ]
)

ESTIMATES: Final = pa.schema(
    [
        pa.field("place", pa.string(), nullable=False),
        pa.field("definition", pa.string(), nullable=False),
        pa.field("method", pa.string(), nullable=False),
        pa.field("estimate", pa.float64()),
        pa.field("low", pa.float64()),
        pa.field("high", pa.float64()),  # null where the data cannot bound it: "at least low"
        pa.field("level", pa.float64()),  # null without an interval
        pa.field("n_observed", pa.int64(), nullable=False),
        pa.field("lists", pa.int32(), nullable=False),
        pa.field("sources", _strings, nullable=False),
        pa.field("note", pa.string()),
    ]
)

# Cameras as they may leave this machine: see publication.py for what is withheld and rounded.
PUBLISHED: Final = pa.schema(
    [*CAMERAS, pa.field("coordinates", pa.string(), nullable=False)]  # exact | rounded
)

QUARANTINE: Final = pa.schema(
    [
        pa.field("source_id", pa.string(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),  # 1-based, as the file counts
        pa.field("field", pa.string()),  # null when the row as a whole is set aside
        pa.field("value", pa.string()),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("kept", pa.bool_(), nullable=False),  # true: only the field was set aside
        pa.field("native_id", pa.string()),
    ]
)

STREETS: Final = pa.schema(
    [
        pa.field("street_id", pa.string(), nullable=False),  # "way/123"
        pa.field("highway", pa.string(), nullable=False),
        pa.field("name", pa.string()),
        pa.field("oneway", pa.string()),
        pa.field("service", pa.string()),
        pa.field("access", pa.string()),
        pa.field("foot", pa.string()),
        pa.field("sidewalk", pa.string()),
        pa.field("tunnel", pa.string()),
        pa.field("covered", pa.string()),
        pa.field("indoor", pa.string()),
        pa.field("bridge", pa.string()),
        pa.field("layer", pa.string()),
        pa.field("area", pa.string()),
        pa.field("geometry", pa.binary(), nullable=False),
    ]
)

BUILDINGS: Final = pa.schema(
    [
        pa.field("building_id", pa.string(), nullable=False),  # "way/123" or "relation/123"
        pa.field("building", pa.string(), nullable=False),
        pa.field("name", pa.string()),
        pa.field("height", pa.string()),
        pa.field("levels", pa.string()),
        pa.field("min_height", pa.string()),
        pa.field("min_level", pa.string()),
        pa.field("layer", pa.string()),
        pa.field("location", pa.string()),
        pa.field("geometry", pa.binary(), nullable=False),
    ]
)

CLAIM_SCOPES: Final = (
    "installed base",
    "public-facing",
    "public bodies",
    "business premises",
    "visible from the street",
    "one network",
    "unstated",
)
CLAIM_BASES: Final = ("count", "sample", "model", "compiled", "derived", "forecast")
CLAIM_GRADES: Final = ("A", "B", "C", "D")
CLAIM_RATIO_UNITS: Final = ("people_per_camera", "per_100", "per_1000")

# Published totals: who said how many cameras a place has, when, about what, taken from whom.
CLAIMS: Final = pa.schema(
    [
        pa.field("claim_id", pa.string(), nullable=False),
        pa.field("place", pa.string(), nullable=False),
        pa.field("number", pa.float64()),  # cameras; null where only a ratio was published
        pa.field("number_low", pa.float64()),  # the range that the publisher gives
        pa.field("number_high", pa.float64()),
        pa.field("year", pa.int32()),  # that the number speaks of; null for undated
        pa.field("scope", pa.string(), nullable=False),  # CLAIM_SCOPES: what was counted
        pa.field("basis", pa.string(), nullable=False),  # CLAIM_BASES: how the number was made
        pa.field("publisher", pa.string(), nullable=False),
        pa.field("origin", pa.string()),  # who it was really taken from
        pa.field("copy_of", pa.string()),  # claim_id of which it is the same number again
        pa.field("derived_from", _strings, nullable=False),  # claim_ids it was worked out from
        pa.field("people", pa.float64()),  # the population that the publisher put beside it
        pa.field("ratio", pa.float64()),  # as published, in ratio_unit
        pa.field("ratio_unit", pa.string()),  # CLAIM_RATIO_UNITS
        pa.field("quoted_by", pa.string(), nullable=False),  # the page where it was read
        pa.field("grade", pa.string(), nullable=False),  # CLAIM_GRADES, docs/claims.md
        pa.field("made_in", pa.int32(), nullable=False),  # year of writing
        pa.field("note", pa.string()),
    ]
)

CAPTURE_MODELS: Final = pa.schema(
    [
        pa.field("name", pa.string(), nullable=False),  # capture.MODELS
        pa.field(
            "terms", _strings, nullable=False
        ),  # generators "A:B", or what else tells it apart
        pa.field("estimate", pa.float64()),
        pa.field("se", pa.float64()),
        pa.field("low", pa.float64()),  # 95 %
        pa.field("high", pa.float64()),  # null where nothing bounds it
        pa.field("deviance", pa.float64()),
        pa.field("df", pa.int32()),
        pa.field("aic", pa.float64()),
        pa.field("bic", pa.float64()),
    ]
)

# What a survey on foot can draw from: `probability` and `drawn` are 0 and false before the draw.
SURVEY_STRETCHES: Final = pa.schema(
    [
        pa.field("stretch_id", pa.string(), nullable=False),
        pa.field("stratum", pa.string(), nullable=False),
        pa.field("name", pa.string()),
        pa.field("length_m", pa.float64(), nullable=False),
        pa.field("size_m", pa.float64(), nullable=False),  # what its probability is made from
        pa.field("lon", pa.float64(), nullable=False),  # of its middle
        pa.field("lat", pa.float64(), nullable=False),
        pa.field("probability", pa.float64(), nullable=False),
        pa.field("drawn", pa.bool_(), nullable=False),
        pa.field("geometry", pa.binary(), nullable=False),
    ]
)

LEVELS: Final = ("detect", "observe", "recognise", "identify")
"""What pixels allow, from least to most: IEC 62676-4:2014 at 25, 62.5, 125, 250 pixels a metre."""

# One direction of one camera as it is drawn: what is stated, else the middle of the prior.
VIEWS: Final = pa.schema(
    [
        pa.field("camera_id", pa.string(), nullable=False),
        pa.field("view", pa.int32(), nullable=False),  # 0, 1, ... of the camera
        pa.field("lon", pa.float64(), nullable=False),  # where it looks from: see moved_m
        pa.field("lat", pa.float64(), nullable=False),
        pa.field("moved_m", pa.float64(), nullable=False),  # out of a footprint, 0 if not
        pa.field("sight", pa.string(), nullable=False),  # street | indoor (sees no street)
        pa.field("bearing_deg", pa.float64()),  # null: unknown, or turns
        pa.field("turns", pa.bool_(), nullable=False),  # dome or panning: anywhere, not at once
        pa.field("hfov_deg", pa.float64(), nullable=False),
        pa.field("pixels_h", pa.float64(), nullable=False),
        pa.field("height_m", pa.float64(), nullable=False),
        pa.field("blind_m", pa.float64(), nullable=False),  # not seen nearer than this
        pa.field("detect_m", pa.float64(), nullable=False),  # reach on the ground, 0: never
        pa.field("observe_m", pa.float64(), nullable=False),
        pa.field("recognise_m", pa.float64(), nullable=False),
        pa.field("identify_m", pa.float64(), nullable=False),
        pa.field("exists_probability", pa.float64(), nullable=False),
        pa.field("operator_class", pa.string(), nullable=False),
        pa.field("stated", _strings, nullable=False),  # which of the columns a source states
    ]
)

# What a view sees at a level. Without a bearing it is all that it could see.
VISIBLE: Final = pa.schema(
    [
        pa.field("camera_id", pa.string(), nullable=False),
        pa.field("view", pa.int32(), nullable=False),
        pa.field("level", pa.string(), nullable=False),
        pa.field("directed", pa.bool_(), nullable=False),  # false: could look anywhere
        pa.field("area_m2", pa.float64(), nullable=False),
        pa.field("geometry", pa.binary(), nullable=False),
    ]
)


def _with_interval(*names: str) -> list[pa.Field]:
    """Return the columns of probabilities with the ends of their 95 % intervals."""
    parts = [(name, f"{name}_low", f"{name}_high") for name in names]
    return [pa.field(part, pa.float64(), nullable=False) for three in parts for part in three]


# One row a stretch of street and level. `probability`: that somebody there is seen by at least
# one camera at a random moment; `could`: that at least one camera could be turned to there.
# `public` and `private` are by cameras known to be such; their high end counts all cameras of
# unknown owner besides, which `unknown` is about.
STRETCHES: Final = pa.schema(
    [
        pa.field("stretch_id", pa.int64(), nullable=False),
        pa.field("street_id", pa.string(), nullable=False),
        pa.field("highway", pa.string(), nullable=False),
        pa.field("name", pa.string()),
        pa.field("is_street", pa.bool_(), nullable=False),  # false: footway, path, cycleway, ...
        pa.field("length_m", pa.float64(), nullable=False),
        pa.field("level", pa.string(), nullable=False),
        pa.field("probability", pa.float64(), nullable=False),
        pa.field("low", pa.float64(), nullable=False),
        pa.field("high", pa.float64(), nullable=False),
        *_with_interval("could", "public", "private", "unknown"),
        pa.field("expected", pa.float64(), nullable=False),  # number of cameras, random moment
        pa.field("expected_low", pa.float64(), nullable=False),
        pa.field("expected_high", pa.float64(), nullable=False),
        pa.field("geometry", pa.binary(), nullable=False),
    ]
)

# One row a stretch, camera and level; pairs with probability 0 have none. Cameras are
# independent given these, up to the unknowns that all cameras share.
WATCHED: Final = pa.schema(
    [
        pa.field("stretch_id", pa.int64(), nullable=False),
        pa.field("camera_id", pa.string(), nullable=False),
        pa.field("level", pa.string(), nullable=False),
        pa.field("probability", pa.float64(), nullable=False),  # seen at a random moment
        pa.field("could", pa.float64(), nullable=False),  # could be seen
    ]
)

# One row a point asked for, camera and level; pairs with probability 0 have none.
SEEN: Final = pa.schema(
    [
        pa.field("point", pa.int64(), nullable=False),  # row of the points asked for, from 0
        pa.field("camera_id", pa.string(), nullable=False),
        pa.field("level", pa.string(), nullable=False),
        pa.field("probability", pa.float64(), nullable=False),
        pa.field("could", pa.float64(), nullable=False),
    ]
)

# A person's own track as read; it never leaves the machine that reads it.
TRACK: Final = pa.schema(
    [
        pa.field("part", pa.int32(), nullable=False),  # line or segment of the file, from 0
        pa.field("time", pa.timestamp("ms", tz="UTC")),  # null in every row, or in none
        pa.field("lon", pa.float64(), nullable=False),
        pa.field("lat", pa.float64(), nullable=False),
        pa.field("accuracy_m", pa.float64()),  # radius that the device states
    ]
)

# The way that a track took, in pieces of a few metres; what lies in a gap has no row.
MOMENTS: Final = pa.schema(
    [
        pa.field("way", pa.int32(), nullable=False),  # of records.WAYS; 0 for a track
        pa.field("moment", pa.int64(), nullable=False),  # from 0, in the order of the way
        pa.field("leg", pa.int32(), nullable=False),  # grows at each gap
        pa.field("start_s", pa.float64(), nullable=False),  # since the track began
        pa.field("end_s", pa.float64(), nullable=False),
        pa.field("length_m", pa.float64(), nullable=False),
        pa.field("lon", pa.float64(), nullable=False),  # middle of the piece
        pa.field("lat", pa.float64(), nullable=False),
        pa.field("on_street", pa.bool_(), nullable=False),  # matched to a street
        pa.field("covered", pa.bool_(), nullable=False),  # false: outside what the sources map
        pa.field("street", pa.string()),  # its name
    ]
)

# One row a moment and level: what all cameras together saw then.
WATCHFUL: Final = pa.schema(
    [
        pa.field("way", pa.int32(), nullable=False),
        pa.field("moment", pa.int64(), nullable=False),
        pa.field("level", pa.string(), nullable=False),
        pa.field("probability", pa.float64(), nullable=False),  # at least one, random moment
        pa.field("could", pa.float64(), nullable=False),  # at least one could be turned to there
        pa.field("public", pa.float64(), nullable=False),  # at least one of a public body
        pa.field("private", pa.float64(), nullable=False),
        pa.field("expected", pa.float64(), nullable=False),  # number of cameras
    ]
)

# One row a time that a camera could have recorded the person, and level.
PASSES: Final = pa.schema(
    [
        pa.field("way", pa.int32(), nullable=False),
        pa.field("pass", pa.int64(), nullable=False),  # the same number for all its levels
        pa.field("camera_id", pa.string(), nullable=False),
        pa.field("level", pa.string(), nullable=False),
        pa.field("start", pa.timestamp("ms", tz="UTC")),  # null for a track without times
        pa.field("end", pa.timestamp("ms", tz="UTC")),
        pa.field("start_s", pa.float64(), nullable=False),  # since the track began
        pa.field("end_s", pa.float64(), nullable=False),
        pa.field("seconds", pa.float64(), nullable=False),  # in which it could have, gaps left out
        pa.field("probability", pa.float64(), nullable=False),  # at the best moment of the pass
        pa.field("could", pa.float64(), nullable=False),  # the same, wherever it can be turned to
        pa.field("street", pa.string()),
        pa.field("operator", pa.string()),
        pa.field("operator_class", pa.string(), nullable=False),
        pa.field("private_home", pa.bool_(), nullable=False),
        pa.field("kind", pa.string()),
        pa.field("retention_days", pa.float64()),
        pa.field("lon", pa.float64()),  # of the camera; null for a private home
        pa.field("lat", pa.float64()),
        pa.field("near_street", pa.string()),  # with a name, nearest to the camera; null for a home
        pa.field("near_street_m", pa.float64()),
    ]
)

# Ways on foot between two points, the shortest first, each less exposed than the one before.
WAYS: Final = pa.schema(
    [
        pa.field("way", pa.int32(), nullable=False),
        pa.field("length_m", pa.float64(), nullable=False),
        pa.field("minutes", pa.float64(), nullable=False),
        pa.field("level", pa.string(), nullable=False),  # of the next three
        pa.field("seen_m", pa.float64(), nullable=False),  # expected, at a random moment
        pa.field("seen_m_high", pa.float64(), nullable=False),  # with the cameras not on record
        pa.field("could_m", pa.float64(), nullable=False),
        pa.field("identify_m", pa.float64(), nullable=False),
        pa.field("geometry", pa.binary(), nullable=False),
    ]
)

# Where residents can go: what OpenStreetMap has as shop, school, office, stop and the like.
PLACES: Final = pa.schema(
    [
        pa.field("place_id", pa.string(), nullable=False),  # "node/123" or "way/123"
        pa.field("tag", pa.string(), nullable=False),  # "shop=bakery"
        pa.field("lon", pa.float64(), nullable=False),
        pa.field("lat", pa.float64(), nullable=False),
    ]
)

# What OpenStreetMap says of where people live: flats of a building or entrance, addresses.
HOMES: Final = pa.schema(
    [
        pa.field("home_id", pa.string(), nullable=False),  # "node/123" or "way/123"
        pa.field("lon", pa.float64(), nullable=False),
        pa.field("lat", pa.float64(), nullable=False),
        pa.field("flats", pa.int32()),  # building:flats, else as many as addr:flats names
        pa.field("address", pa.bool_(), nullable=False),  # has a house number
    ]
)

# A synthetic resident and what a record gives away of it; its number is made in the same run.
RETRACED: Final = pa.schema(
    [
        pa.field("resident", pa.int32(), nullable=False),
        pa.field("household", pa.int32(), nullable=False),
        pa.field("person_type", pa.int32(), nullable=False),  # 1 to 8, see docs/retrace.md
        pa.field("trips", pa.int32(), nullable=False),
        pa.field("places", pa.int32(), nullable=False),  # inside the area, without home
        pa.field("trips_seen", pa.float64()),  # shares, null where there is nothing to share
        pa.field("trips_named", pa.float64()),
        pa.field("places_retraced", pa.float64()),
        pa.field("time_retraced", pa.float64()),
        pa.field("home_found", pa.float64()),  # 1 or 0
        pa.field("work_found", pa.float64()),  # 1 or 0, null without work in the area
    ]
)

# A rule for a network of cameras and one measure of what it leaves; reduced: against as_it_is.
RULES: Final = pa.schema(
    [
        pa.field("rule", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("measure", pa.string(), nullable=False),
        pa.field("mean", pa.float64()),
        pa.field("low", pa.float64()),
        pa.field("high", pa.float64()),
        pa.field("reduced", pa.float64()),
        pa.field("reduced_low", pa.float64()),
        pa.field("reduced_high", pa.float64()),
    ]
)
