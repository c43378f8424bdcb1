"""Keyed ids: a team's raw ids become BIGINTs that cannot be traced back without the key."""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable
from functools import reduce
from typing import TYPE_CHECKING

import pyarrow as pa
from pyspark.sql import functions as F

from jobs.core.errors import ContractError, UsageError

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

KEY_VARIABLE = "GLASSHOUSE_HMAC_KEY"
MIN_KEY_BYTES = 16
ID_MASK = (1 << 63) - 1
SIGN_BIT = 1 << 63
# Ids of one domain are hashed alike in every input; the same text elsewhere is another id.
DOMAINS = {"user_id": "user", "event_id": "event", "order_id": "order"}
ID_STRUCT = "struct<id: bigint, check: bigint>"


def read_key() -> bytes:
    """Key of the pseudonyms, from the environment.

    Raises
    ------
    UsageError
        The variable is missing or too short.
    """
    key = os.environ.get(KEY_VARIABLE, "").encode()
    if len(key) < MIN_KEY_BYTES:
        raise UsageError(
            f"{KEY_VARIABLE} is missing or shorter than {MIN_KEY_BYTES} bytes; make a key, keep it "
            f"safe and use it every time: export {KEY_VARIABLE}=$(openssl rand -hex 32)"
        )
    return key


def key_fingerprint(key: bytes) -> str:
    """Tell keys apart without telling the key."""
    return hmac.digest(key, b"fingerprint:", "sha256").hex()[:16]


def keyed_id(key: bytes, domain: str, text: str) -> tuple[int, int]:
    """Pseudonym of one raw id.

    HMAC-SHA256 (RFC 2104) of `<domain>:<text>`; a user and an order of the same raw id get
    different ids.

    Returns
    -------
    tuple
        Non-negative 63-bit id, and the next 64 bits, which tell a collision from a repetition.
    """
    digest = hmac.digest(key, f"{domain}:{text}".encode(), "sha256")
    check = int.from_bytes(digest[8:16], "big")
    return int.from_bytes(digest[:8], "big") & ID_MASK, check - 2 * (check & SIGN_BIT)


def pseudonymise(column: Column, domain: str, key: bytes) -> Column:
    """Column of raw ids -> column of struct<id, check>; NULL stays NULL.

    The key travels in the pickled function only: a query plan, an event log or an error shows
    the function's name and nothing of its closure.
    """

    def pseudonym(texts: pa.Array) -> pa.Array:
        # A user comes up on many lines, so each distinct id of a batch is hashed once.
        encoded = texts.dictionary_encode()
        pairs = [keyed_id(key, domain, text) for text in encoded.dictionary.to_pylist()]
        ids = pa.array([pair[0] for pair in pairs], pa.int64()).take(encoded.indices)
        checks = pa.array([pair[1] for pair in pairs], pa.int64()).take(encoded.indices)
        return pa.StructArray.from_arrays([ids, checks], names=["id", "check"])

    return F.arrow_udf(pseudonym, ID_STRUCT)(column)  # type: ignore[call-overload]


def refuse_collisions(domain: str, frames: Iterable[DataFrame]) -> None:
    """Stop if two different raw ids share a pseudonym.

    Parameters
    ----------
    domain
        What the ids are, for the message.
    frames
        Frames with the columns id and check, from all inputs of the run.

    Raises
    ------
    ContractError
        Some id stands for two raw ids.
    """
    together = reduce(lambda left, right: left.unionByName(right), frames)
    checks = together.groupBy("id").agg(F.min("check").alias("low"), F.max("check").alias("high"))
    collisions = checks.where(F.col("low") != F.col("high")).count()
    if collisions:
        raise ContractError(
            f"{collisions} {domain} ids stand for two different raw ids each; nothing was loaded: "
            f"use another {KEY_VARIABLE} and an empty --warehouse"
        )
