"""The command line `plazo`. Each command is a function of its own module, loaded only when it is asked for.

Exit codes: 0 done, 1 refused or not found, 2 bad usage or settings, 3 something that is needed does not answer.
"""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

import typer

COMMANDS = {
    "run": ("starter.house.run", "run_command"),
    "send-eml": ("starter.commands.send_eml", "send_eml_command"),
    "demo": ("starter.commands.demo", "demo_command"),
    "samples": ("starter.commands.samples", "samples_command"),
    "list": ("starter.commands.look", "list_command"),
    "show": ("starter.commands.look", "show_command"),
    "timeline": ("starter.commands.look", "timeline_command"),
    "thread": ("starter.commands.thread", "thread_command"),
    "register": ("starter.commands.register", "register_command"),
    "inbox": ("starter.commands.inbox", "inbox_command"),
    "retry": ("starter.commands.inbox", "retry_command"),
    "telegram-webhook": ("starter.commands.telegram_webhook", "telegram_webhook_command"),
    "telegram-poll": ("starter.collector", "telegram_poll_command"),
    "report": ("starter.commands.report", "report_command"),
    "quality": ("starter.commands.quality", "quality_command"),
    "verify": ("starter.commands.upkeep", "verify_command"),
    "explain": ("starter.commands.explain", "explain_command"),
    "audit": ("starter.commands.audit", "audit_command"),
    "doctor": ("starter.commands.doctor", "doctor_command"),
    "migrate": ("starter.commands.upkeep", "migrate_command"),
    "backup": ("starter.commands.keeping", "backup_command"),
    "restore": ("starter.commands.keeping", "restore_command"),
    "rebuild": ("starter.commands.keeping", "rebuild_command"),
    "token": ("starter.commands.token", "token_command"),
    "keys create": ("starter.commands.keys", "create_command"),
    "keys list": ("starter.commands.keys", "list_command"),
    "keys revoke": ("starter.commands.keys", "revoke_command"),
    "ring list": ("starter.commands.ring", "list_command"),
    "ring rotate": ("starter.commands.ring", "rotate_command"),
    "ring promote": ("starter.commands.ring", "promote_command"),
    "ring retire": ("starter.commands.ring", "retire_command"),
    "webhooks list": ("starter.commands.hooks", "list_command"),
    "webhooks failing": ("starter.commands.hooks", "failing_command"),
    "webhooks replay": ("starter.commands.hooks", "replay_command"),
    "workload": ("starter.commands.staff", "workload_command"),
    "staff list": ("starter.commands.staff", "list_command"),
    "staff add": ("starter.commands.staff", "add_command"),
    "staff absent": ("starter.commands.staff", "absent_command"),
    "staff trained": ("starter.commands.staff", "trained_command"),
    "staff sign-in": ("starter.commands.sign_in", "sign_in_command"),
    "staff leave": ("starter.commands.staff", "leave_command"),
    "staff return": ("starter.commands.staff", "return_command"),
    "letters list": ("starter.commands.letters", "list_command"),
    "letters show": ("starter.commands.letters", "show_command"),
    "letters diff": ("starter.commands.letters", "diff_command"),
    "letters approve": ("starter.commands.letters", "approve_command"),
    "policy check": ("starter.commands.upkeep", "policy_check_command"),
    "calendar seed": ("starter.commands.calendar_seed", "calendar_seed_command"),
}
"""The commands by name: where each stands. Two words are a group and a command of it."""

GROUPS = {
    "keys": "Keys for the admin API. A secret is shown once, when it is made.",
    "ring": "The key ring that seals what Temporal keeps: a new key in front, old ones that still open, their end.",
    "webhooks": "What other systems are told: how it goes, and telling it again.",
    "staff": "The people who answer: who is there, trained for what, and who has gone.",
    "letters": "The templates of letters: what compliance has approved, and what waits.",
    "policy": "The operator's policy: terms, areas, channels, letters.",
    "calendar": "The closed days of the law.",
}
"""What each group is about."""


def build(arguments: Sequence[str]) -> typer.Typer:
    """The application with the command that the arguments name, or with all where they name none."""
    firsts = {name.split()[0] for name in COMMANDS}
    named = next((word for word in arguments if word in firsts), None)
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    app.callback()(plazo)
    groups: dict[str, typer.Typer] = {}
    for name, (module, function) in COMMANDS.items():
        first, _, second = name.partition(" ")
        if named not in {None, first}:
            continue
        try:
            command = getattr(import_module(module), function)
        except ModuleNotFoundError:
            # The production image carries no stand-ins, so what is for trying out is missing there.
            continue
        if not second:
            app.command(first)(command)
            continue
        if first not in groups:
            groups[first] = typer.Typer(no_args_is_help=True, help=GROUPS[first])
            app.add_typer(groups[first], name=first)
        groups[first].command(second)(command)
    return app


def plazo() -> None:
    """Answer users on time, and prove it."""


def main() -> None:
    """Run a command and end the process with its exit code."""
    code: object = 0
    try:
        build(sys.argv[1:])(prog_name="plazo")
    except SystemExit as ended:
        code = ended.code
    for stream in (sys.stdout, sys.stderr):
        with suppress(BrokenPipeError):
            stream.flush()
    # The engine's client can abort the interpreter at its exit, after all work is done.
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    main()
