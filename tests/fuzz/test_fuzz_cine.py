"""Damaged cines: each is read or refused in the project's own words, in bounded time and memory."""

from collections.abc import Callable

import pytest
from seeds import Seed

from napari_latent_explorer.io.formats import FORMATS

CINES = [known.name for known in FORMATS if known.modality == "mri"]


@pytest.mark.slow
@pytest.mark.parametrize("name", CINES)
def test_damaged_cines(
    name: str, seeds_by_format: dict[str, list[Seed]], fuzz: Callable[[str, list[Seed], int], None]
) -> None:
    assert seeds_by_format[name], f"no seed is recognised as {name}"
    fuzz(name, seeds_by_format[name], 400)
