"""Tokens and money add up, however they are cut."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeocean.generate.ledger import (
    ROLES,
    Account,
    Ledger,
    Usage,
    cost_rows,
    describe_cache,
    forecast,
    spent,
    token_cost,
)
from codeocean.generate.settings import PriceConfig, RoleConfig, SpendingConfig

PRICED = {
    "generator": RoleConfig(model="g", price=PriceConfig(prompt=1.0, completion=4.0, cached=0.5)),
    "discriminator": RoleConfig(model="d", price=PriceConfig(prompt=2.0, completion=8.0)),
}
usages = st.builds(Usage, st.integers(0, 99), st.integers(500, 10**6), st.integers(0, 500), st.integers(0, 10**6), st.floats(0, 100),
                   st.dictionaries(st.sampled_from(["not JSON", "truncated"]), st.integers(1, 9)).map(Counter))  # fmt: skip
accounts = st.builds(
    Account, st.integers(1, 99), st.integers(0, 99), st.fixed_dictionaries(dict.fromkeys(ROLES, usages))
)
ledgers = st.builds(Ledger, st.dictionaries(st.sampled_from("abc"), accounts, min_size=1), st.floats(0, 1e5))


def test_the_price_of_a_known_account():
    used = {"generator": Usage(1, 1_000_000, 400_000, 500_000), "discriminator": Usage(1, 1_000_000, 400_000, 250_000)}
    assert token_cost(Account(1, 1, used), PRICED) == pytest.approx(
        (0.6 * 1 + 0.4 * 0.5 + 0.5 * 4) + (1 * 2 + 0.25 * 8)
    )
    ledger = Ledger({"a": Account(1, 1, used)}, wall_s=1800)
    assert spent(ledger, PRICED, SpendingConfig(per_hour=3)) == pytest.approx(6.8 + 1.5)
    assert token_cost(Account(1, 1, used), dict.fromkeys(ROLES, RoleConfig(model="m"))) == 0


def test_what_a_prompt_cache_held_and_took_is_told_with_prices_that_lack():
    used = {"generator": Usage(1, 1000, 600, 10, cache_written_tokens=150), "discriminator": Usage(1, 1000, 400, 10)}
    priced = PriceConfig(prompt=1.0, completion=2.0, cached=0.1, cache_write=1.25)
    roles = {"generator": RoleConfig(model="m", price=priced), "discriminator": RoleConfig(model="m", price=priced)}
    assert describe_cache(Account(1, 1, used), roles) == "50 % of them cached, 8 % written to the cache"
    assert token_cost(Account(1, 1, used), roles) * 1e6 == pytest.approx(850 + 100 + 187.5 + 40)
    plain = PriceConfig(prompt=1.0, completion=2.0)
    said = describe_cache(Account(1, 1, used), {role: RoleConfig(model="m", price=plain) for role in used})
    assert "as generate.generator.price.cached and generate.discriminator.price.cached is not set" in said
    assert said.endswith("charged as others, as generate.generator.price.cache_write is not set")
    assert describe_cache(Account(1, 1, {"generator": Usage(1, 10, 0, 1)}), roles) == "0 % of them cached"
    assert describe_cache(Account(0, 0, {}), {}) == "0 % of them cached"


@given(ledgers)
def test_a_ledger_is_read_as_it_was_written(ledger):
    again = Ledger.from_json(json.loads(json.dumps(ledger.as_json())))
    assert again.as_json() == ledger.as_json()


@given(ledgers, ledgers)
def test_costs_of_the_parts_add_up_to_the_whole(one, other):
    whole = Ledger()
    for part in (one, other):
        whole.add(Ledger.from_json(part.as_json()))
    spending = SpendingConfig(per_hour=2.5)
    rows = cost_rows(whole.tasks.items(), whole, PRICED, spending)
    expected = spent(whole, PRICED, spending) if whole.whole().seconds else token_cost(whole.whole(), PRICED)
    assert sum(row["cost"] for row in rows) == pytest.approx(expected, abs=1e-4)
    assert sum(row["accepted"] for row in rows) == whole.whole().accepted
    assert one.whole().tokens + other.whole().tokens == whole.whole().tokens


def test_a_forecast_scales_each_task_and_lends_the_mean_to_unknown_ones():
    used = {"generator": Usage(10, 1000, 800, 200, 5.0), "discriminator": Usage(8, 800, 600, 100, 4.0)}
    sample = Ledger({"a": Account(10, 5, used)}, wall_s=20.0)
    rest = forecast(sample, {"a": 30, "new": 10})
    assert rest.tasks["a"].used["generator"].prompt_tokens == 3000
    assert (rest.tasks["a"].accepted, rest.tasks["new"].accepted) == (15, 5)
    assert rest.wall_s == pytest.approx(80.0)
    assert forecast(Ledger(), {"a": 5}).whole().tokens == 0
