"""`plazo letters`, and who else tells of templates that wait: `policy check`, `doctor`, `plazo run`, the worker."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from models.errors import PolicyError
from models.inquiry import Language
from records import audit
from records.database import Database
from settings import Settings
from starter.checkup import house
from starter.house.run import prepare
from tests.cases import ROXOM
from tests.test_cli import Plazo
from tests.test_run import free_ports
from tests.test_settings import PRODUCTION
from worker import stationery, tell_of_waiting

BY = ("--by", "compliance-officer")


class Desk(Plazo):
    """The command line over a policy that may be changed."""

    def __init__(self, var: Path, records_url: str) -> None:
        super().__init__(var, records_url)
        self.policy = Path(shutil.copytree(ROXOM, var / "policy"))
        self._own["PLAZO_POLICY"] = str(self.policy)

    def rewrite(self, name: str, old: str, new: str) -> None:
        path = self.policy / "letters" / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def forget(self) -> None:
        """Nothing was ever approved."""
        (self.policy / "letters" / "approved.toml").unlink()


@pytest.fixture
def desk(tmp_path: Path, records_url: str) -> Desk:
    return Desk(tmp_path, records_url)


def changed(desk: Desk) -> None:
    """New words in both languages, of a new version."""
    for name, word in (("extension.es.letter", "explicarle por qué"), ("extension.en.letter", "version: 1.1")):
        desk.rewrite(name, word, word.replace("por qué", "el motivo"))
        desk.rewrite(name, "version: 1.1", "version: 1.2")


def test_new_words_are_read_compared_and_approved(desk: Desk) -> None:
    assert desk.run("letters", "diff") == ""
    changed(desk)
    rows = {(one["kind"], one["language"]): one for one in desk.data("letters", "list")}
    assert {kind for kind, one in rows.items() if one["standing"] == "changed since"} == {
        ("extension", "es"),
        ("extension", "en"),
    }
    assert rows["extension", "es"]["version"] == "1.2"
    assert "extension\tes\t1.2\tchanged since\tcompliance-officer\t" in desk.run("letters", "list")
    assert "queremos explicarle el motivo." in desk.run("letters", "show", "extension")
    difference = desk.run("letters", "diff", "extension", "--language", "es")
    assert "\n-version: 1.1\n+version: 1.2\n" in difference
    assert "extension.en" not in difference
    assert "extension.en as it stands" in desk.run("letters", "diff")
    assert desk.run("letters", "approve", "extension", "--language", "es", *BY, "--remark", "Clearer.") == (
        "extension.es 1.2: approved by compliance-officer\n"
    )
    assert "extension.en.letter: changed since" in desk.run("policy", "check")
    assert desk.run("letters", "approve", "--all", *BY) == "extension.en 1.2: approved by compliance-officer\n"
    assert desk.run("letters", "approve", "extension", *BY) == "all of it is approved as it stands\n"
    assert "changed since" not in desk.run("policy", "check")
    remarks = {one["language"]: one["remark"] for one in desk.data("letters", "list") if one["kind"] == "extension"}
    assert remarks == {"es": "Clearer.", "en": "-"}


@pytest.mark.parametrize(("kind", "language"), [("pointer", "en"), ("final_partial", "es"), ("digest", "en")])
def test_what_is_to_be_approved_is_shown_as_it_will_be_read(desk: Desk, kind: str, language: str) -> None:
    shown = desk.run("letters", "show", kind, "--language", language)
    assert shown.startswith(f"{kind}.{language}: approved\n")
    assert "{{" not in shown
    assert len(shown.splitlines()) > 5


def test_a_fragment_is_shown_in_a_letter_and_one_that_is_in_none_is_not(desk: Desk) -> None:
    assert "Atentamente" in desk.run("letters", "show", "_foot")
    (desk.policy / "letters" / "_alone.es.letter").write_text("Nobody includes it.\n", encoding="utf-8")
    assert "_alone\tes\t-\tnew\t-\t-\t-" in desk.run("letters", "list")
    assert "+Nobody includes it." in desk.run("letters", "diff", "_alone")
    assert "stands in no letter" in desk.run("letters", "show", "_alone", code=2)


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        (("show", "nonsense"), 1, "nonsense is no template"),
        (("diff", "nonsense"), 1, "nonsense is no template"),
        (("show", "authority_reply", "--language", "en"), 1, "authority_reply is no template"),
        (("show", "reply", "--language", "fr"), 2, "Invalid value"),
        (("approve", "nonsense", *BY), 1, "nonsense is no template"),
        (("approve", "extension"), 2, "--by"),
        (("approve", "extension", "--by", "cx-lead"), 1, "cx-lead is none of those whom the policy names"),
        (("approve", *BY), 2, "name letters, or say --all"),
        (("approve", "extension", "--all", *BY), 2, "name letters, or say --all"),
    ],
)
def test_what_cannot_be_is_refused(desk: Desk, line: tuple[str, ...], code: int, said: str) -> None:
    changed(desk)
    approved = desk.policy / "letters" / "approved.toml"
    before = approved.read_text(encoding="utf-8")
    assert said in desk.run("letters", *line, code=code)
    assert approved.read_text(encoding="utf-8") == before


def test_new_words_under_the_old_version_are_refused(desk: Desk) -> None:
    desk.rewrite("extension.es.letter", "explicarle por qué", "explicarle el motivo")
    assert "raise `version` in its header" in desk.run("letters", "approve", "extension", *BY, code=1)


def test_a_policy_with_a_letter_that_was_never_approved_is_not_in_order(desk: Desk) -> None:
    desk.forget()
    assert "is not approved by compliance" in desk.run("policy", "check", code=2)
    desk.run("letters", "approve", "--all", *BY)
    assert "in order" in desk.run("policy", "check")


def test_what_the_console_of_production_writes_stands_in_the_audit_log(desk: Desk, database: Database) -> None:
    changed(desk)
    desk.run("letters", "approve", "extension", "--language", "es", *BY, code=0, **PRODUCTION)
    with database.read() as session:
        (line,) = audit.page(session)
    assert (line.actor, line.action, line.object) == ("console", "letter.write", "extension.es")
    written = (desk.policy / "letters" / "approved.toml").read_text(encoding="utf-8")
    assert line.detail in written


def test_production_writes_what_is_approved_or_does_not_start(desk: Desk) -> None:
    draft = Settings(policy=desk.policy)
    real = draft.model_copy(update={"environment": "production"})
    changed(desk)
    names = [
        stationery(settings).letters.version("extension", Language.ES).partition("+")[0] for settings in (draft, real)
    ]
    assert names == ["1.2", "1.1"]
    with capture_logs() as lines:
        tell_of_waiting(real)
    assert [line["why"].partition(".letter: ")[2][:13] for line in lines] == ["changed since"] * 2
    desk.forget()
    stationery(draft)
    with pytest.raises(PolicyError, match="is not approved by compliance"):
        stationery(real)


def test_the_worker_of_production_ends_at_once_and_says_why(desk: Desk) -> None:
    desk.forget()
    program = Path(__file__).parents[1] / "worker.py"
    nowhere = {"PLAZO_TEMPORAL": "127.0.0.1:9", "PLAZO_POLICY": str(desk.policy)}
    ended = subprocess.run(
        [sys.executable, program],
        env={**PRODUCTION, **nowhere},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2, ended.stderr
    assert "is not approved by compliance" in ended.stderr
    assert "`plazo letters approve" in ended.stderr


def test_the_doctor_tells_of_words_that_wait(desk: Desk) -> None:
    draft = Settings(policy=desk.policy)
    real = draft.model_copy(update={"environment": "production"})
    assert [one.ok for one in (*house.letters(draft), *house.letters(real))] == [True, True]
    changed(desk)
    (here,), (there,) = house.letters(draft), house.letters(real)
    assert (here.ok, there.ok) == (True, False)
    assert "extension.en, extension.es" in here.seen
    assert "plazo letters approve" in there.mend
    found = {one["what"]: one for one in json.loads(desk.run("doctor", "--json", code=1))}
    assert found["letters"]["seen"] == here.seen


def test_development_says_what_waits_and_writes_with_it(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(desk)
    temporal, ui, web, mailroom = free_ports(4)
    prepare(
        Settings(
            var=tmp_path / "var",
            policy=desk.policy,
            temporal_port=temporal,
            temporal_ui_port=ui,
            web_port=web,
            mailroom_port=mailroom,
        )
    )
    assert "extension.es.letter: changed since" in capsys.readouterr().out
