"""What the README says can be done: its code blocks run as they stand, and its commands exist.

The commands run with fewer people and minutes than the README gives.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from ukb_writer import people, write_people, write_table

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
COMMAND = "napari-latent-explorer"
SMALLER = {"500": "200", "20": "0.1"}
"""Numbers of participants and minutes, in place of the README's."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [[SMALLER.get(word, word) for word in shlex.split(line)] for line in lines]


def test_begins_with_the_two_commands():
    first = [line.strip() for line in README.splitlines() if line.startswith("    ")][:2]
    assert first == [
        "python3 -m pip install tox && python3 -m tox run -e demo",
        "python3 -m pip install tox && python3 -m tox run",
    ]


def test_python_blocks_run_one_after_the_other():
    found = blocks("python")
    assert found
    namespace: dict[str, object] = {}
    for block in found:
        exec(compile(block, "README.md", "exec"), namespace)


def test_every_command_of_the_tour_is_there():
    tour = ["study", "study", "train", "encode", "project", "evaluate", "tour"]
    assert [words[1] for words in commands()] == [*tour, "inspect", "study", "study", "encode", "study"]


def run(words: list[str], folder: Path) -> None:
    program = Path(sys.executable).with_name(COMMAND)
    environment = {**os.environ, "COLUMNS": "200"}
    done = subprocess.run(
        [program, *words[1:]], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}\n{done.stderr}"


@pytest.fixture(scope="module")
def study_and_scores(tmp_path_factory):
    """Folder in which every command of the README but the tour has run; `bulk` and the table are there before."""
    folder = tmp_path_factory.mktemp("readme")
    some = people(2)
    write_people(folder / "bulk", some, has_other_planes=False)
    write_table(folder / "phenotypes.csv", some)
    for words in commands():
        assert words[0] == COMMAND
        if words[1] != "tour":
            run(words, folder)
    return folder


@pytest.mark.slow
@pytest.mark.gui
def test_commands_run_in_the_order_of_the_readme(study_and_scores):
    assert (study_and_scores / "model" / "weights.safetensors").is_file()
    assert (study_and_scores / "mine" / "report.html").is_file()
    assert "| LV mass" in (study_and_scores / "scores" / "scores.md").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.gui
def test_tour_of_ones_own_study(study_and_scores):
    run(next(words for words in commands() if words[1] == "tour"), study_and_scores)
    assert list((study_and_scores / "my-tour").glob("*.png"))
