"""The house keeps its rules: who may import whom, what an import costs, and how long things may get."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import napari_latent_explorer

PACKAGE = Path(napari_latent_explorer.__file__).parent
ROOT = Path(__file__).parents[1]
MODULES = sorted(PACKAGE.rglob("*.py"))

MAX_MODULE_LINES = 400
MAX_BODY_LINES = 60

QT = {"PyQt5", "PyQt6", "PySide2", "PySide6", "qtpy", "superqt", "pyqtgraph"}
HEAVY_FLOORS = {
    "torch": {"nn", "modeling"},
    "sklearn": set(),
    "scipy": set(),
    "openTSNE": set(),
    "zarr": set(),
    "pydicom": set(),
    "nibabel": set(),
    "h5py": set(),
    "wfdb": set(),
    "neurokit2": set(),
    "napari": {"_napari"},
    "matplotlib": set(),
}
"""Heavy packages, and the folders whose modules may import them at once, not only inside functions."""


def test_import_contracts_are_kept():
    lint_imports = Path(sys.executable).with_name("lint-imports")
    report = subprocess.run([lint_imports, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert report.returncode == 0, report.stdout + report.stderr


def test_every_folder_has_a_place_in_the_layers():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(contract for contract in contracts if contract["type"] == "layers")
    assert layers["exhaustive"]
    named = {name.strip() for line in layers["layers"] for name in line.split("|")}
    parts = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert named == parts - {"__init__", "__main__"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_module_and_functions_are_short(path):
    source = path.read_text("utf-8")
    assert source.count("\n") <= MAX_MODULE_LINES
    too_long = {name: length for name, length in body_lengths(ast.parse(source)) if length > MAX_BODY_LINES}
    assert not too_long


def body_lengths(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            if body:
                yield node.name, (body[-1].end_lineno or 0) - body[0].lineno + 1


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_heavy_packages_wait_until_they_are_needed(path):
    floor = path.relative_to(PACKAGE).parts[0]
    at_once = set(imported_at_once(ast.parse(path.read_text("utf-8"))))
    assert not {name for name in at_once if floor not in HEAVY_FLOORS.get(name, {floor})}


def imported_at_once(tree: ast.Module) -> Iterator[str]:
    """Top-level packages that importing the module imports: not those in functions, nor those for type checkers."""
    pending: list[ast.stmt] = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            pending += node.orelse
        elif isinstance(node, ast.ClassDef | ast.If | ast.Try | ast.With):
            pending += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]


def loaded_by(statement: str) -> tuple[set[str], float]:
    """Top-level packages that `statement` loads in a fresh interpreter, and the seconds that it takes."""
    script = (
        "import sys, time; start = time.perf_counter()\n"
        f"{statement}\n"
        "print(time.perf_counter() - start, *sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    return set(printed[1:]), float(printed[0])


def test_importing_the_package_is_cheap():
    loaded, seconds = loaded_by("import napari_latent_explorer")
    assert not loaded & (QT | HEAVY_FLOORS.keys() | {"numpy", "pandas"})
    assert seconds < 0.2


@pytest.mark.parametrize("module", ["session.explorer", "_cli.app", "analysis.projection", "io.study", "data.cohort"])
def test_importing_a_floor_loads_neither_qt_nor_networks(module):
    loaded, _ = loaded_by(f"import napari_latent_explorer.{module}")
    assert not loaded & (QT | HEAVY_FLOORS.keys() | {"vispy"})


@pytest.mark.parametrize("module", ["nn.autoencoder", "modeling.training", "modeling.bundle"])
def test_networks_train_where_there_is_no_gui(module):
    loaded, _ = loaded_by(f"import napari_latent_explorer.{module}")
    assert not loaded & (QT | {"napari", "vispy", "psygnal", "typer"})


def test_heavy_imports_are_recognised_where_they_hide():
    tree = ast.parse(
        "if TYPE_CHECKING:\n    import torch\nelse:\n    import zarr\n"
        "try:\n    from scipy.stats import norm\nexcept ImportError:\n    norm = None\n"
        "def later():\n    import sklearn\n"
    )
    assert set(imported_at_once(tree)) == {"zarr", "scipy"}
