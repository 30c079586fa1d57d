"""Alembic's entry: which database, which tables."""

from alembic import context
from sqlmodel import SQLModel

import models.tables  # noqa: F401  fills the metadata
from records.database import open_engine
from settings import load_settings


def run() -> None:
    """Migrate the database named by the caller, else by the settings, in one transaction."""
    url = context.config.attributes.get("url") or load_settings().records_url
    engine = open_engine(url, create=True)
    try:
        with engine.connect() as connection:
            context.configure(
                connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True, compare_type=True
            )
            with context.begin_transaction():
                context.run_migrations()
    finally:
        engine.dispose()


run()
