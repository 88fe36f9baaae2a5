from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from camera_ingest import IngestError
from detection import Boxes, DataUnusableError
from detection.evaluation import JudgedPicture, auc, class_figures, read_labels, source_of
from siaga.cli import app
from siaga.commands import clip_evaluation, evaluate
from siaga.commands.watch import Alarm, Tier, open_watch, watch_stream
from tests.support.rtsp import RtspThread

BOX = [10.0, 10.0, 50.0, 50.0]
AWAY = [200.0, 200.0, 240.0, 240.0]


def judged(
    name: str, truth: list[list[float]], found: list[tuple[list[float], float]]
) -> JudgedPicture:
    return JudgedPicture(
        name,
        Boxes.of(truth, np.ones(len(truth)), np.zeros(len(truth))),
        Boxes.of([b for b, _ in found], [s for _, s in found], np.zeros(len(found))),
    )


def test_figures_of_a_small_set_worked_out_by_hand() -> None:
    pictures = [
        judged("a_s001_x.jpg", [BOX], [(BOX, 0.9)]),
        judged("a_s002_x.jpg", [BOX], [(AWAY, 0.8), (BOX, 0.6)]),
        judged("b_s003_x.jpg", [BOX], []),
        judged("c_s004_x.jpg", [], [(BOX, 0.7)]),
        judged("c_s005_x.jpg", [], []),
    ]
    figures = class_figures(pictures, 0, 0.5)
    # Ranked: hit, miss, miss, hit; precision 1 up to recall 1/3, 1/2 up to 2/3.
    assert figures.ap50 == pytest.approx(1 / 3 * 1 + 1 / 3 * 0.5)
    assert figures.precision == pytest.approx(0.5)
    assert figures.recall == pytest.approx(2 / 3)
    assert figures.image_recall == pytest.approx(2 / 3)
    assert figures.image_fpr == pytest.approx(0.5)
    assert figures.recall_by_source == {"a": 1.0, "b": 0.0}


def test_one_label_is_found_once() -> None:
    figures = class_figures([judged("a_s1_x", [BOX], [(BOX, 0.9), (BOX, 0.8)])], 0, 0.5)
    assert figures.precision == pytest.approx(0.5)
    assert figures.ap50 == pytest.approx(1.0)


def test_without_the_class_there_is_no_share() -> None:
    figures = class_figures([judged("a_s1_x", [], [])], 0, 0.5)
    assert (figures.ap50, figures.image_recall, figures.image_fpr) == (None, None, 0.0)


grid = st.integers(0, 20).map(lambda n: n / 20)


@given(st.lists(grid, min_size=1), st.lists(grid, min_size=1))
def test_auc_of_the_swapped_classes_is_the_rest(a: list[float], b: list[float]) -> None:
    forth, back = auc(a, b), auc(b, a)
    assert forth is not None and back is not None
    assert forth + back == pytest.approx(1.0)


def test_sources_are_told_by_their_prefix() -> None:
    assert source_of("abonia_s012_ab12.jpg") == "abonia"
    assert source_of("medan_017.jpg") == "medan"
    assert source_of("my_camera_s3_x.jpg") == "my_camera"


@pytest.mark.parametrize(
    "text",
    [
        "0 0.5 0.5",
        "fire 0.5 0.5 0.1 0.1",
        "0 .5 .5 .1 .1 .9",
        "0 nan .5 .1 .1",
        "0 .5 inf .1 .1",
        "-1 .5 .5 .1 .1",
        "0.5 .5 .5 .1 .1",
    ],
)
def test_a_broken_label_file_is_named_with_its_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.txt").write_text(f"0 0.5 0.5 0.2 0.2\n{text}\n")
    with pytest.raises(DataUnusableError, match="line 2"):
        read_labels(tmp_path / "a.txt", 100, 100)


def test_a_label_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(bytes(range(256)))
    with pytest.raises(DataUnusableError, match=r"a\.txt: is no UTF-8 text"):
        read_labels(tmp_path / "a.txt", 100, 100)


def test_labels_become_pixels(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("2 0.5 0.5 0.2 0.4\n")
    boxes = read_labels(tmp_path / "a.txt", 200, 100)
    assert boxes.xyxy[0] == pytest.approx([80, 30, 120, 70])
    assert boxes.class_ids.tolist() == [2]


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(evaluate.app, list(arguments))
    return result.exit_code, result.stdout


def write_pictures(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True)
    for i, name in enumerate(names):
        picture = np.full((120, 160, 3), 40 * i, np.uint8)
        cv2.imwrite(str(folder / name), picture)


def test_eval_boxes_prints_one_document(tmp_path: Path) -> None:
    write_pictures(tmp_path / "images", ["a_s001_x.jpg", "b_s002_y.jpg"])
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/a_s001_x.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    (tmp_path / "labels/b_s002_y.txt").write_text("")
    code, out = run("boxes", str(tmp_path), "--json")
    document = json.loads(out)
    assert (code, document["images"]) == (0, 2)
    assert set(document["classes"]) == {"fire", "smoke", "crash"}
    fire = document["classes"]["fire"]
    assert set(fire) >= {"ap50", "precision", "recall", "image_recall", "image_fpr", "by_source"}
    assert fire["image_fpr_95"][1] == 1.0  # one scene proves nothing
    assert set(fire["by_source"]["a"]) == {"image_recall"}
    assert document["classes"]["crash"]["ap50"] is None


def test_eval_floods_and_quiet_print_what_is_promised(tmp_path: Path) -> None:
    write_pictures(tmp_path / "flood", ["rio_s001_x.jpg"])
    write_pictures(tmp_path / "dry", ["rio_s002_x.jpg", "cam_s003_x.jpg"])
    _, out = run("floods", str(tmp_path), "--json")
    document = json.loads(out)
    assert set(document) == {"recall", "fpr", "auc", "by_source", "recall_95", "fpr_95"}
    assert document["fpr_95"][0] == 0.0
    assert document["by_source"]["cam"]["recall"] is None
    assert document["by_source"]["cam"]["auc"] is None
    _, out = run("quiet", str(tmp_path / "dry"), "--json")
    assert set(json.loads(out)["fpr"]) == {"fire", "smoke", "crash", "flood"}
    assert json.loads(out)["images"] == 2
    assert set(json.loads(out)["fpr_95"]) == set(json.loads(out)["fpr"])


def test_a_folder_without_pictures_is_an_error(tmp_path: Path) -> None:
    result = CliRunner().invoke(evaluate.app, ["quiet", str(tmp_path / "nowhere")])
    assert isinstance(result.exception, DataUnusableError)
    assert "no such folder" in str(result.exception)


def alarm(hazard: str, alarmed_s: float) -> Alarm:
    return Alarm("x.mp4", hazard, alarmed_s - 2, alarmed_s, 0.5, 3.0, (0, 0, 1, 1))


def test_clips_are_judged_by_onset_and_hazard() -> None:
    fire, crash = clip_evaluation.Truth("fire", 5.0), clip_evaluation.Truth("crash", 1.0)
    right = clip_evaluation.judge_clip([fire], [alarm("smoke", 7.0), alarm("fire", 9.0)])
    assert right == {"hazard": "fire", "delay_s": 2.0, "missed": False, "false_alarms": 0}
    early = clip_evaluation.judge_clip([fire], [alarm("fire", 2.0), alarm("crash", 8.0)])
    assert early == {"hazard": "fire", "delay_s": None, "missed": True, "false_alarms": 2}
    nothing = clip_evaluation.judge_clip([clip_evaluation.Truth(None, 0.0)], [alarm("fire", 1.0)])
    assert nothing == {"hazard": None, "delay_s": None, "missed": False, "false_alarms": 1}
    both = clip_evaluation.judge_clip([crash, fire], [alarm("fire", 6.0), alarm("flood", 8.0)])
    assert (both["missed"], both["false_alarms"]) == (True, 1)
    assert both["also"] == [{"hazard": "fire", "delay_s": 1.0, "missed": False}]


def test_watch_finds_the_fire_in_the_street(hazards: Path) -> None:
    video = hazards / "videos/fire_street_night.mp4"
    result = CliRunner().invoke(app, ["watch", str(video), "--json"])
    document = json.loads(result.stdout)
    fires = [a for a in document["alarms"] if a["hazard"] == "fire"]
    assert 12 < document["duration_s"] < 15
    assert fires
    assert set(fires[0]) == {
        "source", "hazard", "started_s", "alarmed_s", "score", "llr", "box",
    }  # fmt: skip
    assert 3.0 <= fires[0]["alarmed_s"] <= 9.0


def test_watch_follows_a_stream_until_it_ends(hazards: Path, rtsp: RtspThread) -> None:
    url = rtsp.serve_file("tank", hazards / "videos/smoke_tank_day.mp4")
    alarms, duration_s = watch_stream(
        open_watch(), url, 1.0, Tier.FULL, on_alarm=lambda _: rtsp.drop_readers("tank")
    )
    assert {a.hazard for a in alarms} == {"smoke"}
    assert alarms[0].source == url
    assert 1.0 < alarms[0].alarmed_s <= duration_s < 15.0


def test_a_stream_that_is_not_there_is_an_error() -> None:
    with pytest.raises(IngestError, match="nothing listens"):
        watch_stream(open_watch(), "rtsp://127.0.0.1:9/none")
