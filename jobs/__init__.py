"""Glasshouse: a lakehouse for product analytics and purchase propensity whose truth is known.

How data flows, one command after the other (`pipeline` runs them all):

    generate | ingest   shop/ or ingestion/   ->  bronze    rows as they arrived
    build               sql/silver, sql/gold  ->  silver    valid, deduplicated, in sessions
                                                  gold      metrics per day, cohort and funnel entry
    train               propensity/           ->  features  point-in-time snapshots;  ml  the model
    score               propensity/           ->  ml        one row per eligible user and day
    report              reporting/            ->  charts as PNG, each with its numbers as CSV
    verify              proof/                ->  reconciliations, rules and a hash per table

core/ knows Spark and Delta and nothing of shops. Imports go one way: entry point, proof, then
shop | ingestion | propensity | reporting (which never import each other), then core.
"""

from __future__ import annotations

import os

# XGBoost's threads wait for each other by spinning. Where other work has the cores, that takes five
# to twenty times as long as waiting asleep; on an idle machine it saves less than a second. What
# reads this is loaded later than any module of ours, and a value that the user set stays.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
