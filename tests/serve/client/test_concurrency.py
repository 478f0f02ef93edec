"""The limit on requests in flight, against endpoints whose capacity is known."""

import asyncio
import time

from serve.client.concurrency import FIRST_LIMIT, Pace


def drive(pace: Pace, capacity: int, requests: int, seconds: float = 0.005) -> tuple[int, float]:
    """Ask an endpoint that says "overloaded" beyond `capacity` in flight; returns most in flight and mean limit of the last half."""
    now, most, limits = 0, 0, []

    async def one():
        nonlocal now, most
        async with pace.turn() as began:
            now += 1
            most = max(most, now)
            over = now > capacity
            await asyncio.sleep(seconds)
            now -= 1
            pace.overloaded(began) if over else pace.went_well(began)
            limits.append(pace.limit)

    async def all_of_them():
        await asyncio.gather(*[one() for _ in range(requests)])

    asyncio.run(all_of_them())
    half = limits[len(limits) // 2 :]
    return most, sum(half) / len(half)


def test_it_finds_what_an_endpoint_bears():
    _, mean = drive(Pace(1000), capacity=40, requests=3000)
    assert 20 <= mean <= 48


def test_it_uses_all_that_it_may_where_nothing_is_overloaded():
    pace = Pace(500)
    most, _ = drive(pace, capacity=10_000, requests=4000)
    assert most == 500 and pace.limit == 500
    assert drive(Pace(5), capacity=10_000, requests=50)[0] == 5


def test_one_load_of_refusals_halves_once():
    pace = Pace(1000)
    began = time.monotonic()
    for _ in range(64):
        pace.overloaded(began)
    assert pace.limit == FIRST_LIMIT / 2
    pace.went_well(began)  # asked before the decrease: says nothing of the new limit
    assert pace.limit == FIRST_LIMIT / 2
    pace.went_well(time.monotonic())
    assert FIRST_LIMIT / 2 < pace.limit < FIRST_LIMIT / 2 + 1
    for _ in range(100):
        time.sleep(1e-6)
        pace.overloaded(time.monotonic())
    assert pace.limit == 1.0


def test_a_pause_holds_everybody_back():
    pace = Pace(10)

    async def ask():
        begun = time.monotonic()
        pace.overloaded(begun, pause_s=0.2)
        async with pace.turn():
            return time.monotonic() - begun

    assert asyncio.run(ask()) >= 0.2


def test_a_cancelled_request_gives_its_place_back():
    async def cancelled():
        pace = Pace(1)
        order = []

        async def one(name, seconds):
            async with pace.turn():
                order.append(name)
                await asyncio.sleep(seconds)

        tasks = [asyncio.create_task(one(name, 0.02)) for name in "abc"]
        await asyncio.sleep(0.005)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return order, pace.in_flight

    assert asyncio.run(cancelled()) == (["a", "c"], 0)
