"""Marks that tie a test in `tests/cases` to the diagnoses that it is about.

`case("AUTH-REVERSED")` says: this input must give that finding. `near_miss("AUTH-REVERSED")` says: this input looks
like it and must not. Both take several codes, and mark a function (`@case("X")`) or one row of a table
(`pytest.param(..., marks=[case("X"), near_miss("Y")])`). `tests/unit/test_catalog.py` fails for a code without both.
"""

from __future__ import annotations

import pytest


def case(*codes: str) -> pytest.MarkDecorator:
    """Mark a test whose input must give these findings."""
    return pytest.mark.case(codes)


def near_miss(*codes: str) -> pytest.MarkDecorator:
    """Mark a test whose input looks as if it had these findings, and must not give them."""
    return pytest.mark.near_miss(codes)
