import errno
import os
from pathlib import Path

import pytest

from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.io import atomic


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    goal = tmp_path / "new" / "file.bin"
    for content in (b"first", b"", b"second"):
        atomic.write_file(goal, content)
        assert goal.read_bytes() == content
    assert os.listdir(goal.parent) == ["file.bin"]


def test_when_renaming_is_refused_what_was_there_stays(tmp_path: Path) -> None:
    (tmp_path / "taken" / "inside").mkdir(parents=True)
    with pytest.raises(StudyError, match=r"Cannot write .*taken: .*choose another place"):
        atomic.write_file(tmp_path / "taken", b"new")
    assert [path.name for path in tmp_path.rglob("*")] == ["taken", "inside"]


def fill_half(goal: Path) -> None:
    with atomic.folder_in_one_step(goal, 1) as folder:
        (folder / "half").touch()
        raise RuntimeError


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    goal = tmp_path / "goal"
    with pytest.raises(RuntimeError):
        fill_half(goal)
    assert os.listdir(tmp_path) == []
    with atomic.folder_in_one_step(goal, 1) as folder:
        (folder / "whole").touch()
        assert not goal.exists()
    with pytest.raises(StudyError, match="Cannot write"), atomic.folder_in_one_step(goal, 1):
        pass
    assert os.listdir(goal) == ["whole"]


def test_a_full_disk_says_how_much_is_needed(tmp_path: Path) -> None:
    with (
        pytest.raises(StudyError, match=r"about 2\.5 MB are needed"),
        atomic.refusals_named(tmp_path / "not" / "yet", 2500000),
    ):
        raise OSError(errno.ENOSPC, "full")


def test_left_overs_are_removed_and_nothing_else(tmp_path: Path) -> None:
    atomic.partial_path(tmp_path / "file").touch()
    (atomic.partial_path(tmp_path / "folder") / "deep").mkdir(parents=True)
    (tmp_path / "kept").touch()
    atomic.remove_partials(tmp_path)
    assert os.listdir(tmp_path) == ["kept"]


def test_what_a_killed_writer_left_is_removed_for_one_goal_or_all(tmp_path: Path) -> None:
    mine, others = atomic.partial_path(tmp_path / "study"), atomic.partial_path(tmp_path / "study-2")
    mine.mkdir()
    (mine / "table").write_text("half")
    others.write_text("half")
    atomic.remove_partials(tmp_path, "study")
    assert list(tmp_path.iterdir()) == [others]
    atomic.remove_partials(tmp_path)
    assert list(tmp_path.iterdir()) == []
