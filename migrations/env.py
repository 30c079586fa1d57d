"""Alembic's entry: which database, which tables."""

from typing import Any, Literal

from alembic import context
from sqlmodel import SQLModel

import models.tables  # noqa: F401  fills the metadata
from models.tables.base import UtcTime
from records.database import open_engine
from records.postgresql import check
from settings import load_settings


def render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our own column type as what it is in the database: a migration must not change when our code does."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcTime) else False


def belongs(item: Any, _name: str | None, kind: str, reflected: bool, _other: Any) -> bool:  # noqa: FBT001  Alembic's
    """Say whether the database at hand should have it: some indexes are of one of the two alone."""
    here = context.get_context().dialect.name
    return reflected or kind != "index" or item.info.get("only", here) == here


def run() -> None:
    """Migrate the database named by the caller, else by the settings, in one transaction; or only write the SQL."""
    url = context.config.attributes.get("url") or load_settings().records_url
    if context.is_offline_mode():
        context.configure(url=url, target_metadata=SQLModel.metadata)
        with context.begin_transaction():
            context.run_migrations()
        return
    engine = open_engine(url, migrating=True)
    try:
        with engine.connect() as connection:
            context.configure(
                connection=connection,
                target_metadata=SQLModel.metadata,
                render_as_batch=True,
                render_item=render,
                include_object=belongs,
                transactional_ddl=True,
            )
            with context.begin_transaction():
                if connection.dialect.name == "postgresql":
                    check(connection)
                context.run_migrations()
    finally:
        engine.dispose()


run()
