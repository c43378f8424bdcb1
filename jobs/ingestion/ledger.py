"""What the warehouse already holds, asked before more is loaded into it."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from jobs.core.batches import SHOP_PREFIX
from jobs.core.errors import UsageError


class Ledger:
    """The batches loaded so far, asked what this ingest needs to know of them."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows

    def has(self, table: str, identity: str) -> bool:
        """True if the batch is recorded."""
        return any((r["table_name"], r["batch_id"]) == (table, identity) for r in self.rows)

    def has_given(self, table: str) -> bool:
        """True if the team has ever given this table itself."""
        return any(r["table_name"] == table and not is_derived(r) for r in self.rows)

    def refuse_other_world(self, fingerprint: str) -> None:
        """Stop before logs are mixed with a synthetic shop, or ids of two keys with each other."""
        for row in self.rows:
            if row["source"].startswith(SHOP_PREFIX):
                raise UsageError(
                    "this warehouse holds the synthetic shop; give your own logs a --warehouse "
                    "of their own"
                )
            if json.loads(row["detail"]).get("key_fingerprint", fingerprint) != fingerprint:
                raise UsageError(
                    "this warehouse was loaded with another key: the ids would not match; use "
                    "the old GLASSHOUSE_HMAC_KEY, or another --warehouse"
                )

    def refuse_doubles(self, table: str, first: date | None, last: date | None) -> None:
        """Stop before given rows are counted beside rows once derived for the same days."""
        if first is None or last is None:
            return
        for row in self.rows:
            is_empty = row["rows_loaded"] == 0 or row["first_date"] is None
            if row["table_name"] != table or not is_derived(row) or is_empty:
                continue
            if row["first_date"] <= last and first <= row["last_date"]:
                raise UsageError(
                    f"{table} holds rows derived for {row['first_date']} to "
                    f"{row['last_date']}, so what is given now would count twice; start a new "
                    "--warehouse and give --events and --orders together"
                )


def is_derived(row: dict[str, Any]) -> bool:
    """True if a batch was made from other inputs."""
    return "derived_from" in json.loads(row["detail"])
