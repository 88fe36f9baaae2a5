"""A flood of alarms reaches every reader: who follows, who starts, and who reads figures."""

from __future__ import annotations

from dataclasses import replace

import jsonschema
import websockets

from contracts import AlarmGroup, DeskLoad, Hazard
from incidents.people.accounts import Role
from tests.api.reading import message
from tests.support.api import RunningApi
from tests.support.store import START

FLOOD = DeskLoad(
    at=START,
    alarms_last_ten_minutes=12,
    alarms_last_hour=14,
    budget_per_hour=6.0,
    odds_factor=2.33,
    odds_bound=8.0,
    flood_since=START,
    groups=(AlarmGroup(hazard=Hazard.FIRE, place_name="Bekasi Timur", count=12),),
    chattering=(),
)


async def test_a_flood_reaches_every_reader(own_api: RunningApi) -> None:
    loads = own_api.store.desk_loads
    await own_api.store.fusion.claim(1)
    headers = own_api.headers(Role.VIEWER)
    address = f"{own_api.feed_url}?hazard=crash"
    async with websockets.connect(address, additional_headers=headers, max_size=None) as reader:
        start = await message(reader)
        assert start["desk_load"] is None
        await loads.tell(FLOOD, fencing=1)
        told = await message(reader)
        assert (told["type"], told["kind"], told["prev_seq"]) == (
            "change",
            "desk.load",
            start["seq"],
        )
        assert told["subject"]["groups"] == [
            {"hazard": "fire", "place_name": "Bekasi Timur", "count": 12}
        ]
        await loads.tell(replace(FLOOD, flood_since=None, groups=()), fencing=1)
        assert (await message(reader))["subject"]["flood_since"] is None
        await loads.tell(FLOOD, fencing=1)
        await message(reader)

    async with own_api.client(None) as client:
        described = (await client.get("/asyncapi.json")).json()
    for one in (start, told):
        schema = described["components"]["messages"][one["type"]]["payload"]
        jsonschema.validate(one, schema | {"components": described["components"]})

    async with own_api.client(None) as client:
        figures = (await client.get("/metrics")).text
    assert "siaga_alarm_flood 1\n" in figures
    assert "siaga_alarm_odds_factor 2.33\n" in figures
    assert (await own_api.store.snapshot()).desk_load == FLOOD
