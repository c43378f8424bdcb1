"""What is wrong with the rows, as Arrow batches with the columns of truth_dirt."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from jobs.core.columns import plain_strings
from jobs.shop.dirt.faults import DAY, stream_key
from jobs.shop.dirt.labels import KINDS, TABLES
from jobs.shop.dirt.recorded import Recorded, recorded_rectangle
from jobs.shop.hashing import IntArray, Stream, hash_long, high_half, threshold
from jobs.shop.users import Users, generate_users
from jobs.shop.world import World

LABELS_SCHEMA = (
    "table_name STRING, row_id BIGINT, user_id BIGINT, kind STRING, row_date DATE, copies INT, "
    "true_ts TIMESTAMP, true_country STRING"
)
USERS_TABLE, NULL_COUNTRY = "bronze_users", "null_country"


def label_batch(
    world: World, user_from: int, user_to: int, day_from: date, day_to: date
) -> pa.RecordBatch:
    """Label the events and orders of a rectangle; columns of truth_dirt without batch_id."""
    return plain_strings(
        label_rows(recorded_rectangle(world, user_from, user_to, day_from, day_to))
    )


def label_rows(recorded: Recorded) -> pa.RecordBatch:
    """Put a rectangle's labels into columns; the table's name and the kind are dictionaries."""
    labels = recorded.labels
    return pa.record_batch(
        {
            "table_name": pa.DictionaryArray.from_arrays(pa.array(labels.table), TABLES),
            "row_id": pa.array(labels.row_id),
            "user_id": pa.array(labels.user_id),
            "kind": pa.DictionaryArray.from_arrays(pa.array(labels.kind), KINDS),
            "row_date": pa.array((labels.ts // DAY).astype(np.int32)).cast(pa.date32()),
            "copies": pa.array(labels.copies.astype(np.int32)),
            "true_ts": pa.array(labels.ts).cast(pa.timestamp("us", tz="UTC")),
            "true_country": pa.nulls(len(labels.row_id), pa.string()),
        }
    )


def user_label_batch(world: World, user_from: int, user_to: int) -> pa.RecordBatch:
    """Label the users whose country is lost; columns of truth_dirt without batch_id."""
    return user_label_rows(world, generate_users(world, user_from, user_to))


def user_label_rows(world: World, users: Users) -> pa.RecordBatch:
    """Label those of some users whose country is lost."""
    lost = np.flatnonzero(lost_countries(world, users.user_id))
    names = world.segments.country_names[users.country[lost]].tolist()
    epoch_day = users.signup_day[lost] + world.first_epoch_day
    return pa.record_batch(
        {
            "table_name": pa.array([USERS_TABLE] * len(lost), pa.string()),
            "row_id": pa.array(users.user_id[lost]),
            "user_id": pa.array(users.user_id[lost]),
            "kind": pa.array([NULL_COUNTRY] * len(lost), pa.string()),
            "row_date": pa.array(epoch_day.astype(np.int32)).cast(pa.date32()),
            "copies": pa.array(np.zeros(len(lost), dtype=np.int32)),
            "true_ts": pa.nulls(len(lost), pa.timestamp("us", tz="UTC")),
            "true_country": pa.array(names, pa.string()),
        }
    )


def lost_countries(world: World, user_id: IntArray) -> NDArray[np.bool_]:
    """Tell whose country the log does not know; nobody's in a clean world."""
    if not world.is_dirty:
        return np.zeros(len(user_id), dtype=bool)
    chance = high_half(hash_long(user_id, stream_key(world, Stream.LOST_COUNTRY)))
    return chance < threshold(world.settings.dirt.null_country)
