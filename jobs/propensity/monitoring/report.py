"""What was found, as lines to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.propensity.monitoring.findings import Finding
    from jobs.propensity.monitoring.flow import Monitored

_HEAD = ("target", "check", "feature", "judged", "value", "expected", "limits")
# Shown though no alarm: what one looks at every day.
_ALWAYS = ("expected", "realised", "realised_week")


def render(monitored: Monitored) -> str:
    """Lines with every alarm first, then what is expected of the scores and what came true."""
    found = monitored.findings
    alarms = [finding for finding in found if finding.is_alarm]
    judged = [f for f in found if f.low is not None or f.high is not None]
    title = f"{len(alarms)} alarms in {len(judged)} checks of {monitored.as_of}"
    parts = [title, "-" * len(title)]
    if alarms:
        parts += [_table(alarms), ""]
    usual = [f for f in found if f.check_name in _ALWAYS and not f.is_alarm]
    return "\n".join([*parts, _table(usual)]).rstrip()


def _table(found: list[Finding]) -> str:
    lines = [_HEAD, *(_line(finding) for finding in found)]
    return columns(lines) if found else ""


def columns(lines: list[tuple[str, ...]]) -> str:
    """Lines of cells, each column as wide as its widest cell."""
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _line(finding: Finding) -> tuple[str, ...]:
    limits = ""
    if finding.low is not None or finding.high is not None:
        limits = f"{_number(finding.low)} to {_number(finding.high)}"
    return (
        finding.target,
        finding.check_name,
        finding.feature,
        str(finding.judged_as_of),
        _number(finding.value),
        _number(finding.reference),
        limits,
    )


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
