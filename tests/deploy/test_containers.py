"""docker-compose.yml and the image, as far as they can be tried without a container engine."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from environment import PREFIX
from models.search import cli_arguments
from settings import Section, Settings
from starter.house.residents import RETENTION
from tracing import ENDPOINTS

HOUSE = Path(__file__).parents[2]
TEXT = (HOUSE / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (HOUSE / "Dockerfile").read_text(encoding="utf-8")
OURS = {name for name, service in SERVICES.items() if "build" in service}
ONCE = {"temporal-schema", "temporal-namespace", "migrate"}
SECRET = re.compile(r"PASSWORD|SECRET|PWD|TOKEN|API_KEY|KEYS$")


def stages() -> dict[str, set[str]]:
    """What each stage of the image copies from the repository."""
    found: dict[str, set[str]] = {}
    for stage in re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]:
        name = re.match(r"\S+ AS (\w+)", stage)
        if name:
            base = found.get(stage.split()[0], set())
            found[name[1]] = base | set(re.findall(r"^COPY (?!--from)(\S+)", stage, flags=re.MULTILINE))
    return found


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """A folder of secrets, as a deployment makes it."""
    folder = tmp_path / "secrets"
    for _ in range(2):
        subprocess.run(["sh", "deploy/secrets.sh", str(folder)], cwd=HOUSE, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize(
    "arguments", [(), ("--profile=codec", "--profile=obs"), ("--env-file=deploy/dev.env", "--profile=dev")]
)
def test_the_file_holds_against_the_specification(arguments: tuple[str, ...], secrets: Path) -> None:
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("NO DOCKER-COMPOSE FOUND: install Debian's `docker-compose`, which needs no engine to check a file")
    said = subprocess.run(
        [program, *arguments, "config"],
        cwd=HOUSE,
        env={"PATH": os.environ["PATH"], "HOME": str(secrets), "PLAZO_SECRETS": str(secrets)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    assert "not set" not in said.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_pinned_confined_and_bounded(name: str) -> None:
    service = SERVICES[name]
    tag = service["image"].rpartition(":")[2]
    assert name in OURS or re.fullmatch(r"v?\d+\.\d+(\.\d+)?(-alpine)?", tag)
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is (name != "temporal-ui")
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
    assert service["restart"] == ("on-failure" if name in ONCE else "unless-stopped")
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_stands_in_the_environment(name: str) -> None:
    for variable, value in SERVICES[name].get("environment", {}).items():
        if SECRET.search(variable):
            assert str(value).startswith("/run/secrets/"), variable
    for secret in SERVICES[name].get("secrets", []):
        assert secret in COMPOSE["secrets"]


def test_every_secret_is_made(secrets: Path) -> None:
    for secret in COMPOSE["secrets"].values():
        assert (secrets / Path(secret["file"]).name).stat().st_size
    assert (secrets / "records_password").read_text() in (secrets / "plazo" / "plazo_records_url").read_text()
    assert not secrets.stat().st_mode & 0o077


def variables() -> Iterator[str]:
    for service in SERVICES.values():
        yield from service.get("environment", {})
    yield from re.findall(r"^([A-Z_]+)=", (HOUSE / "deploy" / "dev.env").read_text(), flags=re.MULTILINE)
    yield from (path.upper() for path in re.findall(r"plazo/(\w+)", (HOUSE / "deploy" / "secrets.sh").read_text()))


def sections(of: type[Section] = Section) -> Iterator[type[Section]]:
    """The settings of channels."""
    for one in of.__subclasses__():
        yield one
        yield from sections(one)


def test_every_variable_of_ours_is_a_setting() -> None:
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    for path in HOUSE.glob("channels/*/settings.py"):
        import_module(f"channels.{path.parent.name}.settings")
    known |= {f"{one.model_config.get('env_prefix')}{name}".upper() for one in sections() for name in one.model_fields}
    ours = {name for name in variables() if name.startswith(PREFIX)}
    assert ours <= known | {f"{PREFIX}SECRETS_DIR", f"{PREFIX}IMAGE"}
    others = {f"{PREFIX}SECRETS", f"{PREFIX}IMAGE", ENDPOINTS[-1]}
    assert set(re.findall(r"\$\{(\w+)", TEXT)) <= known | others


def test_every_file_that_is_named_is_there() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source, _, target = volume.partition(":")
            if source.startswith("./"):
                assert (HOUSE / source).exists(), source
            elif not source.startswith("$"):
                assert source in COMPOSE["volumes"]
            if target.startswith("/deploy"):
                for named in re.findall(r"['=]/deploy/([\w.]+)", str(service)):
                    assert (HOUSE / source / named).is_file()
    for script in (HOUSE / "deploy").rglob("*.sh"):
        subprocess.run(["sh", "-n", str(script)], check=True)
    for file in (HOUSE / "deploy").glob("[to]*/**/*.y*ml"):
        assert yaml.safe_load(file.read_text())


def test_prometheus_asks_every_process_by_the_same_names_as_the_example() -> None:
    folder = HOUSE / "deploy" / "observability"
    here, example = (yaml.safe_load((folder / name).read_text()) for name in ("containers.yml", "prometheus.yml"))
    assert [job["job_name"] for job in here["scrape_configs"]] == [job["job_name"] for job in example["scrape_configs"]]
    for job in here["scrape_configs"]:
        asked = job["dns_sd_configs"][0]
        (name,) = asked["names"]
        assert SERVICES[name]["environment"]["PLAZO_METRICS_PORT"] == str(asked["port"])
    assert "GF_SECURITY_ADMIN_PASSWORD__FILE" in SERVICES["grafana"]["environment"]


def test_what_is_waited_for_can_say_that_it_is_ready() -> None:
    for service in SERVICES.values():
        for needed, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[needed]
            else:
                assert needed in ONCE


def test_the_image_holds_what_its_commands_run() -> None:
    copied = stages()
    assert {service["build"]["target"] for service in (SERVICES[name] for name in OURS)} == {
        "${PLAZO_IMAGE:-production}"
    }
    assert {"production", "development"} <= set(copied)
    assert not {"counterparts", "tests"} & copied["production"]
    packages = {path.parent.name for path in HOUSE.glob("*/__init__.py")} - {"bench"}
    assert copied["development"] >= packages
    assert "USER plazo" in DOCKERFILE
    for name in OURS:
        module = SERVICES[name]["command"][2] if SERVICES[name]["command"][1] == "-m" else "worker"
        assert (HOUSE / module.replace(".", "/")).is_dir() or (HOUSE / f"{module.replace('.', '/')}.py").is_file()


def test_the_image_can_back_up_the_server_that_it_runs_beside() -> None:
    server = int(SERVICES["records"]["image"].partition(":")[2].partition(".")[0])
    (client,) = map(int, re.findall(r"postgresql-client-(\d+)", DOCKERFILE))
    assert client >= server
    for page in ("deployment.md", "operations.md"):
        assert f"of PostgreSQL {client}" in (HOUSE / "docs" / page).read_text(encoding="utf-8")
    # Debian 13, which these images are, is what brings that version.
    assert set(re.findall(r"^FROM (python:\S+)", DOCKERFILE, flags=re.MULTILINE)) == {"python:3.13-slim-trixie"}


def test_the_namespace_is_the_one_that_the_processes_want() -> None:
    script = (HOUSE / "deploy" / "temporal" / "namespace.sh").read_text()
    assert [f"{name}={kind}" for name, kind in re.findall(r"--name (\w+) --type (\w+)", script)] == cli_arguments()
    assert f"RETENTION={RETENTION}" in script
    assert SERVICES["temporal-namespace"]["environment"]["TEMPORAL_NAMESPACE"] == "plazo"
    assert all(SERVICES[name]["environment"]["PLAZO_NAMESPACE"] == "plazo" for name in OURS)
