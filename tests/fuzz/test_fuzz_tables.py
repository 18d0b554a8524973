"""Damaged tables: each is read as what it says, or refused by its name."""

from collections.abc import Callable

import pytest
from seeds import Seed, columns_files, latents, tables

pytestmark = pytest.mark.slow
Fuzz = Callable[[str, list[Seed], int], None]


def test_damaged_tables(fuzz: Fuzz) -> None:
    fuzz("table of phenotypes", tables(), 600)


def test_damaged_columns_files(fuzz: Fuzz) -> None:
    fuzz("columns file", columns_files(), 200)


def test_damaged_latents(fuzz: Fuzz) -> None:
    fuzz("latents file", latents(), 250)
