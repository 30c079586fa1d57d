"""What every view of the admin API is, and the view of whoever asks."""

from pydantic import BaseModel, ConfigDict


class View(BaseModel):
    """The root of all views; read from rows and values by name."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class Me(View):
    """Whose key this is."""

    id: str
    role: str
    may_command: bool
