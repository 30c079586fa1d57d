"""Where settings are read beside the environment: a file of variables and a folder of secrets, each only if named."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from models.errors import SettingsError

PREFIX = "PLAZO_"


def named_file(env_file: Path | None) -> Path | str | None:
    """Return the file of variables that is named, here or in the environment. Raises SettingsError."""
    named = env_file or os.environ.get(f"{PREFIX}ENV_FILE") or None
    if named is not None and not Path(named).is_file():
        raise SettingsError(f"{named}: there is no such file of settings; correct the name, or unset {PREFIX}ENV_FILE")
    return named


def named_folder() -> str | None:
    """Return the folder of secrets that the environment names, each readable. Raises SettingsError."""
    named = os.environ.get(f"{PREFIX}SECRETS_DIR") or None
    if named is None:
        return None
    if not Path(named).is_dir():
        raise SettingsError(f"{named}: there is no such folder; correct the name, or unset {PREFIX}SECRETS_DIR")
    for file in Path(named).glob(f"{PREFIX.lower()}*"):
        if not os.access(file, os.R_OK):
            raise SettingsError(f"{file}: this process may not read it; let it, or remove the file")
        if not file.stat().st_size:
            raise SettingsError(f"{file}: is empty; fill it, or remove the file")
    return named


def secret_file(name: str) -> Path | None:
    """Return the file of a secret setting in the folder of secrets, where it is there."""
    folder = named_folder()
    file = Path(folder) / f"{PREFIX.lower()}{name}" if folder else None
    return file if file is not None and file.is_file() else None


@contextmanager
def told(prefix: str, named: Path | str | None) -> Iterator[None]:
    """Turn what pydantic finds into one SettingsError that names the variables."""
    try:
        yield
    except ValidationError as error:
        where = f"the environment and {named}" if named else "the environment"
        lines = [
            f"{prefix}{str(problem['loc'][0]).upper()}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors(include_url=False, include_context=False, include_input=False)
            # Not a fault of its own: its default hangs on a setting that is listed already.
            if problem["type"] != "default_factory_not_called"
        ]
        raise SettingsError(f"{where} does not add up; set or correct:\n  " + "\n  ".join(lines)) from None
