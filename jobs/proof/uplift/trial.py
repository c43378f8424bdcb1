"""The randomised campaign of a synthetic shop as an experiment: who, which arm, what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F

from jobs.core.errors import ContractError, UsageError
from jobs.proof.ceiling import known_world
from jobs.propensity import features, inputs, purchase_rhythm
from jobs.propensity.features import KEY
from jobs.propensity.settings import settings_of
from jobs.propensity.snapshots import history_days
from jobs.propensity.targets import Target

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from jobs.core.entry import Run

    Floats = NDArray[np.float64]

# Of each arm who ordered and who did not: parts of the users are left out in turn.
LEAST = 2
_ARMS = {"contacted": 1.0, "held_out": 0.0}


@dataclass(frozen=True, eq=False)
class Trial:
    """The users of the audience who have a snapshot at the campaign's first midnight.

    Parameters
    ----------
    first, days
        When the campaign ran.
    user_id
        Ascending.
    matrix
        What was known of each by then; one column per number of the models' vector.
    channel
        Each user's.
    contacted
        1 or 0, as the coin fell.
    ordered
        1 for an order while the campaign ran, else 0.
    true_uplift
        What being contacted adds to the chance of that order, given traits and state.
    """

    first: date
    days: int
    user_id: NDArray[np.int64]
    matrix: Floats
    channel: NDArray[np.object_]
    contacted: Floats
    ordered: Floats
    true_uplift: Floats

    def __len__(self) -> int:
        return len(self.user_id)


def read_trial(run: Run) -> Trial:
    """Read the experiment from a warehouse.

    Raises
    ------
    UsageError
        The shop is not synthetic, has no campaign or one that changes nothing, or other settings
        than those given.
    ContractError
        The log does not hold the campaign and the weeks before it.
    """
    world = known_world(run)
    if world is None:
        raise UsageError(
            "uplift is held against the truth of a synthetic shop whose days are UTC's, and this "
            "is none"
        )
    campaign = world.settings.incidents.campaign
    if campaign is None:
        raise UsageError("this shop has no campaign (shop.incidents.campaign)")
    settings = settings_of(run.config)
    log, target = inputs.read_log(run, settings), Target("purchase", campaign.days)
    before, last = (campaign.first - log.first_date).days, campaign.end - timedelta(days=1)
    if before < history_days(settings) or log.last_date < last:
        raise ContractError(
            f"the log covers {log.first_date} to {log.last_date}, the campaign {campaign.first} to "
            f"{last}: {history_days(settings)} days before it are needed, and all of its own"
        )
    dates = (campaign.first,)
    with run.progress.step("uplift: snapshots, arms") as step:
        snapshots = inputs.snapshots_at(run, log, dates, settings.snapshot_stride_days)
        arms = run.warehouse.read("truth_users").select("user_id", "campaign_arm", "true_uplift")
        rows = inputs.with_labels(run, log, snapshots, target)
        rows = rows.join(arms.where(F.col("campaign_arm").isNotNull()), "user_id").persist()
        step.rows = rows.count()
        rhythm = purchase_rhythm.rhythm_at(run, log, campaign.first)
        stage = None
        if rhythm is not None:
            stage = purchase_rhythm.rhythm_stage(rhythm.model, campaign.days)
        encoder = features.fit_encoder(rows, stage)
        sample = features.collect(encoder.transform(rows), 1, 1)
        truth = _by_user(rows.select(*KEY, "campaign_arm", "true_uplift").toArrow())
        rows.unpersist()
    contacted = np.array([_ARMS[arm] for arm in truth.column("campaign_arm").to_pylist()])
    found = Trial(
        campaign.first,
        campaign.days,
        sample.user_id,
        sample.matrix,
        sample.segments["channel"],
        contacted,
        sample.label,
        truth.column("true_uplift").to_numpy(),
    )
    require_effect(found)
    return found


def _by_user(table: pa.Table) -> pa.Table:
    # The order of Sample.
    return table.sort_by([(name, "ascending") for name in KEY])


def require_effect(trial: Trial) -> None:
    """Refuse a trial from which nothing can be learned.

    Raises
    ------
    ContractError
        Of an arm too few ordered, or did not.
    UsageError
        The campaign changes nothing.
    """
    for arm, number in _ARMS.items():
        own = trial.ordered[trial.contacted == number]
        if min(own.sum(), len(own) - own.sum()) < LEAST:
            raise ContractError(
                f"of {len(own)} users {arm.replace('_', ' ')} {int(own.sum())} ordered during the "
                f"campaign; at least {LEAST} who did and who did not are needed: make a larger shop"
            )
    if not np.any(trial.true_uplift):
        raise UsageError("this campaign changes nobody's chance (shop.incidents.campaign)")
