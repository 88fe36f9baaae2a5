from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from contracts import CameraId
from siaga.watching.sharing import TOLERANCE, Load, fair_share, to_give_back, to_take

costs_of_cameras = st.lists(st.floats(1, 200), max_size=60)


def named(costs: list[float], prefix: str = "c") -> dict[CameraId, float]:
    return {CameraId(f"{prefix}{n}"): cost for n, cost in enumerate(costs)}


@given(costs_of_cameras, st.integers(1, 8))
def test_all_cameras_find_a_worker_and_then_nobody_moves(costs: list[float], count: int) -> None:
    register = named(costs)
    workers: list[dict[CameraId, float]] = [{} for _ in range(count)]
    settled = 0
    for _ in range(60):
        moved = False
        for own in workers:
            loads = [Load(len(one), sum(one.values())) for one in workers]
            taken = {camera for one in workers for camera in one}
            free = {camera: cost for camera, cost in register.items() if camera not in taken}
            cost = sum(load.cost for load in loads)
            average = cost / len(taken) if taken else 15.0
            share = fair_share(loads, len(free), average)
            for camera in to_give_back(own, share, 100):
                del own[camera]
                moved = True
            for camera in to_take(free, sum(own.values()), share, 100):
                own[camera] = register[camera]
                moved = True
        settled = 0 if moved else settled + 1
    assert sum(len(one) for one in workers) == len(register)
    assert settled >= 10
    heaviest = max(costs, default=0)
    share = sum(costs) / count
    for own in workers:
        assert sum(own.values()) <= share * (1 + TOLERANCE) + heaviest + 1e-6


@given(costs_of_cameras, st.floats(1, 5_000))
def test_what_is_given_back_never_leaves_less_than_the_share(
    costs: list[float], share: float
) -> None:
    held = named(costs)
    given_back = to_give_back(held, share, 10_000)
    if given_back:
        left = sum(cost for camera, cost in held.items() if camera not in given_back)
        assert left >= share - 1e-6


@given(costs_of_cameras, st.integers(0, 60))
def test_nobody_keeps_more_cameras_than_it_may(costs: list[float], most: int) -> None:
    held = named(costs)
    assert len(held) - len(to_give_back(held, 1e9, most)) == min(most, len(held))
    assert len(to_take(held, 0, 1e9, most)) == min(most, len(held))


def test_a_new_worker_moves_no_more_than_its_share() -> None:
    held = named([10.0] * 20)
    share = fair_share([Load(20, 200), Load(0, 0)], 0, 10.0)
    assert len(to_give_back(held, share, 100)) == 10


def test_full_workers_leave_the_rest_to_others() -> None:
    loads = [Load(10, 100, is_full=True), Load(2, 20)]
    assert fair_share(loads, 8, 10.0) == 100
