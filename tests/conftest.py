"""What every test can rely on."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks of `tests/cases/marks.py`."""
    config.addinivalue_line("markers", "case(codes): the input must give the findings with these codes")
    config.addinivalue_line("markers", "near_miss(codes): the input looks like these findings and must not give them")
