"""Prove that the tables agree with each other, and print a content hash of each.

With --engines: what Spark and Sail make of the bronze tables, in folders of their own, as read by
either. With --realism: a sample of the shop beside real shops (conf/realism.yaml).
Reads: every stored table.
Writes: nothing; with --realism <warehouse>/report/realism.png and .csv.
Command: ./spark-submit.sh verify [--engine sail | --engines | --realism]
"""

from __future__ import annotations

import argparse

from jobs.core.entry import Job, Run, main
from jobs.proof import realism, verify
from jobs.proof.engines import compare_engines
from jobs.proof.verify_request import add_arguments, check
from jobs.reporting.realism_chart import write_chart


def execute(run: Run, args: argparse.Namespace) -> int:
    """Print the evidence; a failed finding makes the exit code 3."""
    if args.realism:
        return compare_with_real_shops(run)
    return prove_engines(run) if args.engines else prove_tables(run)


def prove_engines(run: Run) -> int:
    """Print whether both engines make the same tables."""
    evidence = verify.Evidence(compare_engines(run), {})
    print(verify.render_findings(evidence.findings))
    verify.require(evidence)
    return 0


def prove_tables(run: Run) -> int:
    """Print what the stored tables say of each other."""
    evidence = verify.gather(run)
    print(verify.render_findings(evidence.findings))
    print()
    print(verify.render_hashes(evidence.hashes))
    print()
    print(evidence.verdict)
    verify.require(evidence)
    return 0


def compare_with_real_shops(run: Run) -> int:
    """Print target against reached, and draw it."""
    found = realism.measure(run)
    print(realism.render(found))
    folder = run.warehouse.root / "report"
    for path in write_chart(folder, realism.as_frame(found), found.last_day):
        print(path)
    realism.require(found)
    return 0


if __name__ == "__main__":
    main(Job("verify", __doc__, execute, add_arguments, check, locks=False, records=False))
