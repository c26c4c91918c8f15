"""Rows that place no camera but say something of use: what an agency can do, how many an area has.

They never become observations. Links to cameras are not kept, and no names of persons.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa

EVIDENCE: Final = pa.schema(
    [
        pa.field("source_id", pa.string(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),  # as in records.QUARANTINE
        pa.field("native_id", pa.string(), nullable=False),
        pa.field("subject", pa.string(), nullable=False),  # agency | total
        pa.field("place", pa.string()),  # in words, the smallest area first
        pa.field("operator", pa.string()),
        pa.field("operator_class", pa.string(), nullable=False),
        pa.field("operator_class_rule", pa.string(), nullable=False),
        pa.field("technology", pa.string()),  # as the list names it
        pa.field("kind", pa.string()),  # records.KINDS
        pa.field("not_camera", pa.string()),  # records.NOT_CAMERAS
        pa.field("capabilities", pa.list_(pa.string())),  # records.CAPABILITIES
        pa.field("count", pa.int32()),  # null where unknown
        pa.field("seen_on", pa.date32()),
        pa.field("evidence_url", pa.string()),
        pa.field("raw", pa.string()),
    ]
)
"""What a list says of agencies or areas."""

NO_EVIDENCE: Final = EVIDENCE.empty_table()
