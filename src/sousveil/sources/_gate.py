"""The licence gate: which sources may leave this machine, and in words why the others may not.

It is closed by default. Any source can be analysed here; an export or a report that would publish
its records needs a licence that says they may be passed on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from sousveil.errors import UnusableInput
from sousveil.sources import Source

OPEN_LICENCES: Final = frozenset(
    {
        "CC0-1.0",
        "CC-BY-2.0",
        "CC-BY-2.5",
        "CC-BY-3.0",
        "CC-BY-4.0",
        "CC-BY-SA-2.0",
        "CC-BY-SA-3.0",
        "CC-BY-SA-4.0",
        "DL-DE-BY-2.0",
        "DL-DE-ZERO-2.0",
        "etalab-2.0",
        "NLOD-1.0",
        "NLOD-2.0",
        "ODbL-1.0",
        "ODC-By-1.0",
        "OGL-Canada-2.0",
        "OGL-UK-2.0",
        "OGL-UK-3.0",
        "PDDL-1.0",
    }
)
"""Licences of data that let anyone pass it on, by SPDX identifier."""

_NO_DERIVATIVES: Final = re.compile(r"(?:^|[-\s])ND(?:[-\s]|$)|no[\s-]?deriv", re.IGNORECASE)


def check_gate(sources: Sequence[Source], *, local_only: bool) -> None:
    """Stop what would publish the records of a source that may not be passed on.

    local_only: go on all the same, for results that stay on this machine.
    Raises UnusableInput that names each such source and the reason.
    """
    stop_at(refusals(sources), local_only=local_only)


def stop_at(reasons: Mapping[str, str], *, local_only: bool) -> None:
    """Do the same for what `refusals` said earlier."""
    if reasons and not local_only:
        said = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
        raise UnusableInput(f"{said}; --local-only goes on, for results that stay here")


def refusals(sources: Sequence[Source]) -> dict[str, str]:
    """Return the sources that may not be passed on, each by its name with the reason."""
    found = {source.name: refusal(source.licence, source.redistributable) for source in sources}
    return {name: reason for name, reason in found.items() if reason is not None}


def refusal(licence: str, redistributable: bool | None) -> str | None:
    """Return why data under a licence may not be passed on, None where it may.

    redistributable: what the list's description says of it, None where it does not know.
    """
    if _NO_DERIVATIVES.search(licence):
        return f"its licence ({licence}) allows no derivatives"
    if redistributable is False:
        return f"its licence ({licence}) does not allow passing it on"
    if redistributable is None and licence not in OPEN_LICENCES:
        return f"nobody has said that its licence ({licence or 'none'}) allows passing it on"
    return None
