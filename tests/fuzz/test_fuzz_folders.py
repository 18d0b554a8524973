"""Damaged studies, bundles and tables."""

from collections.abc import Callable

import pytest
from seeds import Seed, bundles, studies

pytestmark = pytest.mark.slow
Fuzz = Callable[[str, list[Seed], int], None]


def test_damaged_studies(fuzz: Fuzz) -> None:
    fuzz("study folder", studies(), 300)


def test_damaged_bundles(fuzz: Fuzz) -> None:
    fuzz("model bundle", bundles(), 300)
