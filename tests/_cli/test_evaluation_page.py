import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from napari_latent_explorer._cli.evaluation_page import evaluation_page
from napari_latent_explorer._cli.svg_charts import Mark, interval_chart, line_chart, scatter_chart
from napari_latent_explorer.data.phenotype import PhenotypeSpec

SPECS = {"lvm": PhenotypeSpec("lvm", "continuous", "LV <mass>", "g")}


class Reader(HTMLParser):
    """Follows which elements are open."""

    def __init__(self):
        super().__init__()
        self.open, self.count = [], {}

    def handle_starttag(self, tag, attrs):
        self.count[tag] = self.count.get(tag, 0) + 1
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.count[tag] = self.count.get(tag, 0) + 1

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def read(page):
    reader = Reader()
    reader.feed(page)
    assert not reader.open
    return reader.count


@pytest.fixture
def tables():
    score = {"phenotype": "lvm", "metric": "R2", "value": 0.6, "low": 0.5, "high": 0.7}
    return {
        "prediction": pd.DataFrame(
            [
                {"model": model, "latents": "ecg", "regression": regression, "n_train": 9, "n_test": 3} | score
                for model in ("cross-modal", "unimodal", "supervised")
                for regression in ("NTK", "ridge")
            ]
        ),
        "gain": pd.DataFrame([{"model": "cross-modal", "than": "unimodal", "latents": "ecg"} | score | {"low": 0.1}]),
        "retrieval_curve": pd.DataFrame(
            [
                {"model": model, "query": query, "key": "x", "n_gallery": 40, "k": k, "accuracy": k / 20}
                | {"low": k / 30, "high": k / 15, "chance": k / 40, "median_rank": 3}
                for model in ("cross-modal", "unimodal")
                for query in ("ecg", "mri")
                for k in (1, 5)
            ]
        ),
        "mixing": pd.DataFrame(
            [{"model": "unimodal", "space": "map", "share": 0.03, "low": 0.01, "high": 0.05, "well_mixed": 0.5}]
        ),
    }


def test_page_is_whole_asks_for_nothing_and_shows_what_was_measured(tables):
    page = evaluation_page(tables, ("Scored on <3> people.",), SPECS, "A & B")
    count = read(page)
    assert count["svg"] == 3  # R2 from ECG, and both directions of retrieval
    assert count["section"] == 4
    assert "script" not in count
    assert not re.search(r"(src|href)\s*=|url\(|https?://", page)
    assert "LV &lt;mass&gt;" in page
    assert "Scored on &lt;3&gt; people." in page
    assert "0.60 (0.50 to 0.70)" in page
    assert "prefers-color-scheme: dark" in page


def test_translations_and_the_law_are_shown(tables):
    correlation = {"phenotype": "lvm", "correlation": 0.51, "low": 0.4, "high": 0.6, "n": 20}
    person = {"phenotype": "lvm", "participant_id": "P1", "truth": 1.0}
    grid = [{"n_unlabelled": u, "n_labelled": v, "value": u / 999} for u in (64, 128) for v in (64, 256)]
    more = {
        "translation": pd.DataFrame([correlation | {"cine": "translated", "compared_with": "original"}]),
        "translation_people": pd.DataFrame(
            [person | {"original": x, "reconstructed": x, "translated": 2 * x} for x in (1.0, 2.0)]
        ),
        "scaling": pd.DataFrame(grid),
        "scaling_law": pd.DataFrame([{"a": 0.0123, "b": -0.004, "c": 0.1, "r2": 0.9}]),
    }
    page = evaluation_page(tables | more, (), SPECS, "All")
    assert read(page)["svg"] == 5
    assert "0.51" in page
    assert "r = 0.0123 log2 u -0.0040 log2 v +0.100" in page


def test_sections_without_a_table_are_left_out():
    assert read(evaluation_page({}, (), SPECS, "Nothing")).get("section", 0) == 0


def test_marks_lie_where_their_numbers_say():
    chart = interval_chart("t", [("a", [Mark(0, 0.5, 0.25, 0.75), Mark(1, np.nan, np.nan, np.nan)])], 0.0, 1.0)
    (x,) = [float(one) for one in re.findall(r'<circle cx="([\d.]+)"', chart)]
    x1, x2 = map(float, re.search(r'<line x1="([\d.]+)" x2="([\d.]+)"', chart).groups())
    assert x == pytest.approx((x1 + x2) / 2)
    lines = sorted(float(one) for one in re.findall(r'class="grid" x1="([\d.]+)"', chart))
    assert x == pytest.approx((lines[0] + lines[-1]) / 2)


def test_lines_rise_with_their_values_and_unknown_points_are_left_out():
    chart = line_chart("t", [(0, [(1, 0.1, 0.0, 0.2), (2, np.nan, 0, 0), (10, 0.9, 0.8, 1.0)])], "k", "share")
    path = re.search(r'<polyline points="([^"]+)"', chart).group(1).split()
    assert len(path) == 2
    (x0, y0), (x1, y1) = (map(float, point.split(",")) for point in path)
    assert x1 > x0
    assert y1 < y0  # down is more in SVG
    assert line_chart("t", [(0, [(1, np.nan, 0, 0)])], "k", "share") == ""
    assert scatter_chart("t", [(np.nan, 1.0, 0)], "x", "y") == ""
