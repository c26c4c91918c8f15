"""What can go wrong for a user: each error is one line that says where and how to mend it."""

from __future__ import annotations


class SousveilError(Exception):
    """Base of every error that Sousveil raises on purpose."""


class UnusableInput(SousveilError):
    """Input or arguments that cannot be used; the command line exits with 2.

    The message is one line that names the file, the place in it and the mend.
    """


class BrokenInvariant(SousveilError):
    """A fault of ours, such as a row that was neither used nor quarantined; exits with 1."""
