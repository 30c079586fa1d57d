"""The workflow's module is read once, and still loaded anew for every case."""

import sys
from types import FunctionType

from temporalio.worker.workflow_sandbox import SandboxRestrictions
from temporalio.worker.workflow_sandbox._importer import Importer
from temporalio.worker.workflow_sandbox._restrictions import RestrictionContext

from sandbox import PASSED_THROUGH, OnceReadFinder, sandboxed

MODULE = "workflows.inquiry"


def loaded() -> type:
    importer = Importer(
        SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH),
        RestrictionContext(),
        workflow_module_name=MODULE,
    )
    found: dict[str, type] = {}
    exec(f"with importer.applied():\n  from {MODULE} import InquiryWorkflow", {"importer": importer}, found)  # noqa: S102
    return found["InquiryWorkflow"]


def run_of(workflow: type) -> FunctionType:
    run = workflow.__dict__["run"]
    assert isinstance(run, FunctionType)
    return run


def test_two_cases_share_the_code_and_nothing_else() -> None:
    sandboxed(None)
    first, second = loaded(), loaded()
    assert first is not second
    assert run_of(first) is not run_of(second)
    assert run_of(first).__globals__ is not run_of(second).__globals__
    assert run_of(first).__code__ is run_of(second).__code__


def test_it_is_set_up_once_and_leaves_other_packages_alone() -> None:
    sandboxed(None)
    sandboxed(None)
    (finder,) = [one for one in sys.meta_path if isinstance(one, OnceReadFinder)]
    assert finder.find_spec("models.case", None) is None
    assert finder.find_spec("workflows.nothing", []) is None
