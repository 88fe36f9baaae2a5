"""Reliability: what is stated beside what is so."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from detection.reliability import (
    StatedPicture,
    log_loss_bits,
    reliability_bins,
    reliability_svg,
)
from siaga.commands import evaluate


def stated(share: float, present: int, absent: int, scene: str = "") -> list[StatedPicture]:
    llr = math.log(share / (1 - share))
    return [
        StatedPicture(llr, i < present, scene or f"{share}-{i}") for i in range(present + absent)
    ]


def test_a_model_that_keeps_its_word_lies_on_the_diagonal() -> None:
    bins = reliability_bins([*stated(0.8, 80, 20), *stated(0.2, 20, 80)])
    assert [(round(b.stated, 3), round(b.observed, 3)) for b in bins] == [(0.2, 0.2), (0.8, 0.8)]
    assert all(b.low < b.observed < b.high for b in bins)


def test_one_that_boasts_lies_below_it() -> None:
    (low, high) = reliability_bins([*stated(0.95, 50, 50), *stated(0.02, 50, 50)])
    assert high.observed == pytest.approx(0.5)
    assert high.high < high.stated
    assert low.low > low.stated
    assert log_loss_bits([*stated(0.95, 50, 50), *stated(0.02, 50, 50)]) > 1.0


def test_many_pictures_of_one_scene_prove_little() -> None:
    many = reliability_bins([*stated(0.95, 40, 0), *stated(0.05, 0, 40)])
    one = reliability_bins([*stated(0.95, 40, 0, "a"), *stated(0.05, 0, 40, "b")])
    assert many[-1].low > 0.9
    assert one[-1].low == 0.0
    assert one[0].high == 1.0


def test_both_kinds_are_needed() -> None:
    with pytest.raises(ValueError, match="with the hazard and pictures without"):
        reliability_bins(stated(0.5, 4, 0))


@given(
    st.lists(
        st.tuples(st.floats(-60, 60), st.booleans(), st.sampled_from("abcdef")), min_size=1
    ).map(lambda rows: [*rows, (0.0, True, "g"), (0.0, False, "h")])
)
def test_whatever_is_stated_the_drawing_stays_in_its_frame(
    rows: list[tuple[float, bool, str]],
) -> None:
    pictures = [StatedPicture(*row) for row in rows]
    bins = reliability_bins(pictures)
    assert sum(b.pictures for b in bins) == len(pictures)
    assert all(0 <= b.low <= b.observed + 1e-9 and b.observed - 1e-9 <= b.high <= 1 for b in bins)
    root = ElementTree.fromstring(reliability_svg({"fire": bins}))  # noqa: S314 - our own drawing
    for disc in root.iter("{http://www.w3.org/2000/svg}circle"):
        assert 0 <= float(disc.get("cx", "nan")) <= float(root.get("width", "nan"))
        assert 0 <= float(disc.get("cy", "nan")) <= float(root.get("height", "nan"))


def test_the_command_draws_and_says_where_it_can_not(tmp_path: Path) -> None:
    for folder, name, grey in (("flood", "rio_s001_x.jpg", 90), ("dry", "rio_s002_x.jpg", 200)):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / name), np.full((120, 160, 3), grey, np.uint8))
    file = tmp_path / "flood.svg"
    asked = ["floods", str(tmp_path), "--json", "--reliability"]
    told = json.loads(CliRunner().invoke(evaluate.app, [*asked, str(file)]).stdout)
    assert sum(b["pictures"] for b in told["reliability"]["flood"]["bins"]) == 2
    assert file.read_text().startswith("<svg")
    nowhere = CliRunner().invoke(evaluate.app, [*asked, str(tmp_path / "no" / "where.svg")])
    assert nowhere.exit_code != 0
