"""Look at everything a run needs, from Python to a Delta table written and read back.

Reads: the environment, conf/constraints.txt, conf/jars.lock.
Writes: nothing that stays.
Command: ./spark-submit.sh doctor
"""

from __future__ import annotations

import argparse

from jobs.core.entry import Job, Run, main
from jobs.core.environment import examine, render
from jobs.core.errors import SetupError


def execute(run: Run, args: argparse.Namespace) -> int:
    """Print the findings; one that will not do makes the exit code 7."""
    findings = examine(run.spark, run.warehouse.root)
    print(render(findings))
    faults = [finding.name for finding in findings if not finding.is_ok]
    if faults:
        raise SetupError(f"will not do: {', '.join(faults)}; the remedies stand above")
    return 0


if __name__ == "__main__":
    main(Job("doctor", __doc__, execute, locks=False, records=False))
