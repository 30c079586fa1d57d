"""The key pair that signs the mailroom's posts, kept in its folder."""

import base64
import os
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)


def mailroom_private_key(folder: Path) -> EllipticCurvePrivateKey:
    """The key in `folder/private.pem`, made when missing together with `folder/public.key`.

    Of several processes that make it at once one wins, and all return the same key.
    """
    path = folder / "private.pem"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        made = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        _write_once(path, made)
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise TypeError(f"{path} holds no key of an elliptic curve; remove it and start again")
    if not (folder / "public.key").exists():
        _write_once(folder / "public.key", _shown(key).encode())
    return key


def mailroom_public_key(folder: Path) -> str:
    """The public key as SendGrid shows it, base64 of the DER SubjectPublicKeyInfo; makes the pair when missing."""
    return _shown(mailroom_private_key(folder))


def _shown(key: EllipticCurvePrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def _write_once(path: Path, content: bytes) -> None:
    """Make a file with mode 0600, whole or not at all, unless there is one already."""
    with NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as made:
        made.write(content)
    try:
        os.link(made.name, path)
    except FileExistsError:
        pass
    finally:
        Path(made.name).unlink()
