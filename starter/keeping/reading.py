"""Reading a backup: everything is laid out in a folder and held against its manifest before anything is put back."""

import shutil
import tarfile
import zlib
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from keys import KeyRing
from models.errors import SettingsError
from records.copying import POSTGRESQL, SQLITE, Progress
from starter.keeping.manifest import Manifest, file_hash, names_hash, read_manifest
from starter.keeping.sealing import Opener, is_sealed
from starter.keeping.taking import CHAINS, FILES, MANIFEST, SAID_EVERY

LONGEST_NAME = 100


class Laid(NamedTuple):
    """A backup laid out and found whole: its manifest, the copy of the records, the folder of files."""

    manifest: Manifest
    records: Path
    files: Path


def lay_out(file: Path, folder: Path, ring: KeyRing, told: Progress) -> Laid:
    """Unpack the backup into `folder`, which is empty, and check every part. Raises SettingsError; nothing else."""
    (folder / FILES).mkdir()
    try:
        with file.open("rb") as stored:
            beginning = stored.read(len(b'{"format": "plazo-sealed'))
            stored.seek(0)
            source = cast("BinaryIO", Opener(stored, ring)) if is_sealed(beginning) else stored
            with tarfile.open(fileobj=source, mode="r|gz") as archive:
                _unpack(archive, folder, told)
    except (tarfile.TarError, EOFError, zlib.error):
        raise SettingsError(f"{file}: this is no backup of ours, or it is damaged or cut off") from None
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read or unpacked ({error.strerror or 'damaged'})") from None
    return _checked(folder)


def _unpack(archive: tarfile.TarFile, folder: Path, told: Progress) -> None:
    for n, member in enumerate(archive, 1):
        inside = archive.extractfile(member) if member.isfile() else None
        if inside is None or not _ours(member.name):
            raise SettingsError(f"the backup holds {member.name[:LONGEST_NAME]!r}, which is no part of one")
        with (folder / member.name).open("xb") as target:
            shutil.copyfileobj(inside, target)
        if n % SAID_EVERY == 0:
            told(f"unpacked: {n} parts")


def _ours(name: str) -> bool:
    folder, _, own = name.rpartition("/")
    if folder == FILES:
        return own.isalnum()
    return name in {SQLITE, POSTGRESQL, CHAINS, MANIFEST}


def _checked(folder: Path) -> Laid:
    place = folder / MANIFEST
    if not place.exists():
        raise SettingsError("the backup has no manifest: it was cut off while it was taken")
    manifest = read_manifest(place.read_bytes())
    records = folder / manifest.records
    if manifest.records not in {SQLITE, POSTGRESQL} or not records.exists() or not (folder / CHAINS).exists():
        raise SettingsError("the backup lacks a part that its manifest names")
    names = [path.name for path in (folder / FILES).iterdir()]
    wrong = [name for name in names if file_hash(folder / FILES / name) != name]
    hashes = (file_hash(records), file_hash(folder / CHAINS), names_hash(names))
    if wrong or hashes != (manifest.records_sha256, manifest.chains_sha256, manifest.files_sha256):
        raise SettingsError("the backup is damaged: a part is not what its manifest says; take another one")
    return Laid(manifest, records, folder / FILES)
