"""Who may go on, as the routes of the admin API ask for it: signed in, and with the right to what the route does."""

from typing import Annotated

from fastapi import Depends

from models.inquiry import Actor
from starter.admin.rights import admitted

Caller = Annotated[Actor, Depends(admitted)]
Commander = Caller
Holder = Caller
"""The actor of a request. What each role may do on which route stands in `models.rights` and `starter.admin.rights`."""
