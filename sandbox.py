"""The sandbox in which every workflow runs: what it takes from the host, and what it need not be entered for."""

import sys
from collections.abc import Sequence
from functools import cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import SerializationContext, StorageDriverStoreContext, WorkflowSerializationContext
from temporalio.worker import WorkflowRunner
from temporalio.worker._command_aware_visitor import CommandInfo
from temporalio.worker._workflow_instance import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.worker.workflow_sandbox._runner import _Instance
from temporalio.workflow import SandboxImportNotificationPolicy

from tracing import is_tracing, reference_in, step

PASSED_THROUGH = ("models", "workflows.options")
"""Ours that the sandbox takes from the host instead of loading them anew for every workflow (4 ms against 18)."""


TOLD_OF_NOTHING = frozenset({"query_workflow", "remove_from_cache"})
"""What a workflow may be asked without taking a step."""


def sandboxed(runner: WorkflowRunner | None) -> WorkflowRunner:
    """Tighten the sandbox: an import that nobody passed through on purpose stops the worker at its start.

    A runner that is no sandbox (measurements use one) is left alone.
    """
    if runner is not None and not isinstance(runner, SandboxedWorkflowRunner):
        return runner
    if not any(isinstance(finder, OnceReadFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, OnceReadFinder())
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    return CaseRunner(
        restrictions=restrictions.with_import_notification_policy(
            SandboxImportNotificationPolicy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH
        )
    )


class CaseRunner(SandboxedWorkflowRunner):
    """A sandbox that is not entered for what is known outside of it."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Return a new workflow in its sandbox."""
        return CaseInstance(det, self.runner_class, self.restrictions)


class CaseInstance(_Instance):
    """One workflow in its sandbox, whose payloads all belong to itself: it has no children and signals nobody.

    The SDK asks it several times with every payload whose it is, and enters the sandbox for the answer, which took a
    fifth of a worker's time. It has no setting for that.
    """

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """Take a step; where traces are wanted it is told once, so not in a replay."""
        if act.is_replaying or not is_tracing():
            return super().activate(act)
        jobs = {str(job.WhichOneof("variant")) for job in act.jobs} - TOLD_OF_NOTHING
        told = reference_in(self.get_info().workflow_id) if jobs else ""
        with step("workflow step", told, jobs=", ".join(sorted(jobs))):
            return super().activate(act)

    def get_serialization_context(self, command_info: CommandInfo | None) -> SerializationContext | None:  # noqa: ARG002
        """Say whose a payload is: this workflow's, activities' included, as the codec wants to know it."""
        info = self.get_info()
        return WorkflowSerializationContext(namespace=info.namespace, workflow_id=info.workflow_id)

    def get_external_store_context(self, command_info: CommandInfo | None) -> StorageDriverStoreContext:  # noqa: ARG002
        """Say that no payload is stored elsewhere."""
        return StorageDriverStoreContext(target=None)


class OnceRead(SourceFileLoader):
    """Reads a module's code once and runs it anew in every sandbox.

    A case in memory needs no copy of the code of its own then, none is read or, where no bytecode is written, compiled
    for each case, and files that change under a running worker never mix with those it began with.
    """

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the code, from memory after the first time."""
        return _code(fullname, self.path)


@cache
def _code(name: str, path: str) -> CodeType | None:
    return SourceFileLoader(name, path).get_code(name)


class OnceReadFinder(MetaPathFinder):
    """Finds the modules of `workflows`, which the sandbox loads anew for every case."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the module's usual spec with the loader above; None for all other packages."""
        if fullname.partition(".")[0] != "workflows":
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = OnceRead(fullname, spec.loader.path)
        return spec
