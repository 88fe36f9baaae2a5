"""Operators' verdicts as a data set that a training can read."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from contracts import Box, CameraId, EvidenceId, Sighting, TrackId
from contracts.verdicts import Truth, Verdict
from detection.evaluation import read_labels
from detection.training import sources
from plumbing.evidence import EvidenceStore, FolderEvidence
from siaga.verdict_export import export_verdicts
from tests.siaga.watching.test_clutter_maps import verdict


def a_picture(store: EvidenceStore, shade: int) -> EvidenceId:
    picture = np.full((240, 320, 3), shade, np.uint8)
    return store.put(cv2.imencode(".jpg", picture)[1].tobytes(), "image/jpeg")


@pytest.fixture
def evidence(tmp_path: Path) -> EvidenceStore:
    return FolderEvidence(tmp_path / "evidence", 0)


def test_what_was_confirmed_is_labelled_and_what_was_rejected_is_a_picture_of_nothing(
    tmp_path: Path, evidence: EvidenceStore
) -> None:
    fire = replace(
        verdict(a_picture(evidence, 60)), truth=Truth.CONFIRMED, box=Box(64, 48, 320, 240)
    )
    lamp = replace(verdict(a_picture(evidence, 90)), camera_id=CameraId("cam-2"))
    done = export_verdicts([fire, lamp, verdict(None)], evidence, tmp_path / "out")
    assert (done.confirmed, done.rejected, done.without_picture) == (1, 1, 1)
    pictures = sources.hazard_pictures(tmp_path / "out")
    assert {p.source for p in pictures} == {"desk"}
    assert len({p.scene_key for p in pictures}) == 2, "a camera is a scene"
    labelled = {p.path.stem: read_labels(p.labels, 640, 480) for p in pictures if p.labels}
    found = [boxes for boxes in labelled.values() if len(boxes)]
    assert len(found) == 1 and len(labelled) == 2
    assert found[0].xyxy[0].tolist() == pytest.approx([64, 48, 320, 240], abs=0.01)
    assert found[0].class_ids.tolist() == [sources.HAZARD_CLASSES.index("fire")]
    with (tmp_path / "out/verdicts.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {(r["camera_id"], r["truth"], r["model_version"]) for r in rows} == {
        (fire.camera_id, "confirmed", "test-1"),
        ("cam-2", "rejected", "test-1"),
    }


def test_verdicts_on_one_picture_are_one_example(tmp_path: Path, evidence: EvidenceStore) -> None:
    shown = a_picture(evidence, 60)
    fire = replace(verdict(shown), truth=Truth.CONFIRMED)
    smoke = replace(
        fire, track_id=TrackId("track-2"), sighting=Sighting.SMOKE, box=Box(0, 0, 640, 200)
    )
    lamp = replace(verdict(shown), track_id=TrackId("track-3"))
    done = export_verdicts([fire, smoke, lamp], evidence, tmp_path / "out")
    assert (done.confirmed, done.rejected) == (1, 0)
    (picture,) = sources.hazard_pictures(tmp_path / "out")
    assert picture.labels is not None
    assert sorted(line.split()[0] for line in picture.labels.read_text().splitlines()) == ["0", "1"]


def test_a_verdict_that_changed_changes_the_data_set(
    tmp_path: Path, evidence: EvidenceStore
) -> None:
    flood: Verdict = replace(
        verdict(a_picture(evidence, 60)), sighting=Sighting.FLOOD, truth=Truth.CONFIRMED
    )
    out = tmp_path / "out/flood_scenes"
    export_verdicts([flood], evidence, tmp_path / "out")
    assert (len(list((out / "flood").iterdir())), len(list((out / "dry").iterdir()))) == (1, 0)
    export_verdicts([replace(flood, truth=Truth.REJECTED)], evidence, tmp_path / "out")
    assert (len(list((out / "flood").iterdir())), len(list((out / "dry").iterdir()))) == (0, 1)


def test_a_picture_that_is_gone_is_said(tmp_path: Path, evidence: EvidenceStore) -> None:
    done = export_verdicts([verdict(EvidenceId("0" * 64))], evidence, tmp_path / "out")
    assert done.without_picture == 1 and len(done.problems) == 1
    assert sources.hazard_pictures(tmp_path / "out") == []


def test_what_was_exported_beside_the_other_data_is_trained_on(
    tmp_path: Path, evidence: EvidenceStore
) -> None:
    lamp = verdict(a_picture(evidence, 60))
    wet = replace(verdict(a_picture(evidence, 90)), sighting=Sighting.FLOOD)
    export_verdicts([lamp, wet], evidence, tmp_path / "hazards" / sources.DESK)
    root = tmp_path / "hazards"
    assert [p.source for p in sources.hazard_pictures(root)] == ["desk"]
    assert [p.source for p in sources.flood_pictures(root, "dry")] == ["desk"]
    assert sources.flood_pictures(root, "flood") == []
    assert [p.source for p in sources.hazard_pictures(root, stated_licence_only=True)] == ["desk"]
