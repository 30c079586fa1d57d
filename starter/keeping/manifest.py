"""What a backup says of itself: when, of what, by which version, and the SHA-256 of each of its parts."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from models.errors import SettingsError
from records.copying import Chain

FORMAT = 1
PIECE = 1 << 20


class Manifest(BaseModel):
    """A backup in figures. `taken_at` is the moment of the copy, aware UTC; hashes are SHA-256, hex.

    `chains` is the hash of the part `chains.tsv`, in which every inquiry's ledger stands with its last number and hash;
    `files` that of the files' names, which are their own hashes, sorted, one a line. `absent` counts the files that the
    records name and nobody had when it was taken.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: int = FORMAT
    taken_at: AwareDatetime
    version: str
    records: str
    migration: str
    counts: dict[str, int]
    records_sha256: str
    chains_sha256: str
    files: int
    files_sha256: str
    absent: int


def read_manifest(text: bytes) -> Manifest:
    """Read a manifest. SettingsError where it is none, or one of a later version."""
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError:
        raise SettingsError("this is no backup of ours: its manifest cannot be read") from None
    if manifest.format > FORMAT:
        raise SettingsError(f"the backup has format {manifest.format}, later than this version knows; upgrade first")
    return manifest


def chains_text(chains: Iterable[Chain]) -> bytes:
    """Write where every chain ends: reference, number and hash, one a line."""
    return "".join(f"{one.reference}\t{one.seq}\t{one.head}\n" for one in chains).encode()


def names_hash(names: Iterable[str]) -> str:
    """Hash the files' names."""
    return hashlib.sha256("".join(f"{name}\n" for name in sorted(names)).encode()).hexdigest()


def file_hash(path: Path) -> str:
    """Hash a file."""
    with path.open("rb") as file:
        return stream_hash(file)


def stream_hash(stream: BinaryIO) -> str:
    """Hash what is left of a stream."""
    digest = hashlib.sha256()
    while piece := stream.read(PIECE):
        digest.update(piece)
    return digest.hexdigest()
