"""The content hash: blind to order and partitions, awake to everything else."""

from __future__ import annotations

from pyspark.sql import SparkSession

from jobs.proof.content_hash import fingerprint

SCHEMA = "id BIGINT, name STRING, batch_id STRING"


def test_order_partitions_and_bookkeeping_do_not_matter(spark: SparkSession) -> None:
    rows = [(i, f"n{i % 7}", "a") for i in range(500)]
    one = spark.createDataFrame(rows, SCHEMA).coalesce(1)
    other = spark.createDataFrame([(i, n, "b") for i, n, _ in reversed(rows)], SCHEMA)
    other = other.repartition(7)
    assert fingerprint(one, ["batch_id"]) == fingerprint(other, ["batch_id"])
    assert fingerprint(one) != fingerprint(other)


def test_a_changed_moved_or_doubled_value_matters(spark: SparkSession) -> None:
    base = [(1, None, "x"), (2, "y", "x")]
    variants = [
        [(1, None, "x"), (2, "z", "x")],
        [(1, "x", None), (2, "y", "x")],
        [(1, None, "x"), (2, "y", "x"), (2, "y", "x"), (2, "y", "x")],
        [(1, None, "x")],
        [],
    ]
    digests = [fingerprint(spark.createDataFrame(rows, SCHEMA)) for rows in [base, *variants]]
    assert len(set(digests)) == len(digests)


def test_column_order_does_not_matter(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(1, "y", "x")], SCHEMA)
    assert fingerprint(frame) == fingerprint(frame.select("batch_id", "name", "id"))
