"""Prove that the tables agree with each other, and print a content hash of each.

With --engines: build every table on Spark and on Sail in a folder of its own, from the bronze
tables of the warehouse, and compare what either wrote, as read by either. With --realism: make a
sample of the shop that the settings describe, and print its figures beside those of real shops
(conf/realism.yaml). The warehouse is not read then.

Reads: every stored table.
Writes: nothing; with --realism <warehouse>/report/realism.png and .csv.
Command: ./spark-submit.sh verify [--engine sail | --engines | --realism]
"""

from __future__ import annotations

import argparse

from jobs.core.config import Config
from jobs.core.entry import Job, Run, add_engine, main
from jobs.core.errors import UsageError
from jobs.proof import realism, verify
from jobs.proof.engines import compare_engines
from jobs.reporting.realism_chart import write_chart


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the choices of what is proved, and by what engine."""
    add_engine(parser)
    parser.add_argument(
        "--engines",
        action="store_true",
        help="compare what Spark and Sail make of the bronze tables, instead of the tables",
    )
    parser.add_argument(
        "--realism",
        action="store_true",
        help="compare the shop's figures with those of real shops, instead of the tables",
    )


def execute(run: Run, args: argparse.Namespace) -> int:
    """Print the evidence; a failed finding makes the exit code 3."""
    if args.engines:
        return prove_engines(run)
    return compare_with_real_shops(run) if args.realism else prove_tables(run)


def check(args: argparse.Namespace, config: Config) -> None:
    """Refuse options that do not go together."""
    if args.engines + args.realism > 1:
        raise UsageError("give either --engines or --realism")
    if args.engine != "spark" and (args.engines or args.realism):
        raise UsageError("--engines and --realism start Spark: leave --engine out")


def prove_engines(run: Run) -> int:
    """Print whether both engines make the same tables."""
    findings = compare_engines(run)
    print(verify.render_findings(findings))
    verify.require(verify.Evidence(findings, {}))
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
