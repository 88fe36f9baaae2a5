"""`siaga watch` and `siaga eval` as scripts call them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from camera_ingest import IngestError
from siaga.cli import app
from siaga.commands.clip_evaluation import read_truth
from siaga.failures import Failure
from tests.support.rtsp import small_video


def called(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def watched(path: Path, *options: str) -> Any:
    result = called("watch", str(path), "--json", *options)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize("options", [(), ("--every", "30"), ("--tier", "full")])
def test_a_file_lasts_as_long_however_often_it_is_looked_at(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    document = watched(small_video(tmp_path / "a.mp4", seconds=4), *options)
    assert set(document) == {"alarms", "duration_s"}
    assert document["duration_s"] == pytest.approx(4, abs=0.3)


def test_a_video_without_a_picture_is_no_quiet_one(tmp_path: Path) -> None:
    whole = small_video(tmp_path / "whole.ts", seconds=4).read_bytes()
    cut = tmp_path / "cut.ts"
    cut.write_bytes(whole[: len(whole) // 200])
    assert isinstance(called("watch", str(cut), "--json").exception, IngestError)


def test_what_is_no_url_is_told_without_its_password() -> None:
    result = called("watch", "rtsp://ayu:hidden@[::1/x", "--json")
    assert isinstance(result.exception, Failure)
    assert "no URL" in str(result.exception) and "hidden" not in str(result.exception)


def test_a_truth_that_names_absent_clips_says_which(tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    small_video(folder / "a.mp4", seconds=1)
    truth = tmp_path / "truth.json"
    rows = [{"file": name, "hazard": None, "onset_s": 0} for name in ("a.mp4", "b.mp4")]
    truth.write_text(json.dumps(rows))
    result = called("eval", "clips", str(folder), "--truth", str(truth), "--json")
    assert json.loads(result.stdout)["not_there"] == ["b.mp4"]
    assert "b.mp4" in result.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[{"file": "a.mp4", "hazard": "fire", "onset_s": NaN}]', "a.mp4 begins at no time"),
        ('[{"file": "a", "hazard": null}, {"file": "a", "hazard": "fire"}]', "a hazard and none"),
        ("[" * 100_000, "expected a list"),
        ("{}", "no list"),
        ("5", "expected a list"),
    ],
)
def test_a_truth_of_another_form_is_named(tmp_path: Path, text: str, words: str) -> None:
    truth = tmp_path / "truth.json"
    truth.write_text(text)
    with pytest.raises(Failure, match=words):
        read_truth(truth)
