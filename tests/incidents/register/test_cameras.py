import asyncio
from dataclasses import replace

import pytest

from contracts import CameraId, CameraState, ContractError, LogKind, StreamSource
from incidents.errors import Exists, NotFound, VersionConflict
from incidents.register.camera_rows import Credentials
from incidents.store import Store
from tests.incidents.make import camera, health

SECRET = Credentials(username="admin", sealed_password="gAAAAA-sealed")


async def test_a_camera_comes_back_as_it_was_saved(any_store: Store) -> None:
    saved = await any_store.cameras.save(camera(), actor="budi", version=None)
    assert saved == camera()
    assert await any_store.cameras.get(camera().id) == saved
    assert await any_store.cameras.all() == [saved]
    (entry,) = await any_store.log.after(0)
    assert (entry.kind, entry.subject, entry.actor) == (LogKind.CAMERA_SAVED, saved, "budi")


async def test_secrets_reach_workers_and_nobody_else(any_store: Store) -> None:
    saved = await any_store.cameras.save(camera(), SECRET, actor="budi", version=None)
    assert saved.has_credentials
    (source,) = await any_store.cameras.stream_sources()
    assert source == StreamSource(
        camera_id=saved.id,
        url=saved.url,
        username="admin",
        sealed_password="gAAAAA-sealed",
        version=1,
        view_key=source.view_key,
    )
    assert source.view_key
    told = repr((await any_store.log.after(0), await any_store.snapshot(), source))
    assert "gAAAAA-sealed" not in told
    renamed = await any_store.cameras.save(
        replace(saved, name="Simpang Lima"), actor="budi", version=1
    )
    assert (renamed.version, renamed.has_credentials) == (2, True)
    opened = await any_store.cameras.save(renamed, Credentials(), actor="budi", version=2)
    assert not opened.has_credentials


async def test_two_admins_who_change_one_camera(any_store: Store) -> None:
    await any_store.cameras.save(camera(), actor="budi", version=None)
    both = await asyncio.gather(
        any_store.cameras.save(camera(name="A"), actor="budi", version=1),
        any_store.cameras.save(camera(name="B"), actor="sari", version=1),
        return_exceptions=True,
    )
    (conflict,) = [one for one in both if isinstance(one, VersionConflict)]
    (winner,) = [one for one in both if not isinstance(one, BaseException)]
    assert conflict.current == winner == await any_store.cameras.get(camera().id)


async def test_what_can_not_be_saved(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.cameras.save(camera(), actor="budi", version=1)
    await store.cameras.save(camera(), actor="budi", version=None)
    with pytest.raises(Exists):
        await store.cameras.save(camera(), actor="budi", version=None)
    with pytest.raises(ContractError) as refused:
        await store.cameras.save(camera(exercise=True), actor="budi", version=1)
    assert refused.value.field == "exercise"


async def test_disabled_and_removed_cameras_are_not_watched(any_store: Store) -> None:
    for number in (1, 2, 3):
        await any_store.cameras.save(camera(number), SECRET, actor="budi", version=None)
    await any_store.cameras.save(camera(2, enabled=False), actor="budi", version=1)
    with pytest.raises(VersionConflict):
        await any_store.cameras.remove(CameraId("camera-3"), actor="budi", version=7)
    await any_store.cameras.remove(CameraId("camera-3"), actor="budi", version=1)
    assert [source.camera_id for source in await any_store.cameras.stream_sources()] == ["camera-1"]
    assert [one.id for one in await any_store.cameras.all()] == ["camera-1", "camera-2"]
    for lost in (CameraId("camera-3"), CameraId("camera-9")):
        with pytest.raises(NotFound):
            await any_store.cameras.get(lost)
        with pytest.raises(NotFound):
            await any_store.cameras.remove(lost, actor="budi")


async def test_an_id_used_again_goes_on_counting_and_knows_no_old_secret(any_store: Store) -> None:
    await any_store.cameras.save(camera(), SECRET, actor="budi", version=None)
    await any_store.cameras.remove(camera().id, actor="budi")
    again = await any_store.cameras.save(camera(), actor="budi", version=None)
    assert again.version > 1
    assert not again.has_credentials


async def test_health_is_logged_a_change(any_store: Store) -> None:
    await any_store.cameras.save(camera(), actor="budi", version=None)
    assert await any_store.cameras.record_health(health())
    assert not await any_store.cameras.record_health(health(frames_per_s=2.0))
    assert await any_store.cameras.record_health(health(state=CameraState.STALLED))
    assert (await any_store.cameras.healths())[camera().id].state is CameraState.STALLED
    logged = [e.detail for e in await any_store.log.after(0) if e.kind is LogKind.CAMERA_HEALTH]
    assert logged == ["live", "stalled"]


async def test_news_of_a_removed_camera_is_dropped(any_store: Store) -> None:
    assert not await any_store.cameras.record_health(health())
    await any_store.cameras.save(camera(), actor="budi", version=None)
    await any_store.cameras.record_health(health())
    await any_store.cameras.remove(camera().id, actor="budi")
    assert not await any_store.cameras.record_health(health(state=CameraState.STALLED))
    assert await any_store.cameras.healths() == {}
