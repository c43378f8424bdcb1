"""Which rows a large training slice keeps, and what the margins then lack."""

from __future__ import annotations

import math

import pytest

from jobs.propensity.thinning import SliceSize, Thinning

# Rows, positives, most; then the shares kept of positives and negatives.
CASES = [
    ((1_000, 30, 1_000), (1.0, 1.0)),
    ((1_000, 970, 5_000), (1.0, 1.0)),
    # The rarer class whole, the other fills the rest.
    ((1_000, 100, 400), (1.0, 300 / 900)),
    ((1_000, 900, 400), (300 / 900, 1.0)),
    # The rarer class alone is more than half: half of each.
    ((1_000, 400, 500), (250 / 400, 250 / 600)),
    ((1_000, 600, 500), (250 / 600, 250 / 400)),
]


@pytest.mark.parametrize(("sizes", "shares"), CASES)
def test_the_rarer_class_goes_first(
    sizes: tuple[int, int, int], shares: tuple[float, float]
) -> None:
    rows, positives, most = sizes
    found = Thinning.to(SliceSize(rows, positives), most)
    assert (found.positives, found.negatives) == pytest.approx(shares)
    assert found.rows(SliceSize(rows, positives)) == min(rows, most)


def test_the_shift_of_the_margin_gives_the_odds_of_the_whole_back() -> None:
    rows, positives = 10_000, 200
    thinning = Thinning.to(SliceSize(rows, positives), 2_000)
    kept_negatives = thinning.negatives * (rows - positives)
    margin = math.log(positives / kept_negatives) / 2
    whole = math.log(positives / (rows - positives)) / 2
    assert margin + thinning.margin_shift == pytest.approx(whole)
    assert Thinning(1.0, 1.0).margin_shift == 0
