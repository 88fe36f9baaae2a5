"""The reports' arithmetic, on values that one can count by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import AlarmLevel, ContractError, Hazard, IncidentState
from incidents.reporting.facts import AlarmFact, CallFact, IncidentFact, Span
from incidents.reporting.loudness import alarm_figures
from incidents.reporting.statistics import clocks, heat, kinds, ledger

JAKARTA = ZoneInfo("Asia/Jakarta")
NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
DAY = Span(since=NOON, until=NOON + timedelta(days=1), exercise=False)


def incident(number: int = 1, **changes: object) -> IncidentFact:
    values: dict[str, object] = {
        "id": f"incident-{number}",
        "hazard": Hazard.FIRE,
        "state": IncidentState.VERIFIED,
        "level": AlarmLevel.ALARM,
        "place_name": "Bekasi Timur",
        "lon": 106.992,
        "lat": -6.238,
        "started_at": NOON,
        "created_at": NOON,
        "acknowledged_at": None,
        "verified_at": None,
        "dispatched_at": None,
        "on_scene_at": None,
        "closed_at": None,
        "camera_ids": ("camera-1",),
        "calls": 0,
    }
    return IncidentFact(**(values | changes))  # type: ignore[arg-type]


def alarm(seconds: float, number: int = 1, **changes: object) -> AlarmFact:
    return AlarmFact(at=NOON + timedelta(seconds=seconds), incident=incident(number, **changes))


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_kinds_are_counted_with_shares_by_area_and_local_hour() -> None:
    found = kinds(
        [
            incident(1),
            incident(2, hazard=Hazard.CRASH, place_name="", started_at=after(8 * 3600)),
            incident(3, hazard=Hazard.CRASH, place_name=""),
            incident(4, state=IncidentState.REJECTED),
            incident(5, state=IncidentState.DUPLICATE),
        ],
        [
            CallFact(received_at=NOON, hazard=Hazard.FIRE),
            CallFact(received_at=NOON, hazard=None),
        ],
        JAKARTA,
    )
    table = {row.kind: row for row in found.rows}
    assert set(table) == {hazard.value for hazard in Hazard}
    assert (found.incidents, found.calls) == (3, 2)
    assert table["crash"].incidents == 2
    assert table["crash"].incident_share == pytest.approx(2 / 3)
    assert table["fire"].call_share == table["other"].call_share == 0.5
    assert found.by_area == {"": {"crash": 2}, "Bekasi Timur": {"fire": 1}}
    # Noon in UTC is seven in the evening in Bekasi.
    assert found.by_hour[19] == {"fire": 1, "crash": 1}
    assert found.by_hour[3] == {"crash": 1}


def test_nothing_makes_an_empty_table() -> None:
    found = kinds([], [], JAKARTA)
    assert all(row.incident_share == row.call_share == 0 for row in found.rows)


def test_clocks_count_each_step_from_the_one_before_it() -> None:
    found = {
        one.step: one
        for one in clocks(
            [
                incident(1, acknowledged_at=after(10), verified_at=after(50)),
                incident(
                    2,
                    acknowledged_at=after(20),
                    verified_at=after(100),
                    dispatched_at=after(160),
                    on_scene_at=after(600),
                ),
                incident(3),
                incident(4, state=IncidentState.REJECTED, acknowledged_at=after(9_999)),
            ]
        )
    }
    assert (found["acknowledge"].count, found["acknowledge"].missing) == (2, 1)
    assert found["acknowledge"].p50_s == 15
    assert found["acknowledge"].within_target == 0.5
    assert found["verify"].within_target == 0.5
    assert found["dispatch"].p50_s == 60
    assert (found["dispatch"].count, found["dispatch"].missing) == (1, 1)
    assert found["arrive"].longest_s == 440
    assert found["close"].p50_s is None


def test_the_ledger_counts_by_camera_hazard_and_local_day() -> None:
    late = NOON + timedelta(hours=6)
    rows = ledger(
        [
            incident(1, state=IncidentState.REJECTED),
            incident(2, state=IncidentState.REJECTED, camera_ids=("camera-1", "camera-2")),
            incident(3, verified_at=after(60)),
            incident(4, state=IncidentState.DETECTED, started_at=late),
            incident(5, state=IncidentState.DUPLICATE),
            incident(6, state=IncidentState.REJECTED, camera_ids=()),
        ],
        JAKARTA,
    )
    told = {(row.camera_id, row.day): (row.rejected, row.confirmed, row.undecided) for row in rows}
    assert told == {
        ("camera-1", date(2026, 11, 1)): (2, 1, 0),
        ("camera-2", date(2026, 11, 1)): (1, 0, 0),
        ("", date(2026, 11, 1)): (1, 0, 0),
        # One in the morning of the next day in Bekasi.
        ("camera-1", date(2026, 11, 2)): (0, 0, 1),
    }
    assert rows[0].rejected == 2


def test_a_flood_of_alarms_is_one_period_of_a_day() -> None:
    flood = [alarm(60 + number, number, acknowledged_at=after(120)) for number in range(12)]
    figures = alarm_figures([*flood, alarm(7200, 99)], DAY, DAY.until)
    assert (figures.alarms, figures.periods, figures.busiest) == (13, 144, 12)
    assert figures.busiest_at == NOON
    assert figures.share_in_flood == pytest.approx(1 / 144)
    assert figures.share_fine == figures.share_manageable == pytest.approx(143 / 144)
    assert figures.unacknowledged == 1
    shared = alarm_figures(flood, DAY, DAY.until, operators=3)
    assert shared.share_in_flood == 0
    assert shared.busiest == 4
    # Of a day that has just begun, only what has passed is counted.
    assert alarm_figures([], DAY, NOON + timedelta(minutes=25)).periods == 3


def test_what_chatters_and_what_stands_for_days_is_named() -> None:
    chatter = [alarm(600 * number, number) for number in range(3)]
    spread = [alarm(3700 * number, 10 + number, camera_ids=("camera-2",)) for number in range(6)]
    ended = alarm(0, 30, camera_ids=("camera-3",), closed_at=after(60))
    figures = alarm_figures([*chatter, *spread, ended], DAY, NOON + timedelta(days=2))
    assert [(one.camera_id, one.alarms) for one in figures.chattering] == [("camera-1", 3)]
    assert "incident-1" in figures.stale
    assert "incident-30" not in figures.stale


@given(
    st.lists(st.tuples(st.floats(106.8, 107.2), st.floats(-6.5, -6.0)), max_size=40),
    st.floats(50, 20_000),
)
def test_heat_loses_nothing_and_puts_each_into_a_cell_near_it(
    places: list[tuple[float, float]], cell_m: float
) -> None:
    cells = heat([incident(lon=lon, lat=lat) for lon, lat in places], cell_m)
    assert sum(cell.count for cell in cells) == len(places)
    reach = cell_m / 111_320
    for lon, lat in places:
        assert any(
            abs(cell.lat - lat) <= reach and abs(cell.lon - lon) <= reach * 1.1 for cell in cells
        )


def test_a_span_runs_forward() -> None:
    with pytest.raises(ContractError, match="later than since"):
        Span(since=NOON, until=NOON, exercise=False)
