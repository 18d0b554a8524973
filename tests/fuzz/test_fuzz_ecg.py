"""Damaged ECGs: each is read or refused in the project's own words, in bounded time and memory."""

from collections.abc import Callable

import pytest
from seeds import Seed

from napari_latent_explorer.io.formats import FORMATS

ECGS = [known.name for known in FORMATS if known.modality == "ecg"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ECGS)
def test_damaged_ecgs(
    name: str, seeds_by_format: dict[str, list[Seed]], fuzz: Callable[[str, list[Seed], int], None]
) -> None:
    assert seeds_by_format[name], f"no seed is recognised as {name}"
    fuzz(name, seeds_by_format[name], 400)
