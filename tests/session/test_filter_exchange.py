import json
import math
from typing import Any

import pytest

from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.filter_exchange import MAX_DEPTH, filter_from_dict, filter_to_dict
from napari_latent_explorer.session.filters import (
    AllOf,
    AnyOf,
    CategoryFilter,
    Filter,
    MapFilter,
    Not,
    RangeFilter,
)

FEMALE = CategoryFilter("sex", frozenset({"female"}))
OLD = RangeFilter("age", 60.1, math.inf, include_missing=True)
FILTERS: list[Filter] = [
    CategoryFilter("diabetes", frozenset({"yes", "no", "né"}), include_missing=True),
    RangeFilter("age", -math.inf, 1e-300),
    OLD,
    MapFilter("ecg", ((0.1, -2.0), (1.0, 3.5), (4.0, 1 / 3)), "0123456789abcdef"),
    AllOf((Not(AnyOf((FEMALE, OLD)), include_missing=True), Not(FEMALE))),
]


@pytest.mark.parametrize("chosen", FILTERS, ids=["category", "at most", "at least", "map", "put together"])
def test_a_filter_comes_back_from_json_as_it_was(chosen: Filter) -> None:
    text = json.dumps(filter_to_dict(chosen), allow_nan=False)
    assert filter_from_dict(json.loads(text)) == chosen


def nested(depth: int) -> dict[str, Any]:
    data = filter_to_dict(FEMALE)
    for _ in range(depth):
        data = {"type": "not", "part": data, "include_missing": False}
    return data


def test_as_deep_as_anybody_needs() -> None:
    filter_from_dict(nested(MAX_DEPTH - 1))


RANGE = filter_to_dict(OLD)
MAP = filter_to_dict(FILTERS[3])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param([], "object with a type, not list", id="list"),
        pytest.param({}, "its type is None, and known are category, range", id="empty"),
        pytest.param({"type": "eval"}, "its type is 'eval'", id="unknown type"),
        pytest.param({"type": ["range"]}, "its type is list", id="type is no text"),
        pytest.param({"type": "range", "phenotype": "age"}, "lacks high, include_missing, low", id="lacks"),
        pytest.param(RANGE | {"code": 1}, "unknown code", id="knows not"),
        pytest.param(RANGE | {"low": "60"}, "range filter's low is '60', not a finite number", id="text for number"),
        pytest.param(RANGE | {"low": True}, "is True, not a finite", id="flag for number"),
        pytest.param(RANGE | {"low": math.nan}, "is nan", id="nan"),
        pytest.param(RANGE | {"low": 10**400}, "not a finite number", id="beyond floats"),
        pytest.param(RANGE | {"include_missing": 1}, "neither true nor false", id="number for flag"),
        pytest.param(RANGE | {"phenotype": None}, "not a text", id="null for text"),
        pytest.param(MAP | {"polygon": [[1, 2, 3]]}, "not two numbers", id="vertex of three"),
        pytest.param(MAP | {"polygon": "abc"}, "not a list", id="text for polygon"),
        pytest.param({"type": "all_of", "parts": []}, "no parts", id="no parts"),
        pytest.param({"type": "all_of", "parts": [{"type": "x"}]}, "its type is 'x'", id="part of unknown type"),
        pytest.param(nested(MAX_DEPTH), "nested more than", id="too deep"),
    ],
)
def test_what_is_no_filter_is_refused(data: object, words: str) -> None:
    with pytest.raises(LatentExplorerError, match=words):
        filter_from_dict(data)


def test_a_range_that_holds_nobody_is_not_stored() -> None:
    with pytest.raises(LatentExplorerError, match="holds nobody"):
        filter_to_dict(RangeFilter("age", math.inf, math.inf))
