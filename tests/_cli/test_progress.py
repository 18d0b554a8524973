import io

import pytest
import typer
from rich.console import Console

from napari_latent_explorer._cli import progress
from napari_latent_explorer.data.progress import Progress


@pytest.fixture
def said(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(progress, "console", Console(file=stream, width=200))
    return stream


def test_result_comes_back_and_the_bar_counts(said):
    def work():
        for done in range(3):
            yield Progress(done + 1, 3, "halves")
        return "result"

    assert progress.run(work(), "Halving", "nothing kept") == "result"
    assert "Halving" in said.getvalue()
    assert "3/3" in said.getvalue()


def test_work_without_a_step_still_returns(said):
    def work():
        return 5
        yield

    assert progress.run(work(), "Nothing", "") == 5


def test_ctrl_c_closes_the_work_and_says_how_to_go_on(said):
    closed = []

    def work():
        try:
            yield Progress(1, 9)
            raise KeyboardInterrupt
        finally:
            closed.append(True)

    with pytest.raises(typer.Exit) as stopped:
        progress.run(work(), "Training", "Run it again with --resume.")
    assert stopped.value.exit_code == 130
    assert closed == [True]
    assert "Run it again with --resume." in said.getvalue()


def test_errors_pass_through(said):
    def work():
        yield Progress(0, 1)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        progress.run(work(), "Breaking", "")
