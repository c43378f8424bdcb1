"""What `uplift` prints, and the frame of its chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from jobs.proof.uplift.flow import BY_CHANNEL, PROPENSITY, TRUTH, TWO_MODELS
from jobs.proof.uplift.qini import SHARES
from jobs.propensity.bootstrap import LEVEL

if TYPE_CHECKING:
    from jobs.proof.uplift.flow import Uplift
    from jobs.proof.uplift.qini import Figure

_COLUMNS = {
    "true_10": "adds at 10 %",
    "true_30": "adds at 30 %",
    "true_qini": "Qini",
    "observed_30": "seen at 30 %",
    "observed_qini": "Qini seen",
}


def render(found: Uplift) -> str:
    """Lay out the effect, the rankings and what to make of them."""
    arms = "; ".join(
        f"{users:,} {name}, of whom {buyers:,} ordered"
        for name, (users, buyers) in found.arms.items()
    )
    lines = [
        f"Campaign of {found.days} days from {found.first}: {arms}",
        f"Orders added per 1,000 contacted: {1_000 * found.true_effect:.2f} in truth, "
        f"{1_000 * found.observed_effect:.2f} by the arms (standard error "
        f"{1_000 * found.standard_error:.2f}, z {found.z:+.1f})",
        "",
        _row("who is contacted first", [*_COLUMNS.values(), "of the best"]),
    ]
    for name, figures in found.figures.items():
        cells = [f"{figures[key].value:.2f}" for key in _COLUMNS]
        lines.append(_row(name, [*cells, f"{100 * found.share_found(name):.0f} %"]))
    lines += ["", _row(f"less {PROPENSITY} ({LEVEL:.0%})", list(_COLUMNS.values()))]
    for name, gains in found.gains.items():
        lines.append(_row(name, [_with_interval(gains[key]) for key in _COLUMNS]))
    return "\n".join([*lines, "", *_legend(), "", verdict(found)])


def verdict(found: Uplift) -> str:
    """Say which estimates are worth their trouble, by the truth."""
    parts = [f"propensity alone reaches {100 * found.share_found(PROPENSITY):.0f} %"]
    for name in (TWO_MODELS, BY_CHANNEL):
        gain = found.gains[name]["true_qini"]
        told = "more" if gain.low > 0 else "less" if gain.high < 0 else "no clear difference"
        parts.append(f"{name} {100 * found.share_found(name):.0f} % ({told})")
    return f"Of the best possible Qini, by the truth, {', '.join(parts)}."


def as_frame(found: Uplift) -> pd.DataFrame:
    """Orders added per 1,000 users, in truth and as seen: a row per ranking and share contacted."""
    frames = [
        pd.DataFrame(
            {"ranking": name, "share": SHARES, "added": true.added, "seen": observed.added}
        )
        for name, (true, observed) in found.curves.items()
    ]
    return pd.concat(frames, ignore_index=True)


def _legend() -> list[str]:
    return [
        "adds at 10, 30 %: orders that contacting this share adds, per 1,000 users of all, by",
        "their true uplifts. Qini: mean of that over all shares, less the straight line. seen: the",
        f"same by the two arms. of the best: Qini over that of '{TRUTH}', which no log shows.",
        "Intervals resample users; the models stay as they were fitted, once.",
    ]


def _with_interval(figure: Figure) -> str:
    return f"{figure.value:+.2f} ({figure.low:+.2f} {figure.high:+.2f})"


def _row(name: str, cells: list[str]) -> str:
    return f"{name:<34}" + "".join(f" {cell:>21}" for cell in cells)
