"""Undo, redo, and a menu of what can be done with all that was done: kept, opened, written as a script, exported."""

from collections.abc import Callable
from html import escape
from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtGui import QAction, QKeySequence, QShortcut
from qtpy.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from napari_latent_explorer._qt import session_dialogs
from napari_latent_explorer._qt.listening import listen
from napari_latent_explorer._qt.numbers import format_count
from napari_latent_explorer._qt.theme import DARK, Theme, tool_button_style
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.exports import GROUP_PREFIX, SELECTED, VISIBLE

UNDO_KEY, REDO_KEY = "Ctrl+Z", "Ctrl+Shift+Z"
MAX_NAME_CHARS = 40
BUTTON_WIDTH_PX = 26


def add_undo_keys(dock: QWidget, explorer: Explorer) -> None:
    """Let Ctrl+Z and Ctrl+Shift+Z undo and redo while the focus is inside a dock; text fields keep their own."""
    for key, act in ((UNDO_KEY, explorer.undo), (REDO_KEY, explorer.redo)):
        shortcut = QShortcut(QKeySequence(key), dock)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(act)


class QtHistoryBar(QWidget):
    """Two arrows and a menu.

    Parameters
    ----------
    explorer
        The session.
    parent
        The dock, in which the keys hold.
    """

    def __init__(self, explorer: Explorer, parent: QWidget) -> None:
        super().__init__(parent)
        self._explorer = explorer
        self._find_last: Callable[[], Path | None] = lambda: None
        self.undo = self._button("↶", "Undo", explorer.undo)
        self.redo = self._button("↷", "Redo", explorer.redo)
        self.menu = QMenu(self)
        self.menu.setToolTipsVisible(True)
        self.menu.aboutToShow.connect(self.fill_menu)
        self.more = self._button("☰", "Session: save, open, write as a script, export", lambda: None)
        self.more.setMenu(self.menu)
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.has_ids = QAction("With participant ids", self)
        self.has_ids.setCheckable(True)
        self.has_ids.setToolTip("Ids of participants leave the study only when this is checked")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 4, 0)
        layout.setSpacing(3)
        for button in (self.undo, self.redo, self.more):
            layout.addWidget(button)
        add_undo_keys(parent, explorer)
        listen(self, explorer.history_changed, self.synchronize)
        listen(self, explorer.study_changed, self.synchronize)
        self.set_theme(DARK)
        self.synchronize()

    def _button(self, sign: str, name: str, act: Callable[[], None]) -> QToolButton:
        button = QToolButton(self)
        button.setText(sign)
        button.setFixedWidth(BUTTON_WIDTH_PX)
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.clicked.connect(lambda: act())
        return button

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self.setStyleSheet(
            tool_button_style(theme)
            + "QToolButton { padding: 1px 2px; } QToolButton::menu-indicator { image: none; }"
            + f"QToolButton:disabled {{ color: {theme.line}; }}"
        )

    def set_last_session(self, find: Callable[[], Path | None]) -> None:
        """Offer the session that `find` gives when the menu is opened."""
        self._find_last = find

    def synchronize(self) -> None:
        """Show what can be taken back and done again."""
        explorer = self._explorer
        for button, name, text, key in (
            (self.undo, "Undo", explorer.undo_text, UNDO_KEY),
            (self.redo, "Redo", explorer.redo_text, REDO_KEY),
        ):
            button.setEnabled(bool(text))
            button.setToolTip(_plain(f"{name}: {text}  [{key}]" if text else f"Nothing to {name.lower()}  [{key}]"))
        self.setVisible(explorer.cohort is not None)

    def fill_menu(self) -> None:
        """Make the menu's entries for what there is now."""
        explorer = self._explorer
        self.menu.clear()
        last = self._find_last()
        if last is not None:
            reopen = self._add(self.menu, "Open last session", lambda: explorer.open_session(last))
            reopen.setToolTip(_plain(str(last)))
        self._add(self.menu, "Open session …", lambda: session_dialogs.open_session(explorer, self))
        self._add(self.menu, "Save session as …", lambda: session_dialogs.save_session_as(explorer, self))
        self.menu.addSeparator()
        self._add(self.menu, "Save as script …", lambda: session_dialogs.save_script_as(explorer, self))
        self._fill_exports(self.menu.addMenu("Export participants"))

    def _fill_exports(self, menu: QMenu) -> None:
        view = self._explorer.view_state
        whom = {SELECTED: ("Selected", view.n_selected), VISIBLE: ("Visible", view.n_visible)}
        whom |= {f"{GROUP_PREFIX}{group.name}": (group.name, len(group)) for group in self._explorer.groups}
        for who, (name, n_participants) in whom.items():
            short = name if len(name) <= MAX_NAME_CHARS else f"{name[:MAX_NAME_CHARS]} …"
            entry = self._add(
                menu,
                f"{short.replace('&', '&&')} ({format_count(n_participants)}) …",
                lambda who=who: session_dialogs.export_participants(  # type: ignore[misc]
                    self._explorer, who, self.has_ids.isChecked(), self
                ),
            )
            entry.setEnabled(n_participants > 0)
        menu.addSeparator()
        menu.addAction(self.has_ids)

    def _add(self, menu: QMenu, text: str, act: Callable[[], object]) -> QAction:
        action = QAction(text, menu)
        action.triggered.connect(lambda: act())
        menu.addAction(action)
        return action


def _plain(text: str) -> str:
    """Keep a tooltip from taking what looks like markup in a name for markup."""
    return f"<span>{escape(text)}</span>" if "<" in text else text
