"""Damaged studies, bundles and tables."""

from collections.abc import Callable

import pytest
from seeds import Seed, bundles, dropfuse_files, onnx_folders, studies

pytestmark = pytest.mark.slow
Fuzz = Callable[[str, list[Seed], int], None]


def test_damaged_studies(fuzz: Fuzz) -> None:
    fuzz("study folder", studies(), 300)


def test_damaged_bundles(fuzz: Fuzz) -> None:
    fuzz("model bundle", bundles(), 300)


def test_damaged_networks_in_onnx(fuzz: Fuzz) -> None:
    for name in ("onnx", "onnxruntime", "onnxscript"):
        pytest.importorskip(name)
    fuzz("networks in ONNX", onnx_folders(), 300)


def test_damaged_dropfuse_weights(fuzz: Fuzz) -> None:
    fuzz("DropFuse weights", dropfuse_files(), 300)
