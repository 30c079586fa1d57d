"""Taking a backup: the records at one moment, then the files, in one archive that appears whole or not at all."""

import io
import os
import secrets
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import BinaryIO, cast

from keys import KeyRing
from models.errors import SettingsError
from records.copying import Copy, Progress, copy_out
from starter.keeping.manifest import Manifest, chains_text, file_hash, names_hash, stream_hash
from starter.keeping.sealing import Sealer

MANIFEST, CHAINS, FILES = "manifest.json", "chains.tsv", "documents"
SAID_EVERY = 500
"""Files between two words of progress."""


def place_of(where: Path, at: datetime) -> Path:
    """Return the file that a backup goes to: `where`, or a name of its own in that folder. SettingsError if taken."""
    file = where / f"plazo-{at:%Y%m%dT%H%M%SZ}.backup" if where.is_dir() else where
    if file.exists():
        raise SettingsError(f"{file}: is there already; a backup never takes another's place")
    if not file.parent.is_dir():
        raise SettingsError(f"{file.parent}: there is no such folder")
    return file


def take(
    records_url: str, documents: Path, file: Path, ring: KeyRing | None, *, at: datetime, told: Progress
) -> Manifest:
    """Write the backup of moment `at` to `file`, sealed where a ring is given. Others may go on writing meanwhile.

    The records come first and the files after them: a file is there before its row is, so every row of the copy finds
    its own but where an erasure took it in between. Raises RecordsUnavailable, SettingsError.
    """
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        # Beside the backup: there is room for it, and nobody else reads there.
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".plazo-") as folder:
            copy = copy_out(records_url, Path(folder), told)
            with _opened(beside, ring) as target, tarfile.open(fileobj=target, mode="w|gz") as archive:
                manifest = _fill(archive, copy, documents, at, told)
        beside.replace(file)
    except OSError as error:
        raise SettingsError(f"{file}: the backup cannot be written ({error.strerror})") from None
    finally:
        beside.unlink(missing_ok=True)
    return manifest


def _fill(archive: tarfile.TarFile, copy: Copy, documents: Path, taken_at: datetime, told: Progress) -> Manifest:
    archive.add(copy.file, copy.file.name)
    found = copy.figures
    chains = chains_text(found.chains)
    _add(archive, CHAINS, chains)
    kept = []
    for n, path in enumerate(_files(documents), 1):
        try:
            archive.add(path, f"{FILES}/{path.name}", recursive=False)
        except FileNotFoundError:  # erased since it was listed
            continue
        kept.append(path.name)
        if n % SAID_EVERY == 0:
            told(f"files: {n}")
    manifest = Manifest(
        taken_at=taken_at,
        version=_version(),
        records=copy.file.name,
        migration=found.migration,
        counts=found.counts,
        records_sha256=file_hash(copy.file),
        chains_sha256=stream_hash(io.BytesIO(chains)),
        files=len(kept),
        files_sha256=names_hash(kept),
        absent=len(found.paths - set(kept)),
    )
    _add(archive, MANIFEST, manifest.model_dump_json(indent=2).encode())
    return manifest


def _version() -> str:
    try:
        return version("plazo")
    except PackageNotFoundError:  # an image carries the code and does not install it
        return "unknown"


def _files(documents: Path) -> Iterator[Path]:
    """The kept files, by name; drafts that a process is writing begin with a dot."""
    return (path for path in sorted(documents.glob("??/*")) if not path.name.startswith("."))


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


@contextmanager
def _opened(path: Path, ring: KeyRing | None) -> Iterator[BinaryIO]:
    """The file, its owner's alone, forced to disk at the end."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        if ring is None:
            yield file
        else:
            sealer = Sealer(file, ring)
            yield cast("BinaryIO", sealer)
            sealer.close()
        file.flush()
        os.fsync(file.fileno())
