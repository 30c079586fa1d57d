"""The workflow as a careless change would leave it, and as a careful one would: what the replay gate must tell apart.

Each stands for a new version of the code that meets a case which began under the old one.
"""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models.letters import Letter
    from models.work import RECORD, InquiryInput, Recording, Written
    from workflows.inquiry import InquiryWorkflow
    from workflows.options import STEP

A_MOMENT = timedelta(seconds=1)


@workflow.defn(name="Inquiry")
class OneTimerMore(InquiryWorkflow):
    @workflow.init
    def __init__(self, start: InquiryInput) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: InquiryInput) -> None:
        await workflow.sleep(A_MOMENT)
        await super().run(start)


@workflow.defn(name="Inquiry")
class OneActivityMore(InquiryWorkflow):
    @workflow.init
    def __init__(self, start: InquiryInput) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: InquiryInput) -> None:
        work = Recording(case=self.case)
        await workflow.execute_activity(RECORD, work, result_type=Written, start_to_close_timeout=STEP)
        await super().run(start)


@workflow.defn(name="Inquiry")
class OtherOrder(InquiryWorkflow):
    @workflow.init
    def __init__(self, start: InquiryInput) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: InquiryInput) -> None:
        await super().run(start)

    async def send(self, letter: Letter) -> None:
        if self.case.pending:
            await self.write_down()
        await super().send(letter)


@workflow.defn(name="Inquiry")
class OneStepLess(InquiryWorkflow):
    @workflow.init
    def __init__(self, start: InquiryInput) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: InquiryInput) -> None:
        await super().run(start)

    def show(self) -> None:
        self.describe()


@workflow.defn(name="Inquiry")
class OneTimerMorePatched(InquiryWorkflow):
    @workflow.init
    def __init__(self, start: InquiryInput) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: InquiryInput) -> None:
        if workflow.patched("one-timer-more"):
            await workflow.sleep(A_MOMENT)
        await super().run(start)


CARELESS = (OneTimerMore, OneActivityMore, OtherOrder, OneStepLess)
