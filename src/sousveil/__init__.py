"""Sousveil: how many cameras watch a place, who runs them, and how sure are we?"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

__version__ = "0.1.0"
__all__ = [
    "Capture",
    "Census",
    "Coverage",
    "Exposure",
    "Linked",
    "Retraced",
    "UnusableInput",
    "__version__",
    "capture",
    "census",
    "claims",
    "completeness",
    "coverage",
    "exposure",
    "letters",
    "link",
    "optics",
    "raters",
    "retrace",
    "sample_estimate",
    "survey_estimate",
    "survey_plan",
    "ways",
]

if TYPE_CHECKING:
    from sousveil.capture import Capture, capture
    from sousveil.census import Census, census
    from sousveil.claims import claims
    from sousveil.completeness import completeness
    from sousveil.coverage import Coverage, coverage
    from sousveil.errors import UnusableInput
    from sousveil.exposure import Exposure, exposure, ways
    from sousveil.letters import letters
    from sousveil.linking import Linked, link
    from sousveil.optics import optics
    from sousveil.raters import raters
    from sousveil.retrace import Retraced, retrace
    from sousveil.sampling import sample_estimate
    from sousveil.survey import survey_estimate, survey_plan

_HOME: Final = {
    "Capture": "capture",
    "Census": "census",
    "Coverage": "coverage",
    "Exposure": "exposure",
    "Linked": "linking",
    "Retraced": "retrace",
    "UnusableInput": "errors",
    "capture": "capture",
    "census": "census",
    "claims": "claims",
    "completeness": "completeness",
    "coverage": "coverage",
    "exposure": "exposure",
    "letters": "letters",
    "link": "linking",
    "optics": "optics",
    "raters": "raters",
    "retrace": "retrace",
    "sample_estimate": "sampling",
    "survey_estimate": "survey",
    "survey_plan": "survey",
    "ways": "exposure",
}


class _Package(ModuleType):
    """Lets `sousveil.census` be the function although a module has that name, loaded on first use.

    `sousveil --help` and shell completion must not wait for the engine, and importing a module
    binds its name in the package, which would hide the function.
    """

    def __getattr__(self, name: str) -> Any:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = importlib.import_module(f"{__name__}.{_HOME[name]}")
        return getattr(module, name)

    def __setattr__(self, name: str, value: object) -> None:
        if name in _HOME and isinstance(value, ModuleType):
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
