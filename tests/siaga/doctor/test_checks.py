"""The doctor names what is wrong and what to do, and touches nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from incidents.register.camera_rows import Credentials
from incidents.store import Store
from plumbing.clock import SystemClock
from plumbing.sealing import Sealer
from plumbing.settings import Settings
from siaga.cli import app
from siaga.doctor.checks import CHECKS, examine
from siaga.doctor.findings import Finding, Health
from tests.incidents.make import camera

CLOCK = SystemClock()


async def found(settings: Settings) -> dict[str, Finding]:
    return {one.what: one for one in await examine(settings, CLOCK)}


def settings(folder: Path, **changes: object) -> Settings:
    return Settings.model_validate({"data_dir": folder / "data", **changes})


async def test_a_fresh_machine_is_well_and_stays_untouched(tmp_path: Path) -> None:
    findings = await found(settings(tmp_path, evidence={"min_free_bytes": 0}))
    assert set(findings) == set(CHECKS)
    assert not [one for one in findings.values() if one.health is Health.PROBLEM]
    assert not (tmp_path / "data").exists()


async def test_what_is_wrong_is_named_with_what_to_do(tmp_path: Path) -> None:
    key = tmp_path / "data" / "keys" / "sealing.key"
    key.parent.mkdir(parents=True)
    key.write_text("no key\n")
    key.chmod(0o600)
    findings = await found(
        settings(
            tmp_path,
            city={"timezone": "Asia/Bekasi", "areas": tmp_path / "nowhere.geojson"},
            evidence={"min_free_bytes": 10**18},
            database={"url": "postgresql://nobody@127.0.0.1:1/none"},
            bus={"url": "redis://127.0.0.1:1/0"},
            detection={"detector": "no-such-model"},
            api={"host": "0.0.0.0"},  # noqa: S104 - looked at, not bound
        )
    )
    for what in ("timezone", "files", "disk", "key", "database", "bus", "models"):
        assert findings[what].health is Health.PROBLEM, findings[what]
        assert findings[what].mend
    assert "city.areas" in findings["files"].found
    assert findings["exposure"].health is Health.WARNING
    assert "cookie_secure" in findings["exposure"].mend


async def test_a_key_that_is_not_the_one_in_use_is_noticed(tmp_path: Path) -> None:
    here = settings(tmp_path, evidence={"min_free_bytes": 0})
    sealed = Sealer(here.key_file).seal("hunter2")
    store = await Store.open(here.database_url, CLOCK)
    await store.cameras.save(
        camera(), Credentials(username="ani", sealed_password=sealed), actor="cakra", version=None
    )
    await store.close()
    assert (await found(here))["secrets"].health is Health.OK
    here.key_file.unlink()
    Sealer(here.key_file)
    findings = await found(here)
    assert findings["secrets"].health is Health.PROBLEM
    assert "camera-1" in findings["secrets"].found
    assert "hunter2" not in str(findings)


def test_the_command_exits_1_where_something_does_not_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SIAGA__EVIDENCE__MIN_FREE_BYTES", "0")
    well = CliRunner().invoke(app, ["doctor", "--json"])
    assert well.exit_code == 0, well.output
    assert json.loads(well.stdout)["healthy"] is True
    monkeypatch.setenv("SIAGA__CITY__TIMEZONE", "Asia/Bekasi")
    ill = CliRunner().invoke(app, ["doctor"])
    assert ill.exit_code == 1
    assert "PROBLEM  timezone" in ill.stdout
    assert "-> correct city.timezone" in ill.stdout
