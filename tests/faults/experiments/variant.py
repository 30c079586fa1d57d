"""`python -m tests.faults.experiments.variant clock 2 | careless`: a worker that is not as it should be.

`clock` has it read a wall clock that is so many hours off; `careless` runs code under which running cases cannot go on.
"""

import os
import sys
from datetime import datetime, timedelta

import worker
from tests.replay.changed import OneTimerMore


def main() -> int:
    """Spoil the worker, and let it work."""
    kind, *arguments = sys.argv[1:]
    if kind == "clock":
        off, right = timedelta(hours=int(arguments[0])), worker.now

        def wrong() -> datetime:
            return right() + off

        worker.now = wrong
    else:
        vars(worker)["InquiryWorkflow"] = OneTimerMore
    return worker.main()


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # The engine's client can abort the interpreter at its exit.
    os._exit(code)
