"""A camera's poses follow one another, and none is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts import CameraId, CameraPose
from incidents.errors import NotFound, VersionConflict
from incidents.register.calibrations import Origin
from incidents.store import Store
from tests.incidents.make import CENTRE, camera

POSE = CameraPose(
    position=CENTRE, height_m=9, bearing_deg=45, tilt_deg=-20, hfov_deg=50, width_px=640,
    height_px=480, range_m=77,
)  # fmt: skip


async def record(store: Store, pose: CameraPose, version: int) -> None:
    await store.calibrations.record(
        camera().id, pose, request={"points": []}, findings={}, actor="budi", version=version
    )


async def test_a_pose_is_given_with_its_history_and_keeps_the_range(any_store: Store) -> None:
    saved = await any_store.cameras.save(replace(camera(), pose=POSE), actor="budi", version=None)
    new = replace(POSE, bearing_deg=50, range_m=150)
    await record(any_store, new, version=1)
    found = await any_store.cameras.get(saved.id)
    assert found.pose == replace(new, range_m=77)
    assert found.version == 2
    history = await any_store.calibrations.of(saved.id)
    assert [(one.origin, one.camera_version) for one in history] == [
        (Origin.FITTED, 2),
        (Origin.REGISTERED, 1),
    ]
    assert history[1].pose == POSE


async def test_a_pose_typed_in_between_is_noted_too(any_store: Store) -> None:
    saved = await any_store.cameras.save(replace(camera(), pose=None), actor="budi", version=None)
    await record(any_store, POSE, version=1)
    typed = replace(POSE, height_m=12)
    current = await any_store.cameras.get(saved.id)
    await any_store.cameras.save(replace(current, pose=typed), actor="budi", version=2)
    await record(any_store, replace(POSE, height_m=11), version=3)
    heights = [one.pose.height_m for one in await any_store.calibrations.of(saved.id)]
    assert heights == [11, 12, 9]


async def test_an_old_version_changes_nothing(any_store: Store) -> None:
    saved = await any_store.cameras.save(camera(), actor="budi", version=None)
    with pytest.raises(VersionConflict):
        await record(any_store, POSE, version=7)
    assert await any_store.calibrations.of(saved.id) == []
    assert await any_store.cameras.get(saved.id) == saved


async def test_only_a_cameras_own_calibration_is_restored(any_store: Store) -> None:
    one = await any_store.cameras.save(camera(), actor="budi", version=None)
    other = await any_store.cameras.save(
        replace(camera(), id=CameraId("another")), actor="budi", version=None
    )
    await record(any_store, POSE, version=1)
    first = (await any_store.calibrations.of(one.id))[0]
    with pytest.raises(NotFound):
        await any_store.calibrations.restore(other.id, first.id, actor="budi", version=1)
    with pytest.raises(NotFound):
        await any_store.calibrations.of(CameraId("none"))
    restored, kept = await any_store.calibrations.restore(one.id, first.id, actor="siti", version=2)
    assert restored.pose == first.pose
    assert (kept.origin, kept.restored_id, kept.actor) == (Origin.RESTORED, first.id, "siti")
