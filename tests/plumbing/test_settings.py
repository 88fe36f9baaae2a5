"""Settings: nothing unknown, nothing out of bounds, and errors that say what would be right."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from plumbing.settings import Settings, SettingsError, as_environment, load_settings


def load(tmp_path: Path, text: str, environment: Mapping[str, str] | None = None) -> Settings:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path, environment or {})


def test_nothing_given_is_all_defaults(tmp_path: Path) -> None:
    assert load_settings(None, {}) == Settings()
    assert load(tmp_path, "") == Settings()
    assert load(tmp_path, "bus:\napi: {}\n") == Settings()


def test_the_file_changes_what_it_names(tmp_path: Path) -> None:
    settings = load(tmp_path, "api: {port: 9000}\ncity:\n  name: Kota Depok\n")
    assert (settings.api.port, settings.city.name) == (9000, "Kota Depok")
    assert settings.api.host == "127.0.0.1"


def test_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        "api: {port: 9000}\nbus:\n",
        {
            "SIAGA__API__PORT": "9001",
            "siaga__bus__url": "redis://bus.example:6379/2",
            "SIAGA__WORKER__COUNT": "3",
            "SIAGA__INGEST__ALLOW_PRIVATE": "[10.0.0.0/8, 127.0.0.0/8]",
            "SIAGA__DETECTION__FLOOD": "null",
            "SIAGA__CITY__NAME": "123",
            "SIAGA__FUSION__EVENTS_PER_KM2_DAY__FIRE": "0.5",
            "SIAGA_SEALING_KEY": "not ours to read",
            "PATH": "/bin",
        },
    )
    assert settings.api.port == 9001
    assert settings.bus.url == "redis://bus.example:6379/2"
    assert settings.worker.count == 3
    assert settings.ingest.allow_private == ("10.0.0.0/8", "127.0.0.0/8")
    assert settings.detection.flood is None
    assert settings.city.name == "123", "a name of digits is a name"
    assert settings.fusion.events_per_km2_day["fire"] == 0.5


def test_one_rate_can_be_changed_alone(tmp_path: Path) -> None:
    rates = load(tmp_path, "fusion: {events_per_km2_day: {flood: 0.9}}").fusion.events_per_km2_day
    assert rates == {**Settings().fusion.events_per_km2_day, "flood": 0.9}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("apii: {port: 1}", "apii: unknown key; did you mean 'api'?"),
        ("api: {prot: 1}", "api.prot: unknown key; did you mean 'port'?"),
        ("api: {zzzzzz: 1}", "known here: host, port"),
        ("api: {port: 70000}", "api.port: .*65535, got 70000"),
        ("api: {port: eighty}", "api.port: .*integer.*'eighty'"),
        ("worker: {count: 0}", "worker.count"),
        ("city: {lat: 107}", "city.lat: .*85"),
        ("api: 8112", "api: must be a section"),
        ("log: {level: loud}", "log.level: .*'debug', 'info'"),
        ("bus: {url: http://x}", "bus.url"),
        ("ingest: {allow_private: [10.0.0.1/8]}", "allow_private.0: .*host bits.*10.20.0.0/16"),
        ("api: {allowed_origins: [desk.example.org]}", "allowed_origins.0: .*https://"),
        ("ingest: {retry_first_s: 50, retry_longest_s: 2}", "retry_longest_s must not be below"),
        ("fusion: {candidate_from: 0.9}", "candidate_from must not exceed alarm_from"),
        ("fusion: {events_per_km2_day: {fires: 1}}", "no hazard 'fires'; known: fire"),
        ("fusion: {events_per_km2_day: {fire: 0}}", "events_per_km2_day.fire: .*greater than 0"),
        ("fusion: {detection_probability: 1}", "detection_probability: .*less than 1"),
        ("fusion: {alarm_from: .nan}", "alarm_from"),
        ("- a\n- b", "'key: value'"),
        ("api: {port: 1", "no YAML"),
        ("api: {port: 1}\napi: {port: 2}", "'api' stands twice"),
        ("api:\n\tport: 1", "no YAML"),
        ("? [a, b]\n: c", "(no YAML|unknown key)"),
    ],
)
def test_what_is_wrong_is_said_with_what_would_be_right(
    tmp_path: Path, text: str, says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        load(tmp_path, text)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SIAGA__API__PROT", "1", "SIAGA__API__PROT: api.prot: unknown key; did you mean 'port'"),
        ("SIAGA__API", "1", "api: must be a section"),
        ("SIAGA__APIS__PORT", "1", "did you mean 'api'"),
        ("SIAGA__", "1", "unknown key"),
        ("SIAGA__API__PORT", "[", "SIAGA__API__PORT"),
        ("SIAGA__API__PORT__X", "1", "api.port"),
    ],
)
def test_variables_are_checked_like_the_file(name: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        load_settings(None, {name: value})


def test_unreadable_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        load_settings(tmp_path / "absent.yaml", {})
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(SettingsError, match="UTF-8"):
        load_settings(tmp_path / "binary", {})
    (tmp_path / "marked").write_bytes(b"\xef\xbb\xbfapi: {port: 9000}")
    assert load_settings(tmp_path / "marked", {}).api.port == 9000, "Windows editors mark UTF-8"


def test_errors_show_no_password(tmp_path: Path) -> None:
    for text in ("bus: {url: 'http://u:hush@h'}", "bus: {url: ['redis://u:hush@h']}"):
        with pytest.raises(SettingsError) as caught:
            load(tmp_path, text)
        assert "hush" not in str(caught.value)


texts = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=30).filter(
    lambda text: text.strip()
)


@given(
    name=texts,
    port=st.integers(0, 65535),
    lon=st.floats(-180, 180),
    attribution=st.one_of(st.just(""), texts),
    flood=st.one_of(st.none(), texts),
    folder=st.one_of(st.none(), st.just("/var/lib/siaga: 1/evi #dence")),
    networks=st.lists(st.ip_addresses(v=4).map(lambda ip: f"{ip}/32"), max_size=3),
    rate=st.floats(1e-9, 1e4),
    secure=st.booleans(),
)
def test_a_process_of_ours_gets_the_same_settings_by_its_environment(**values: Any) -> None:
    settings = Settings.model_validate(
        {
            "city": {"name": values["name"], "lon": values["lon"]},
            "api": {"port": values["port"], "cookie_secure": values["secure"]},
            "map": {"attribution": values["attribution"]},
            "detection": {"flood": values["flood"]},
            "evidence": {"folder": values["folder"]},
            "ingest": {"allow_private": values["networks"]},
            "fusion": {"events_per_km2_day": {"fire": values["rate"]}},
        }
    )
    environment = as_environment(settings)
    assert load_settings(None, environment) == settings
    assert all("\n" not in text and "\0" not in text for text in environment.values())


def test_every_key_has_a_variable() -> None:
    names = as_environment(Settings())
    assert names["SIAGA__API__PORT"] == "8112"
    assert names["SIAGA__BUS__URL"] == "null"
    for section, value in Settings().model_dump(mode="json").items():
        for key in value if isinstance(value, dict) else [""]:
            assert f"SIAGA__{section}__{key}".upper().removesuffix("__") in names


def test_where_things_lie_follows_from_data_dir(tmp_path: Path) -> None:
    settings = load(tmp_path, f"data_dir: {tmp_path}")
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/siaga.sqlite3"
    assert settings.evidence_folder == tmp_path / "evidence"
    assert settings.key_file.is_relative_to(tmp_path)


def test_settings_stand_still() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().api.port = 1  # type: ignore[misc]


def test_the_default_configuration_is_yaml_that_loads_as_the_defaults() -> None:
    path = Path(__file__).parents[2] / "config.yaml"
    assert load_settings(path, {}) == Settings()
    assert isinstance(yaml.safe_load(path.read_text()), dict)
