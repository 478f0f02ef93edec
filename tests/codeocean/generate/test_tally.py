"""What a person sees while a generation runs."""

import math

from codeocean.generate.ledger import Usage
from codeocean.generate.tally import Tally


def verdict(*answers, overall="yes", error=""):
    rules = [{"rule": f"rule {place}", "reason": "r", "answer": answer} for place, answer in enumerate(answers)]
    return {"rules": rules, "overall": overall, "error": error}


def tally() -> Tally:
    found = Tally(10)
    found.judged(verdict("yes", "yes"))
    found.begin()
    found.judged(verdict("yes", "yes"))
    found.judged(verdict("no", "no", overall="no"))
    found.judged(verdict("yes", "yes", overall="no"))
    found.judged(verdict(error="not JSON", overall=""))
    found.generated({"error": ""})
    found.generated({"error": "truncated"})
    found.used["generator"].add(Usage(6, 600, 500, 300))
    return found


def test_every_row_is_counted_under_one_heading():
    found = tally()
    assert (found.accepted, found.num_rejected, found.failed.total(), found.ended) == (2, 2, 2, 6)
    assert found.rejected == {"rule 0": 1, "rule 1": 1, "overall": 1}
    assert found.failed == {"verdict: not JSON": 1, "truncated": 1}


def test_rows_that_nothing_was_asked_about_say_nothing_of_the_time_left():
    found = Tally(80)
    found.figures(0.0)
    found.generated({"error": "no bug can be put into the code", "raw": ""})
    assert math.isnan(found.figures(60.0)["eta_s"])


def test_speed_and_time_left_are_of_this_run():
    found = tally()
    figures = found.figures(10.0)
    assert figures["tokens_per_s"] == 30.0
    assert math.isnan(figures["eta_s"])
    found.failed["truncated"] += 2
    assert found.figures(14.0)["eta_s"] == 2 * 4.0 / 2  # two rows in four seconds, whatever it took until the first
    assert math.isnan(Tally(10).figures(1.0)["eta_s"])


def test_acceptance_is_of_what_was_judged():
    figures = tally().figures(10.0)
    assert figures["acceptance"] == 2 / 4
    assert (figures["prompt_tokens"], figures["completion_tokens"]) == (600, 300)
    assert math.isnan(Tally(10).figures(1.0)["acceptance"])


def test_the_line_names_it_all():
    found = tally()
    found.time_left.update(4.0, 3, 10)
    line = found.line(10.0, 3)
    assert line == (
        "6 of 10 rows · accepted 2 · rejected 2 (rule 0 1, rule 1 1, overall 1) · failed 2 (verdict: not JSON 1, truncated 1) · "
        "30 tokens/s · 3 in flight · about 8 s left"
    )
    assert "left" not in Tally(10).line(1.0, 0)
