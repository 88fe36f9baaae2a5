from __future__ import annotations

import dataclasses
import itertools
import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from contracts import (
    CameraId,
    ContractError,
    Detection,
    HeadReport,
    PtzHead,
    from_json,
    to_json,
)
from contracts.heads import BIASES
from geo import LocalProjection, PinholeCamera
from geo.fusion import Fusion, FusionParameters
from geo.ptz import PtzModel, aligned, camera_at, log_focal
from tests.geo.builders import BEKASI, START, Reporter, few, pose

PROJECTION = LocalProjection(BEKASI)
LENS = PtzHead(wide_hfov_deg=62, tele_hfov_deg=4)
BASE = PinholeCamera.from_pose(pose(height_m=12.0, position_sigma_m=0.5), PROJECTION)
MODEL = PtzModel(BASE, LENS)
FIT = np.diag(np.square([0.3, 0.3, 0.1, 0.003, 0.002, 0.003, 0.01, 0.005]))

Floats = NDArray[np.float64]


class Head:
    """A real head: what it reports is off from where it looks by its biases."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.zero = float(rng.uniform(-math.pi, math.pi))
        self.pan_scale, self.tilt_scale = rng.normal(0, 0.005, 2).tolist()
        self.tilt_zero = float(rng.normal(0, math.radians(2)))
        self.lean = rng.normal(0, math.radians(0.7), 2)
        self.zoom = rng.normal(0, (0.07, 0.07, 0.1))

    def at(self, pan_deg: float, tilt_deg: float, zoom: float) -> PinholeCamera:
        """The axis leans by rotating the level head, without any small-angle formula."""
        pan = math.radians(pan_deg) * (1 + self.pan_scale) + self.zero
        tilt = math.radians(tilt_deg) * (1 + self.tilt_scale) + self.tilt_zero
        level = np.array(
            (math.sin(pan) * math.cos(tilt), math.cos(pan) * math.cos(tilt), math.sin(tilt))
        )
        # A lean to the north by x raises what looks north; to the east by y what looks east.
        turn = np.array((-self.lean[0], self.lean[1], 0.0)) * -1
        angle = float(np.linalg.norm(turn))
        axis = turn / angle
        look = (
            level * math.cos(angle)
            + np.cross(axis, level) * math.sin(angle)
            + axis * (axis @ level) * (1 - math.cos(angle))
        )
        bent = float(self.zoom @ (1, zoom, 4 * zoom * (1 - zoom)))
        return dataclasses.replace(
            BASE,
            yaw=math.atan2(look[0], look[1]),
            pitch=math.asin(look[2]),
            log_f=log_focal(LENS, zoom, BASE.width_px) + bent,
            covariance=FIT,
        )

    def fitted(self, told: HeadReport) -> PinholeCamera:
        assert told.pan_deg is not None and told.tilt_deg is not None and told.zoom is not None
        real = self.at(told.pan_deg, told.tilt_deg, told.zoom)
        off = self.rng.multivariate_normal(np.zeros(8), FIT)
        return dataclasses.replace(
            real, yaw=real.yaw + off[3], pitch=real.pitch + off[4], log_f=real.log_f + off[6]
        )


def report(
    pan: float | None, tilt: float | None = -20.0, zoom: float | None = 0.2, at_s: float = 0.0
) -> HeadReport:
    return HeadReport(at=START + timedelta(seconds=at_s), pan_deg=pan, tilt_deg=tilt, zoom=zoom)


def anywhere(rng: np.random.Generator) -> HeadReport:
    return report(float(rng.uniform(-170, 170)), float(rng.uniform(-50, -5)), float(rng.uniform()))


def test_a_learnt_head_is_where_it_says_as_surely_as_it_says() -> None:
    rng = np.random.default_rng(5)
    distances, errors, before = [], [], []
    for _ in range(60):
        head, model = Head(rng), MODEL
        for _ in range(5):
            told = anywhere(rng)
            model = model.learnt(told, head.fitted(told))
        for _ in range(4):
            told = anywhere(rng)
            real, camera = head.at(told.pan_deg or 0, told.tilt_deg or 0, told.zoom or 0), None
            camera = model.camera(told)
            assert camera is not None
            off = np.array(
                [
                    math.remainder(camera.yaw - real.yaw, 2 * math.pi),
                    camera.pitch - real.pitch,
                    camera.log_f - real.log_f,
                ]
            )
            own = camera.covariance[np.ix_((3, 4, 6), (3, 4, 6))]
            distances.append(off @ np.linalg.solve(own, off))
            errors.append(np.degrees(np.abs(off[:2])))
            before.append(abs(math.degrees(math.remainder(told_yaw(told) - real.yaw, 2 * math.pi))))
    assert np.median(np.array(errors), axis=0) == pytest.approx((0.15, 0.15), abs=0.15)
    assert np.median(before) > 20, "the raw report is useless"
    # Chi-squared of 3 degrees of freedom: 95 % below 7.81. The truth was drawn narrower.
    assert 0.9 <= np.mean(np.array(distances) < 7.81) <= 1.0
    assert np.mean(distances) > 0.5


def told_yaw(told: HeadReport) -> float:
    return math.radians(told.pan_deg or 0.0)


@few
@given(st.integers(0, 10_000))
def test_the_order_of_learning_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    head = Head(rng)
    first = report(10.0)
    known = MODEL.learnt(first, head.fitted(first))
    pairs = [(told, head.fitted(told)) for told in (anywhere(rng) for _ in range(3))]
    means = []
    for order in itertools.permutations(pairs):
        model = known
        for told, fitted in order:
            model = model.learnt(told, fitted)
        means.append(model.bias)
        assert np.linalg.eigvalsh(model.covariance).min() > 0 and model.pairs == 4
    assert np.ptp(np.array(means), axis=0) == pytest.approx(np.zeros(len(BIASES)), abs=1e-6)


def test_learning_never_makes_less_sure() -> None:
    rng = np.random.default_rng(1)
    head, model = Head(rng), MODEL
    for _ in range(6):
        told = anywhere(rng)
        better = model.learnt(told, head.fitted(told))
        assert np.all(np.diag(better.covariance) <= np.diag(model.covariance) + 1e-12)
        model = better


def learnt_model() -> PtzModel:
    rng = np.random.default_rng(2)
    head, model = Head(rng), MODEL
    for _ in range(6):
        told = anywhere(rng)
        model = model.learnt(told, head.fitted(told))
    return model


def region_length_m(model: PtzModel, *heads: HeadReport) -> float:
    """How long the place of one detection is."""
    fusion = Fusion(FusionParameters(), PROJECTION, {})
    fusion.set_camera(CameraId("ptz"), model)
    told = Reporter().detection("ptz", "t", (960.0, 700.0))
    assert isinstance(told.body, Detection)
    body = dataclasses.replace(told.body, head_reports=heads, captured_at=START)
    found = fusion.add(dataclasses.replace(told, body=body))
    plane = PROJECTION.plane(found[-1].estimate.region90.area)
    west, south, east, north = plane.bounds
    return float(math.hypot(east - west, north - south))


def test_without_telemetry_only_the_surroundings_and_with_a_part_the_bearing() -> None:
    model, at = learnt_model(), START
    whole = camera_at(model, [report(40.0)], at)
    bearing = camera_at(model, [report(40.0, None, None)], at)
    assert whole is not None and bearing is not None
    assert camera_at(model, [], at) is None
    assert camera_at(model, [report(40.0, at_s=-3)], at) is None, "too old"
    assert camera_at(model, [report(None)], at) is None, "it doesn't tell its pan"
    assert camera_at(MODEL, [report(40.0)], at) is None, "never calibrated"
    assert bearing.yaw == pytest.approx(whole.yaw, abs=0.02)
    bearing_sigma, tilt_sigma = np.degrees(np.sqrt(np.diag(bearing.covariance)))[3:5]
    assert bearing_sigma < 2 < 20 < tilt_sigma


def test_a_detection_is_placed_by_what_the_head_reported() -> None:
    model = learnt_model()
    told = region_length_m(model, report(40.0))
    without_tilt = region_length_m(model, report(40.0, None, None))
    assert 3 * told < without_tilt
    assert told < region_length_m(model), "around the camera, all that is known"


def test_a_learnt_head_comes_back_from_the_register() -> None:
    model = learnt_model()
    again = PtzModel.of(BASE, from_json(PtzHead, to_json(model.known)))
    assert again.pairs == model.pairs
    np.testing.assert_array_equal(again.bias, model.bias)
    np.testing.assert_array_equal(again.covariance, model.covariance)
    assert PtzModel.of(BASE, LENS).pairs == 0


def test_reports_are_matched_to_the_picture() -> None:
    still = aligned([report(40, at_s=-4), report(40.05, at_s=4)], START)
    assert still is not None and still[0].pan_deg == 40 and still[1] == 0
    assert aligned([report(40, at_s=-4), report(80, at_s=4)], START) is None, "it was turning"
    quick = aligned([report(350, at_s=-0.2), report(10, at_s=0.2)], START)
    assert quick is not None and quick[0].pan_deg == pytest.approx(360) and quick[1] > 5
    fresh = aligned([report(40, at_s=-0.1)], START)
    assert fresh is not None and 0 < fresh[1] < 10
    assert aligned([report(40, at_s=-8), report(40, at_s=8)], START) is None, "too far apart"
    zoomed = aligned([report(40, zoom=0.1, at_s=-4), report(40, zoom=0.5, at_s=4)], START)
    assert zoomed is None
    stood = aligned([report(40, at_s=-2), report(40, at_s=-1)], START)
    assert stood is not None and 0 < stood[1] < 2, "it may have started to turn"
    assert aligned([report(20, at_s=-2), report(40, at_s=-1)], START) is None, "it did turn"
    assert aligned([report(40, at_s=-3), report(40, at_s=-2)], START) is None, "too long ago"


def test_a_turning_head_is_believed_less() -> None:
    model = learnt_model()
    turning = camera_at(model, [report(36, at_s=-0.2), report(44, at_s=0.2)], START)
    still = camera_at(model, [report(40, at_s=-0.2), report(40, at_s=0.2)], START)
    assert turning is not None and still is not None
    assert turning.yaw == pytest.approx(still.yaw, abs=1e-4)
    assert turning.covariance[3, 3] > 4 * still.covariance[3, 3]


def test_what_cannot_be_meant_is_refused() -> None:
    with pytest.raises(ValueError, match="pan, tilt and zoom"):
        MODEL.learnt(report(40, None), BASE)
    for bad in ({"pan": math.nan}, {"pan": 1e4}, {"pan": 0, "tilt": 300}, {"pan": 0, "zoom": 20}):
        with pytest.raises(ContractError):
            report(**bad)
    with pytest.raises(ContractError):
        PtzHead(wide_hfov_deg=4, tele_hfov_deg=62)
    with pytest.raises(ContractError, match="UTC"):
        HeadReport(at=START.replace(tzinfo=None), pan_deg=0, tilt_deg=0, zoom=0)
