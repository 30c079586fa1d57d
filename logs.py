"""Logs without personal data: readable in development, JSON lines otherwise.

An exception's text may quote what a person wrote, an address or a row of the database, and libraries print it freely;
so of every exception, whoever logs it, only its type and the places it passed are written. The two errors that
speak to the operator alone, SettingsError and PolicyError, keep their text. As a net under everything, what looks like
an e-mail address is blanked, values of unknown types are named by type, and access lines lose client and query.
"""

import copy
import logging
import re
import sys
import threading
import traceback
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO
from uuid import UUID

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from models.errors import PolicyError, SettingsError

ADDRESS = re.compile(r"[^\s@<>\"'(),;:=]+(?:@|%40)[^\s@<>\"'(),;:]+")
# Where the SDK and asyncio write an exception into the message itself.
QUOTED_ERROR = re.compile(r"(original error|error of type [^:]+|exception=\w+)(: |\().*", re.DOTALL)
QUOTING_LOGGERS = ("temporalio", "asyncio")
PLAIN_TYPES = (bool, int, float, datetime, date, timedelta, UUID, Path, Enum)
FOR_THE_OPERATOR = (SettingsError, PolicyError)
FRAMES = 8
CAUSES = 5


def configure_logs(environment: str, *, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Set up logging for this process: `environment` as in the settings, output to `stream` (stderr by default).

    Start uvicorn with `log_config=None`, so that its lines come this way too.
    """
    stream = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        describe_exception,
        blank_personal_data,
    ]
    renderer: Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    if environment == "development":
        renderer = structlog.dev.ConsoleRenderer(colors=stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        _Formatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # At debug level the SDK prints whole messages, opened.
    logging.getLogger("temporalio").setLevel(max(level, logging.INFO))
    # It writes each request's address with its query.
    logging.getLogger("httpx2").setLevel(max(level, logging.WARNING))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def describe_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace `exc_info` by `error` (the types, from effect to cause) and `at` (the last places, innermost last)."""
    error = _exception(event.pop("exc_info", None))
    if error is None:
        return event
    event["error"] = " from ".join(type(link).__name__ for link in _chain(error))
    event["at"] = [
        f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)[-FRAMES:]
    ]
    if isinstance(error, FOR_THE_OPERATOR):
        event["problem"] = str(error)
    return event


def blank_personal_data(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Blank what looks like an address and what is not plainly data, at any depth."""
    for key, value in event.items():
        # Keys that begin with "_" belong to structlog and are never printed.
        if not key.startswith("_"):
            event[key] = _blanked(value)
    return event


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Takes personal data out of records that other libraries made, on a copy."""

    def format(self, record: logging.LogRecord) -> str:
        record = copy.copy(record)
        if isinstance(record.args, tuple):
            if record.name == "uvicorn.access" and len(record.args) == 5:  # noqa: PLR2004  # client, method, path, ...
                _client, method, path, version, status = record.args
                record.args = ("-", method, str(path).partition("?")[0], version, status)
            record.args = tuple(_named(arg) for arg in record.args)
        elif isinstance(record.args, Mapping):
            record.args = {key: _named(arg) for key, arg in record.args.items()}
        record.msg = _named(record.msg)
        if record.name.startswith(QUOTING_LOGGERS):
            record.msg, record.args = QUOTED_ERROR.sub(r"\1", record.getMessage()), None
        return super().format(record)


def _named(value: Any) -> Any:
    return type(value).__name__ if isinstance(value, BaseException) else value


def _exception(exc_info: object) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and len(chain) < CAUSES:
        chain.append(link)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return chain


def _blanked(value: object) -> object:
    if value is None or isinstance(value, PLAIN_TYPES):
        return value
    if isinstance(value, str):
        return ADDRESS.sub("<address>", value)
    if isinstance(value, Mapping):
        return {str(_blanked(key)): _blanked(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_blanked(item) for item in value]
    return f"<{type(value).__name__}>"


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    structlog.get_logger("plazo").critical("uncaught", exc_info=error)


def _log_uncaught_in_thread(args: Any) -> None:
    structlog.get_logger("plazo").critical("uncaught", exc_info=args.exc_value)
