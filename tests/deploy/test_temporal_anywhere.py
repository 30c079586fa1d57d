"""Temporal somewhere else: certificates of both sides, API keys, profiles; nothing but the environment changes."""

import asyncio
import ssl
import sysconfig
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from temporalio.testing import WorkflowEnvironment

from engine import connect
from models.errors import EngineUnavailable
from settings import Settings
from tests.waiting import UP

TEMPORAL = str(Path(sysconfig.get_path("scripts")) / "temporal")
VARIABLES = ("TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_API_KEY", "TEMPORAL_PROFILE", "PLAZO_TEMPORAL")


def certificates(folder: Path) -> None:
    """An authority, and a certificate of it for each side: `ca`, `server`, `client`, as .pem and .key."""
    authority = ec.generate_private_key(ec.SECP256R1())
    root = _issue(folder, "ca", authority, None, authority)
    for name in ("server", "client"):
        _issue(folder, name, ec.generate_private_key(ec.SECP256R1()), root, authority)


def _issue(
    folder: Path,
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    signer: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(signer, hashes.SHA256())
    )
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / f"{name}.key").write_bytes(private)
    return made


@asynccontextmanager
async def behind_tls(folder: Path, address: str) -> AsyncIterator[str]:
    """A door in front of a Temporal server that lets in whoever shows a certificate of the authority; its address."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(folder / "ca.pem"))
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])
    host, _, port = address.rpartition(":")
    pumps: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except (OSError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def let_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, int(port))
        pumps.update({asyncio.create_task(pump(reader, back)), asyncio.create_task(pump(there, writer))})

    server = await asyncio.start_server(let_in, "127.0.0.1", 0, ssl=context)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in pumps:
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


async def test_certificates_of_both_sides_by_variables_or_by_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificates(tmp_path)
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "none.toml"))
    settings = Settings(var=tmp_path)
    async with (
        await WorkflowEnvironment.start_local(
            dev_server_startup_timeout=UP, dev_server_existing_path=TEMPORAL, ip="127.0.0.1"
        ) as env,
        behind_tls(tmp_path, env.client.service_client.config.target_host) as door,
    ):
        monkeypatch.setenv("TEMPORAL_ADDRESS", door)
        with pytest.raises(EngineUnavailable):
            await connect(settings)  # in clear
        monkeypatch.setenv("TEMPORAL_TLS_SERVER_CA_CERT_PATH", str(tmp_path / "ca.pem"))
        with pytest.raises(EngineUnavailable):
            await connect(settings)  # with no certificate of our own
        monkeypatch.setenv("TEMPORAL_TLS_CLIENT_CERT_PATH", str(tmp_path / "client.pem"))
        monkeypatch.setenv("TEMPORAL_TLS_CLIENT_KEY_PATH", str(tmp_path / "client.key"))
        assert await (await connect(settings)).service_client.check_health()

        for name in ("ADDRESS", "TLS_SERVER_CA_CERT_PATH", "TLS_CLIENT_CERT_PATH", "TLS_CLIENT_KEY_PATH"):
            monkeypatch.delenv(f"TEMPORAL_{name}")
        profile = tmp_path / "temporal.toml"
        profile.write_text(
            f"""
[profile.roxom]
address = "{door}"
namespace = "default"
[profile.roxom.tls]
server_ca_cert_path = "{tmp_path}/ca.pem"
client_cert_path = "{tmp_path}/client.pem"
client_key_path = "{tmp_path}/client.key"
"""
        )
        monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(profile))
        monkeypatch.setenv("TEMPORAL_PROFILE", "roxom")
        client = await connect(settings)
        assert await client.service_client.check_health()
        assert client.data_converter.payload_codec is not None  # sealed all the same


async def test_an_api_key_goes_with_tls_and_the_namespace_of_its_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "none.toml"))
    monkeypatch.setenv("TEMPORAL_ADDRESS", "us-east-1.aws.api.temporal.io:7233")
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "plazo.a1b2c")
    monkeypatch.setenv("TEMPORAL_API_KEY", "a key")
    client = await connect(Settings(var=tmp_path), lazy=True)
    assert client.namespace == "plazo.a1b2c"
    assert client.service_client.config.target_host == "us-east-1.aws.api.temporal.io:7233"
    assert client.service_client.config.api_key == "a key"
    assert client.service_client.config.tls
