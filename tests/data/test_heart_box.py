import json
from typing import Any

import pytest

from napari_latent_explorer.data.heart_box import HeartBox
from napari_latent_explorer.errors import RecordingError


def test_it_survives_json_and_knows_its_middle() -> None:
    box = HeartBox(10, 20, 5, 8, "published", "labels")
    assert HeartBox.from_json(json.loads(json.dumps(box.to_json()))) == box
    assert box.middle == (12.0, 23.5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"row_start": -1}, "must not be negative"),
        ({"n_rows": 0}, "at least 1 x 1"),
        ({"n_columns": 2.5}, "not whole numbers"),
        ({"n_columns": True}, "not whole numbers"),
        ({"n_columns": None}, "not whole numbers"),
        ({"rule": "golden"}, "rule 'golden'"),
        ({"rule": []}, "rule"),
        ({"source": "a guess"}, "source 'a guess'"),
        ({"more": 1}, "no box"),
    ],
)
def test_what_is_no_box_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(RecordingError, match=message):
        HeartBox.from_json({**HeartBox(1, 2, 3, 4).to_json(), **change})


@pytest.mark.parametrize("content", [None, [], "box", {}, {"row_start": 1}])
def test_rubbish_is_no_box(content: Any) -> None:
    with pytest.raises(RecordingError, match="no box around a heart"):
        HeartBox.from_json(content)
