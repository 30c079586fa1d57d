"""`python -m counterparts.mailroom`: run the mailroom; `python -m counterparts.mailroom keys`: show its public key."""

import argparse
import os
import sys
from pathlib import Path

import uvicorn

from counterparts.issuer.app import Arrangement as Provider
from counterparts.issuer.app import issuer
from counterparts.jira.app import Arrangement as Site
from counterparts.jira.app import jira
from counterparts.mailroom.app import Arrangement, mailroom
from counterparts.mailroom.keys import mailroom_public_key
from counterparts.mailroom.send import Keys
from counterparts.telegram.app import telegram
from counterparts.x.app import Arrangement as Town
from counterparts.x.app import x


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m counterparts.mailroom", description=__doc__)
    parser.add_argument("command", nargs="?", choices=("run", "keys"), default="run")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8025)
    parser.add_argument("--var", type=Path, default=Path("var/mailroom"), help="where letters and keys are kept")
    parser.add_argument("--events-url", help="where events of letters are posted")
    parser.add_argument("--inbound-url", help="where incoming mail is posted")
    parser.add_argument("--x-url", help="where the stand-in for X posts its events")
    parser.add_argument("--x-name", default="help", help="what the account is called there, without @")
    parser.add_argument("--jira-url", help="where the stand-in for Jira posts its events")
    parser.add_argument("--inbound-secret", default=os.environ.get("PLAZO_INBOUND_SECRET", "development"))
    parser.add_argument(
        "--events-delay", type=float, default=0.05, help="seconds from accepting a letter to its events"
    )
    parser.add_argument("--api-key", action="append", default=[], help="accept only these keys (default: any)")
    parser.add_argument("--api-key-without-rights", action="append", default=[], help="answer 403 to these keys")
    options = parser.parse_args(arguments)
    if options.command == "keys":
        sys.stdout.write(mailroom_public_key(options.var) + "\n")
        return 0
    arrangement = Arrangement(
        folder=options.var,
        events_url=options.events_url,
        inbound_url=options.inbound_url,
        inbound_secret=options.inbound_secret,
        keys=Keys(frozenset(options.api_key), frozenset(options.api_key_without_rights)),
        events_delay=options.events_delay,
        beside={
            "/telegram": telegram(),
            "/x": x(Town(webhook_url=options.x_url, username=options.x_name)),
            "/issuer": issuer(Provider(url=f"http://127.0.0.1:{options.port}/issuer")),
            "/jira": jira(Site(webhook_url=options.jira_url, site=f"http://127.0.0.1:{options.port}/jira")),
        },
    )
    uvicorn.run(
        mailroom(arrangement),
        host=options.host,
        port=options.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=3,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
