"""sql/README.md says what the contracts say."""

from __future__ import annotations

from jobs.core.catalog import SQL_ROOT, all_tables
from jobs.core.table_index import grain, render_index


def test_every_contract_states_its_grain() -> None:
    assert [name for name, table in all_tables().items() if not grain(table)] == []


def test_index_is_current() -> None:
    written = (SQL_ROOT / "README.md").read_text(encoding="utf-8")
    assert written == render_index(), (
        "run: .venv/bin/python -m jobs.core.table_index > sql/README.md"
    )
