"""The evidence `verify` prints: rows conserved, sums equal, rules kept, and a hash per table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.core.building.changes import require_settings_of_build
from jobs.core.building.flow import log_params
from jobs.core.catalog import all_tables
from jobs.core.checks import run_checks
from jobs.core.errors import ContractError
from jobs.core.queries import render
from jobs.core.shell import views
from jobs.core.tables import one_row
from jobs.proof.cleaning import cleaning_findings
from jobs.proof.content_hash import Fingerprint, fingerprint
from jobs.proof.findings import Finding
from jobs.proof.reconciliations import RECONCILIATIONS
from jobs.proof.truth_checks import check_truth

if TYPE_CHECKING:
    from jobs.core.entry import Run


@dataclass(frozen=True)
class Evidence:
    """All that `verify` found."""

    findings: list[Finding]
    hashes: dict[str, Fingerprint]

    @property
    def failed(self) -> list[Finding]:
        """The findings for which the warehouse must not be trusted."""
        return [finding for finding in self.findings if finding.failed]

    @property
    def verdict(self) -> str:
        """How many findings hold, in a few words."""
        holding = sum(finding.passed for finding in self.findings)
        warned = len(self.findings) - holding - len(self.failed)
        note = f", {warned} to look at" if warned else ""
        return f"{holding} of {len(self.findings)} hold{note}"


def gather(run: Run) -> Evidence:
    """Reconcile, check and hash every stored table of a warehouse.

    Raises
    ------
    UsageError
        The settings are others than those of the last build.
    """
    require_settings_of_build(run)
    known = run.warehouse.register()
    with run.progress.step("verify: reconcile"):
        findings = reconcile(run, set(known))
    with run.progress.step("verify: rules"):
        findings += check_rules(run, set(known))
    with run.progress.step("verify: truth"):
        findings += check_truth(run, set(known))
    with run.progress.step("verify: cleaning") as step:
        grades = cleaning_findings(run, set(known))
        step.note = "" if grades else "not a dirty shop"
        findings += grades
    with run.progress.step("verify: content hashes") as step:
        hashes = content_hashes(run, known)
        step.rows = sum(found.rows for found in hashes.values())
    return Evidence(findings, hashes)


def require(evidence: Evidence) -> None:
    """Refuse a warehouse with a failed finding.

    Raises
    ------
    ContractError
        The message names the first finding that failed.
    """
    failed = evidence.failed
    if failed:
        raise ContractError(f"{evidence.verdict}; first failure: {failed[0].name}")


def reconcile(run: Run, known: set[str]) -> list[Finding]:
    """Compare the totals that two tables must share, day by day and in sum."""
    findings = []
    params = log_params(run)
    metrics = run.config.metrics
    all_active = set(metrics.active_event_types) == set(metrics.event_types)
    for rule in RECONCILIATIONS:
        if rule.needs_all_active and not all_active:
            continue
        missing = sorted(set(rule.tables) - known)
        if missing:
            findings.append(Finding(rule.name, "both sides", f"no {missing[0]}", False, "warn"))
            continue
        row = one_row(run.spark.sql(render(rule.query, params)))
        passed = row["expected"] == row["found"] and row["days_off"] == 0
        findings.append(Finding(rule.name, str(row["expected"]), str(row["found"]), passed))
    return findings


def check_rules(run: Run, known: set[str]) -> list[Finding]:
    """Evaluate checks.sql of every stored table, and of the views over them."""
    params = log_params(run)
    shown = set(known)
    for name, query in views(known, params):
        if all_tables()[name].checks:
            run.spark.sql(query).createOrReplaceTempView(name)
            shown.add(name)
    tables = [table for name, table in all_tables().items() if name in shown]
    return [
        Finding(
            f"{result.check.table}: {result.check.name.replace('_', ' ')}",
            "0 bad rows",
            f"{result.bad_rows} bad rows",
            result.bad_rows == 0,
            result.check.severity,
        )
        for result in run_checks(run.spark, tables, params)
    ]


def content_hashes(run: Run, known: list[str]) -> dict[str, Fingerprint]:
    """Fingerprint of every stored table, load bookkeeping left out."""
    return {
        name: fingerprint(run.warehouse.read(name), all_tables()[name].contract.unhashed)
        for name in known
    }


def render_findings(findings: list[Finding]) -> str:
    """The findings as an aligned table."""
    width = max(len(finding.name) for finding in findings)
    lines = [f"{'what must hold':<{width}}  {'expected':>18}  {'found':>18}"]
    for finding in findings:
        verdict = "ok" if finding.passed else ("FAIL" if finding.failed else "warn")
        cells = f"{finding.name:<{width}}  {finding.expected:>18}  {finding.found:>18}"
        lines.append(f"{cells}  {verdict}")
    return "\n".join(lines)


def render_hashes(hashes: dict[str, Fingerprint]) -> str:
    """The content hash of each table as an aligned table."""
    width = max(len(name) for name in hashes)
    lines = [f"{'table':<{width}}  {'rows':>13}  content hash"]
    lines += [f"{name:<{width}}  {fp.rows:>13,}  {fp.digest}" for name, fp in hashes.items()]
    return "\n".join(lines)
