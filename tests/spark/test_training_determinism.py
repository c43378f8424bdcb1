"""The same rows give the same model, to the bit, and labels without signal give none."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import numpy as np
import pytest
from numpy.typing import NDArray
from pyspark.ml import PipelineModel
from pyspark.ml.classification import GBTClassificationModel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.metrics import log_loss, roc_auc_score

from jobs.core.errors import ContractError
from jobs.propensity import features, training
from jobs.propensity.bgnbd.model import BgNbd
from jobs.propensity.calibration import fit_calibration
from jobs.propensity.features import Sample
from jobs.propensity.purchase_rhythm import rhythm_stage
from jobs.propensity.settings import BoostingSettings
from jobs.propensity.snapshots import TimeSplit
from jobs.propensity.targets import Target
from jobs.propensity.thinning import SliceSize
from jobs.propensity.training import require_both_classes
from jobs.propensity.tree_export import export_trees
from jobs.propensity.trees import Trees, first, margins, staged_margins
from tests.random_log import FIRST_DATE, random_log
from tests.snapshot_queries import labels, run_query, snapshot_params

TRAIN, CALIBRATE, TEST = 31, 38, tuple(range(45, 51))
SPLIT = TimeSplit(
    (FIRST_DATE + timedelta(days=TRAIN),),
    (FIRST_DATE + timedelta(days=CALIBRATE),),
    tuple(FIRST_DATE + timedelta(days=day) for day in TEST),
    7,
)
LAST_DATE = FIRST_DATE + timedelta(days=59)
BOOSTING = BoostingSettings(
    max_trees=6,
    max_depth=3,
    step_size=0.3,
    min_instances_per_node=500,
    max_bins=32,
    subsampling_rate=0.7,
    features_per_node=0.5,
    partitions=2,
    seed=1,
)
TARGETS = [
    Target("purchase", 7),
    # Fitting does not know what the label says: a second one shows the same, in half of the time.
    pytest.param(Target("churn", 7), marks=pytest.mark.slow),
]


@pytest.fixture(scope="module", params=TARGETS, ids=["purchase_7d", "churn_7d"])
def labelled(request: pytest.FixtureRequest, spark: SparkSession) -> DataFrame:
    """Snapshots of eight dates with their labels and slices."""
    target: Target = request.param
    log = random_log(seed=11, users=4_500, days=60)
    log.register(spark)
    first, end = SPLIT.train[0], SPLIT.test[-1] + timedelta(days=1)
    every = run_query(spark, "user_snapshots", snapshot_params(first, end, stride=1))
    snapshots = every.where(F.col("as_of").isin(*SPLIT.dates)).cache()
    snapshots.createOrReplaceTempView("user_snapshots")
    known = labels(spark, log, target.kind, target.horizon_days, LAST_DATE)
    joined = snapshots.join(known, on=list(features.KEY), how="inner")
    return training.name_slices(joined, SPLIT).cache()


@dataclasses.dataclass
class Fitted:
    encoder: PipelineModel
    encoded: DataFrame
    model: GBTClassificationModel
    trees: Trees
    calibrate: Sample
    test: Sample

    def margin(self, slice_name: str) -> NDArray[np.float64]:
        return margins(self.trees, getattr(self, slice_name).matrix)


def fit(frame: DataFrame, boosting: BoostingSettings = BOOSTING) -> Fitted:
    """Trees of the training slice, and the later slices on the driver."""
    ordered = features.in_fixed_order(frame, boosting.partitions).cache()
    train = ordered.where("slice = 'train'")
    encoder = features.fit_encoder(train, rhythm_stage(BgNbd(0.5, 9.0, 0.8, 2.5), 7))
    encoded = encoder.transform(train).cache()
    model = training.fit_trees(encoded, encoded.count(), boosting)
    later = []
    for name in ("calibrate", "test"):
        part = encoder.transform(ordered.where(F.col("slice") == name))
        later.append(features.collect(part, part.count(), 10**9))
    return Fitted(encoder, encoded, model, export_trees(model), *later)


@pytest.fixture(scope="module")
def fitted(labelled: DataFrame) -> Fitted:
    return fit(labelled)


def shuffled(frame: DataFrame) -> DataFrame:
    return frame.repartition(5, "tenure_days").orderBy(F.desc("views_30d"), F.xxhash64("user_id"))


def test_place_of_a_row_depends_on_its_key_alone(labelled: DataFrame) -> None:
    places = [
        features.in_fixed_order(frame, 2)
        .select("user_id", "as_of", F.monotonically_increasing_id().alias("place"))
        .toPandas()
        for frame in (labelled, shuffled(labelled))
    ]
    assert not labelled.select("user_id").toPandas().equals(places[0][["user_id"]])
    assert places[0].equals(places[1])


def test_shuffled_rows_give_the_same_model_to_the_bit(labelled: DataFrame, fitted: Fitted) -> None:
    again = fit(shuffled(labelled))
    for one, other in zip(fitted.trees, again.trees, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(fitted.test.user_id, again.test.user_id)
    np.testing.assert_array_equal(fitted.test.matrix, again.test.matrix)
    np.testing.assert_array_equal(fitted.margin("test"), again.margin("test"))
    assert len(np.unique(fitted.margin("test"))) > 10


def test_true_labels_have_signal_and_permuted_ones_have_none(
    labelled: DataFrame, fitted: Fitted
) -> None:
    true = roc_auc_score(fitted.test.label, fitted.margin("test"))
    assert true > 0.7
    rows = labelled.toPandas()
    draw = np.random.default_rng(7)
    for _, part in rows.groupby("slice"):
        rows.loc[part.index, "label"] = draw.permutation(part["label"])
    permuted = fit(labelled.sparkSession.createDataFrame(rows, labelled.schema))
    label, margin = permuted.test.label, permuted.margin("test")
    # Three standard errors of a ranking that knows nothing lie within the band.
    ones = label.sum()
    zeros = len(label) - ones
    assert np.sqrt((len(label) + 1) / (12 * ones * zeros)) < 0.02 / 3
    assert abs(roc_auc_score(label, margin) - 0.5) < 0.02
    assert permuted.test.label.sum() == fitted.test.label.sum()


def test_the_first_trees_are_a_model_of_so_many_trees(
    fitted: Fitted, tmp_path_factory: pytest.TempPathFactory
) -> None:
    fewer = training.fit_trees(
        fitted.encoded, fitted.encoded.count(), dataclasses.replace(BOOSTING, max_trees=4)
    )
    kept = training.first_trees(fitted.model, 4)
    folder = tmp_path_factory.mktemp("model") / "trees"
    kept.write().save(str(folder))
    for model in (kept, GBTClassificationModel.load(str(folder))):
        assert model.getNumTrees == 4
        for one, other in zip(export_trees(model), export_trees(fewer), strict=True):
            np.testing.assert_array_equal(one, other)
        columns = ["rawPrediction", "probability"]
        found, wanted = (
            m.transform(fitted.encoded).select(*columns).collect() for m in (model, fewer)
        )
        assert found == wanted
    for one, other in zip(first(fitted.trees, 4), export_trees(kept), strict=True):
        np.testing.assert_array_equal(one, other)
    assert kept.featureImportances == fewer.featureImportances
    assert training.first_trees(fitted.model, 6).toDebugString == fitted.model.toDebugString


def test_as_many_trees_are_kept_as_have_the_lowest_loss_later(
    fitted: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "STAGE", 2)
    choice = training.choose_trees(fitted.trees, fitted.calibrate.label, fitted.calibrate.matrix)
    assert list(choice.losses) == [2, 4, 6]
    staged = staged_margins(fitted.trees, fitted.calibrate.matrix, [2, 4, 6])
    label = fitted.calibrate.label
    for place, count in enumerate((2, 4, 6)):
        curve = fit_calibration(staged[:, place], label)
        loss = log_loss(label, curve.probability(staged[:, place]))
        assert choice.losses[count] == pytest.approx(loss, rel=1e-12)
    assert choice.losses[choice.trees] == min(choice.losses.values())
    kept = margins(
        export_trees(training.first_trees(fitted.model, choice.trees)), fitted.calibrate.matrix
    )
    # The intercept of a logistic fit makes predicted and observed sums of its own slice equal.
    assert choice.calibration.probability(kept).sum() == pytest.approx(label.sum(), rel=1e-6)


def test_a_country_never_seen_in_training_is_scored(labelled: DataFrame, fitted: Fitted) -> None:
    strange = labelled.limit(3).withColumn("country", F.lit("XX"))
    encoded = fitted.encoder.transform(strange).select("features").collect()
    names = features.vector_names(fitted.encoder)
    flags = [place for place, name in enumerate(names) if "=" in name]
    # Three countries and two channels: no country flag is up, one channel flag is.
    assert [names[place].split("=")[0] for place in flags] == ["country"] * 3 + ["channel"] * 2
    vectors = np.array([row["features"].toArray() for row in encoded])
    assert vectors.shape == (3, len(names))
    np.testing.assert_array_equal(vectors[:, flags].sum(axis=1), 1.0)
    assert set(features.feature_columns()) - {"country", "channel"} < set(names)


def test_a_sample_holds_its_rows_and_all_rows_of_those_drawn(fitted: Fitted) -> None:
    rows = fitted.encoded.count()
    whole = features.collect(fitted.encoded, rows, rows)
    part = features.collect(fitted.encoded, rows, rows // 3)
    assert len(whole) == rows
    assert (np.diff(whole.user_id) >= 0).all()
    assert abs(len(part) - rows / 3) < 4 * np.sqrt(rows * 2 / 9)
    chosen = np.isin(whole.user_id, part.user_id)
    np.testing.assert_array_equal(whole.matrix[chosen], part.matrix)
    column = features.collect_column(fitted.encoded, "views_30d", rows, rows // 3)
    place = features.vector_names(fitted.encoder).index("views_30d")
    np.testing.assert_array_equal(column, part.matrix[:, place])
    again = features.collect(shuffled(fitted.encoded), rows, rows // 3)
    np.testing.assert_array_equal(again.matrix, part.matrix)


@pytest.mark.parametrize("size", [SliceSize(0, 0), SliceSize(10, 0), SliceSize(10, 10)])
def test_a_slice_of_one_class_is_refused(size: SliceSize) -> None:
    sizes = {"train": SliceSize(10, 1), "calibrate": size, "test": SliceSize(10, 1)}
    with pytest.raises(ContractError, match="cannot train purchase_7d: the calibrate slice"):
        require_both_classes(sizes, Target("purchase", 7))
