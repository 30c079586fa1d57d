"""The wire: the orders of daily work at the desk. An unknown field is an error; fields are only ever added."""

from models.messages import Number, Order, Reasons, When


class SetFollowUp(Order):
    """Look at the case again on a date. A bare date means the working hour of that business day, or of the next one."""

    on: When
    note: Reasons


class FollowUpDone(Order):
    """Somebody has looked; `note` says what came of it."""

    follow_up: Number
    note: Reasons | None = None
