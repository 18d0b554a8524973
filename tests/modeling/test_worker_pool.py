import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from napari_latent_explorer.data.progress import Progress, finish
from napari_latent_explorer.errors import StudyError
from napari_latent_explorer.modeling.dask_workers import work_on_cluster
from napari_latent_explorer.modeling.worker_pool import Guard, work_through

# Work must be importable in a fresh process, where this file is not: each item is Python text, and the work `exec`.


def touch(path: Path) -> str:
    return f"open({str(path)!r}, 'x').close()"


def test_every_item_is_worked_on_in_other_processes(tmp_path: Path) -> None:
    items = [f"import os; open({str(tmp_path / str(i))!r}, 'w').write(str(os.getpid()))" for i in range(12)]
    progress = list(work_through(exec, items, 2, "writing"))
    assert progress[-1] == Progress(12, 12, "writing")
    pids = {path.read_text() for path in tmp_path.iterdir()}
    assert len(list(tmp_path.iterdir())) == 12
    assert 1 <= len(pids) <= 2
    assert str(os.getpid()) not in pids


def test_an_error_of_the_work_comes_back_as_itself_with_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        finish(work_through(exec, ["1/0", "1/0"], 2, "dividing"))
    assert any("ZeroDivisionError" in note for note in caught.value.__notes__)
    study_error = "from napari_latent_explorer.errors import StudyError; raise StudyError('the disk is full')"
    with pytest.raises(StudyError, match=r"^the disk is full$"):
        finish(work_through(exec, [study_error] * 2, 2, "writing"))
    with pytest.raises(RuntimeError, match="Odd: who can pickle this"):
        finish(work_through(exec, ["class Odd(Exception): pass\nraise Odd('who can pickle this')"] * 2, 2, "x"))


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_an_item_that_takes_its_process_down_costs_itself_only(tmp_path: Path) -> None:
    lost = []
    crash = f"import signal; signal.raise_signal({int(signal.SIGSEGV)})"
    killed = "import os; os.kill(os.getpid(), 9)"
    items = [
        touch(tmp_path / "a"),
        crash,
        touch(tmp_path / "b"),
        "import os; os._exit(3)",
        killed,
        touch(tmp_path / "c"),
    ]
    guard = Guard(60.0, lambda item, reason: lost.append((item, reason)))
    finish(work_through(exec, items, 2, "reading", guard=guard))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]
    reasons = dict(lost)
    assert reasons.keys() == {items[1], items[3], items[4]}
    assert reasons[items[1]] == "the process that worked on it was ended by signal SIGSEGV"
    assert reasons[items[3]] == "the process that worked on it ended with exit code 3"
    assert "memory ran out" in reasons[items[4]]


def test_an_item_that_never_ends_is_given_up_after_the_time_limit(tmp_path: Path) -> None:
    lost = []
    items = ["while True: pass", touch(tmp_path / "a")]
    guard = Guard(1.0, lambda item, reason: lost.append((item, reason)))
    finish(work_through(exec, items, 1, "reading", guard=guard))
    assert lost == [(items[0], "it took longer than 1 s and was given up")]
    assert (tmp_path / "a").exists()


def test_without_a_guard_a_lost_item_ends_it_all() -> None:
    with pytest.raises(StudyError, match="Stopped while reading: the process that worked on it ended with exit code 3"):
        finish(work_through(exec, ["import os; os._exit(3)"] * 2, 2, "reading"))


def test_what_a_process_cannot_begin_with_is_said_at_once() -> None:
    with pytest.raises(ValueError, match="no such place"):
        finish(work_through(exec, ["1", "2"], 2, "x", exec, ("raise ValueError('no such place')",)))


def test_closing_takes_less_than_a_second_and_leaves_no_process() -> None:
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    work = work_through(time.sleep, [100.0] * 5, 2, "sleeping")
    assert next(work) == Progress(0, 5, "sleeping")
    start = time.monotonic()
    work.close()
    assert time.monotonic() - start < 1.0
    after = [child for child in psutil.Process().children(recursive=True) if child.pid not in before]
    assert not [child for child in after if "resource_tracker" not in " ".join(child.cmdline())]


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
def test_a_killed_caller_takes_its_processes_along() -> None:
    script = textwrap.dedent("""
        import time
        from napari_latent_explorer.modeling.worker_pool import work_through
        if __name__ == "__main__":
            for _ in work_through(time.sleep, [100.0] * 2, 2, "sleeping"):
                print("started", flush=True)
    """)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        time.sleep(1.0)
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 2
        process.kill()
        _, alive = psutil.wait_procs(children, timeout=5)
        assert not alive


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_ctrl_c_ends_the_command_and_no_process_prints_a_traceback_of_its_own(tmp_path: Path) -> None:
    """Both processes are at work, for longer than anybody would wait, when the interrupt comes."""
    script = textwrap.dedent(f"""
        import signal
        from napari_latent_explorer.modeling.worker_pool import work_through
        if __name__ == "__main__":
            signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
            try:
                for _ in work_through(exec, [
                    "import pathlib, time; pathlib.Path({str(tmp_path)!r}, '%d').touch(); time.sleep(600)" % k
                    for k in range(2)
                ], 2, "sleeping"):
                    pass
            except KeyboardInterrupt:
                pass
    """)
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stderr is not None
        while len(list(tmp_path.iterdir())) < 2:
            assert process.poll() is None
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(120)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        assert process.stderr.read() == ""


def test_numerical_libraries_use_one_thread_in_each_process(tmp_path: Path) -> None:
    item = (
        "import numpy as np, threadpoolctl, pathlib; np.ones((300, 300)) @ np.ones((300, 300));"
        f"pathlib.Path({str(tmp_path / 'threads')!r}).write_text("
        "str(max(pool['num_threads'] for pool in threadpoolctl.threadpool_info())))"
    )
    finish(work_through(exec, [item, "1"], 2, "multiplying"))
    assert (tmp_path / "threads").read_text() == "1"


def test_a_missing_dask_and_a_silent_scheduler_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = Guard(60.0, lambda item, reason: None)
    monkeypatch.setattr("napari_latent_explorer.modeling.dask_workers._CONNECT_S", 0.5)
    with pytest.raises(StudyError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:1"):
        finish(work_on_cluster(exec, ["1"], "tcp://127.0.0.1:1", "x", guard))
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(StudyError, match=r"pip install napari-latent-explorer\[cluster\]"):
        finish(work_on_cluster(exec, ["1"], "tcp://127.0.0.1:1", "x", guard))


@pytest.mark.slow
def test_a_cluster_does_the_same_and_loses_what_it_must(tmp_path: Path) -> None:
    import distributed

    lost = []
    items = [*(touch(tmp_path / str(i)) for i in range(8)), "import os; os._exit(3)"]
    guard = Guard(60.0, lambda item, reason: lost.append((item, reason)))
    options = {"dashboard_address": ":0", "silence_logs": 50}
    with distributed.LocalCluster(2, processes=True, threads_per_worker=1, **options) as cluster:
        progress = list(work_on_cluster(exec, items, cluster.scheduler_address, "writing", guard))
        assert progress[-1] == Progress(9, 9, "writing")
        assert lost == [(items[-1], "every worker that worked on it died")]
        assert sorted(path.name for path in tmp_path.iterdir()) == [str(i) for i in range(8)]
        with pytest.raises(ZeroDivisionError):
            finish(work_on_cluster(exec, ["1/0"], cluster.scheduler_address, "dividing", guard))


@pytest.mark.slow
def test_a_cluster_gives_up_what_never_ends_and_does_the_rest(tmp_path: Path) -> None:
    import distributed

    lost = []
    items = ["while True: pass", *(touch(tmp_path / str(i)) for i in range(4))]
    guard = Guard(4.0, lambda item, reason: lost.append((item, reason)))
    options = {"dashboard_address": ":0", "silence_logs": 50}
    with distributed.LocalCluster(1, processes=True, threads_per_worker=1, **options) as cluster:
        finish(work_on_cluster(exec, items, cluster.scheduler_address, "writing", guard))
        assert lost == [(items[0], "it took longer than 4 s and was given up")]
        assert sorted(path.name for path in tmp_path.iterdir()) == [str(i) for i in range(4)]
