"""Calls from a worker are made on the GUI's thread, in order, and none after closing."""

from threading import Thread, current_thread, main_thread

from qtpy.QtCore import QCoreApplication, QEvent, QObject
from qtpy.QtTest import QTest

from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer._qt.main_thread import QtMainThreadDispatch


def test_calls_arrive_on_the_main_thread_in_order(qtbot):
    dispatch = QtMainThreadDispatch()
    made = []

    def post():
        for number in range(100):
            dispatch(lambda number=number: made.append((number, current_thread())))

    worker = Thread(target=post)
    worker.start()
    worker.join()
    assert not made  # nothing before the event loop turns
    qtbot.waitUntil(lambda: len(made) == 100)
    assert [number for number, _ in made] == list(range(100))
    assert {thread for _, thread in made} == {main_thread()}


def test_what_waits_when_it_closes_is_dropped(qtbot):
    dispatch = QtMainThreadDispatch()
    made = []
    dispatch(lambda: made.append("before"))
    dispatch.close()
    dispatch(lambda: made.append("after"))
    QTest.qWait(30)
    assert not made


def test_what_listens_is_let_go_of_when_qt_destroys_it(qtbot, explorer):
    heard = []
    owner = QObject()
    listen(owner, explorer.selection_changed, lambda: heard.append("selection"))
    explorer.select(explorer.cohort.participant_ids[:1].tolist())
    owner.deleteLater()
    QCoreApplication.sendPostedEvents(owner, QEvent.Type.DeferredDelete.value)
    explorer.clear_selection()
    assert heard == ["selection"]
