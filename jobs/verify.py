"""Prove that the tables agree with each other, and print a content hash of each.

Reads: every stored table.
Writes: nothing.
Command: ./spark-submit.sh verify
"""

from __future__ import annotations

import argparse

from jobs.core.entry import Job, Run, main
from jobs.proof import verify


def execute(run: Run, args: argparse.Namespace) -> int:
    """Print the evidence; a failed finding makes the exit code 3."""
    evidence = verify.gather(run)
    print(verify.render_findings(evidence.findings))
    print()
    print(verify.render_hashes(evidence.hashes))
    print()
    print(evidence.verdict)
    verify.require(evidence)
    return 0


if __name__ == "__main__":
    main(Job("verify", __doc__, execute, locks=False, records=False))
