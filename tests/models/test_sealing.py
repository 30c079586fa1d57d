"""What may be ordered by nobody in particular."""

import pytest

from models.commands import COMMANDS
from models.errors import Refused
from models.sealing import PLAIN, admit
from tests.test_docs import COMMANDS_PAGE


@pytest.mark.rule("M5.3")
def test_what_hangs_on_who_somebody_is_wants_somebody_known() -> None:
    assert set(COMMANDS) > PLAIN
    for name in sorted(PLAIN):
        admit(name)
    for name in ("approve", "send_back", "propose", "assign", "claim", "verify", "answer_referral", "resolve", "erase"):
        with pytest.raises(Refused, match="use the API") as caught:
            admit(name)
        assert caught.value.code == "command.plain"


def test_the_page_of_commands_names_them_all() -> None:
    paragraph = COMMANDS_PAGE.split("From the command line")[1].split("Everything else")[0]
    assert all(f"`{name}`" in paragraph for name in PLAIN)
