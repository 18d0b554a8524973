import pickle

import pytest

from napari_latent_explorer.errors import LatentExplorerError, RecordingError, StudyError, reason_of, shown_text


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("\x1b[2Jgone\x07", r"\x1b[2Jgone\x07"),
        ("cine\n2026 INFO all is well", r"cine\n2026 INFO all is well"),
        ("invoice\u202efdp.exe", r"invoice\u202efdp.exe"),
        ("z\u200bero", r"z\u200bero"),
        ("line\u2028line", r"line\u2028line"),
        (b"caf\xe9.dcm".decode("utf-8", "surrogateescape"), r"caf\xe9.dcm"),
        ("lone \ud800", r"lone \ud800"),
        ("tab\tand\rreturn", r"tab\tand\rreturn"),
    ],
)
def test_what_a_file_says_cannot_act_on_a_terminal_or_a_log(written: str, shown: str) -> None:
    assert str(RecordingError(written)) == shown
    assert str(StudyError(written)) == shown


@pytest.mark.parametrize("text", ["Größe 5 µV, Ångström, 心臓, ❤", "Found:\n  a\n  b", "Install:\n\n    apt\n"])
def test_letters_of_every_script_and_the_programs_own_lines_stay(text: str) -> None:
    assert str(LatentExplorerError(text)) == text


def test_a_message_can_be_encoded_printed_and_sent_between_processes() -> None:
    error = RecordingError("bad \udcff name", outcomes=("one",))
    str(error).encode("utf-8")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.outcomes) == (str(error), ("one",))


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    shown = shown_text("Cannot read a.dcm: " + "x" * 10_000_000 + " Export it again.", 200)
    assert len(shown) < 220
    assert shown.startswith("Cannot read a.dcm: ")
    assert shown.endswith(" Export it again.")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (ValueError("bad CRC-32 of member a."), "bad CRC-32 of member a"),
        (PermissionError(13, "Permission denied", "/a/b"), "Permission denied"),
        (OSError("truncated\n  file \x1b[2J"), r"truncated file \x1b[2J"),
        (MemoryError(), "it does not fit into memory"),
        (RecursionError("maximum recursion depth exceeded"), "it is nested too deeply"),
        (TypeError("'NoneType' object is not subscriptable"), "its contents do not follow the format (TypeError)"),
        (
            ValueError("invalid literal for int() with base 10: b'x'"),
            "its contents do not follow the format (ValueError)",
        ),
        (KeyError("x"), "its contents do not follow the format (KeyError)"),
        (EOFError(), "its contents do not follow the format (EOFError)"),
    ],
)
def test_a_librarys_complaint_is_quoted_and_its_slips_are_not(damage: Exception, reason: str) -> None:
    assert reason_of(damage) == reason


def test_an_endless_cell_is_cut_and_the_rest_of_the_message_stays() -> None:
    message = f"/a/{'n' * 255}/t.csv: row 2 is '{'A' * 5000}', expected a number."
    shown = str(RecordingError(message))
    assert shown.startswith(f"/a/{'n' * 255}/t.csv: row 2 is '")
    assert shown.endswith("', expected a number.")
    assert len(shown) < 450


@pytest.mark.parametrize("zeros", ["\0" * 240, repr("\0" * 240)[1:-1]], ids=["bytes", "repr"])
def test_a_field_of_nothing_but_zeros_stays_short(zeros: str) -> None:
    assert str(RecordingError(f"a.hea: '{zeros}' is no number.")) == r"a.hea: '\x00\x00\x00\x00[...]' is no number."


def test_a_long_complaint_is_cut() -> None:
    assert len(reason_of(ValueError("x" * 5000))) < 220
