"""From what was measured to the figures that were wanted."""

from collections.abc import Iterator
from statistics import median
from typing import Any

from bench.report import Figure

OURS = ("server", "worker", "driver", "mailroom")


def of(details: dict[str, Any]) -> list[Figure]:
    """All figures of what was measured."""
    found: list[Figure] = []
    if "rounds" in details:
        found += _rates(details["rounds"])
        found += _history(details["history"])
    if "starts" in details:
        costs = details["starts"]
        ratio = round(costs["sandboxed"] / costs["unsandboxed"], 2)
        found.append(Figure("worker CPU of an empty start, sandboxed / unsandboxed", ratio, "", 2.0))
    if "cold" in details:
        found += _cold(details["cold"])
    if "latency" in details:
        letter, webhook = details["latency"]["letter_ms"], details["latency"]["webhook_ms"]
        why = strangers(details["latency"]["foreign_percent"])
        found.append(Figure("webhook to letter in the mailroom, p50", letter["p50"], "ms", 150, why=why))
        found.append(Figure("webhook to letter in the mailroom, p99", letter["p99"], "ms"))
        found.append(Figure("webhook answered, p50", webhook["p50"], "ms"))
    if "intake" in details:
        found += _intake(details["intake"])
    if "list" in details:
        found += _list(details["list"])
    if "growth" in details:
        found += _growth(details["growth"])
    if "open" in details:
        found += _open(details["open"])
    return found


def strangers(percent: float) -> str:
    """What must be known of the machine beside a figure in milliseconds."""
    return f"other programs used {percent:g} % of the machine meanwhile"


def _rates(rounds: list[dict[str, Any]]) -> Iterator[Figure]:
    def middle(*path: str) -> float:
        values = []
        for one in rounds:
            value: Any = one
            for name in path:
                value = value[name]
            values.append(float(value))
        return round(median(values), 3)

    yield Figure("empty workflow", middle("empty", "per_second"), "/s")
    yield Figure("lifecycle, window 0", middle("lifecycle", "per_second"), "/s")
    yield Figure("lifecycle, with a window", middle("with_window", "per_second"), "/s")
    spent = {name: middle("lifecycle", "cpu_ms", name) for name in OURS}
    bare = sum(middle("empty", "cpu_ms", name) for name in ("server", "worker", "driver"))
    told = " + ".join(f"{cost:.0f} {name}" for name, cost in spent.items())
    why = f"a life takes {sum(spent.values()):.0f} ms of processor ({told}), an empty workflow {bare:.0f}"
    yield Figure("lifecycle / empty, window 0", middle("ratio"), "", 0.40, "at least", why)
    yield Figure("CPU of an empty workflow / CPU of a lifecycle", round(bare / sum(spent.values()), 2), "")
    yield Figure("lifecycle / empty, with a window", middle("ratio_with_window"), "")
    for name, cost in spent.items():
        where = "web (driver)" if name == "driver" else name
        yield Figure(f"CPU of the {where}, each lifecycle", cost, "ms")
    yield Figure("used by other programs meanwhile", middle("lifecycle", "foreign_percent"), "% of the machine")


def _history(left: dict[str, Any]) -> Iterator[Figure]:
    closed, parked = left["closed"], left["with_window"]
    yield Figure("history events, window 0", closed["events"], "", 30)
    yield Figure("history events, window 0, the longest seen", closed["most_events"], "")
    yield Figure("history events, with a window, parked", parked["events"], "")
    yield Figure("state transitions, window 0", closed["state_transitions"], "")
    yield Figure("history, window 0", round(closed["bytes"] / 1024, 1), "KB")
    yield Figure("Cloud actions, window 0", closed["cloud_actions"], "")


def _cold(found: dict[str, Any]) -> Iterator[Figure]:
    cold, warm = found["cold"], found["warm"]
    spent = " + ".join(f"{cost:.0f} {name}" for name, cost in cold["cpu_ms"].items())
    why = (
        f"one takes {sum(cold['cpu_ms'].values()):.0f} ms of processor ({spent}); {strangers(cold['foreign_percent'])}"
    )
    yield Figure("final answers to cases not in memory", cold["per_second"], "/s", 90, "at least", why)
    yield Figure("final answers to cases in memory", warm["per_second"], "/s")
    yield Figure("not in memory / in memory", round(cold["per_second"] / warm["per_second"], 2), "")


def _intake(found: dict[str, Any]) -> Iterator[Figure]:
    why = f"{strangers(found['foreign_percent'])}; each message took {found['cpu_ms']['web']:g} ms of the web process"
    lost = found["messages"] - found["stored"]
    yield Figure(
        f"intake at {found['rate']:g} a second: to the 2xx, p99", found["taken_ms"]["p99"], "ms", 1000, why=why
    )
    yield Figure("intake: to the 2xx, p50", found["taken_ms"]["p50"], "ms")
    yield Figure("intake: messages that got their 2xx", found["messages"], "")
    yield Figure("intake: lost, or stored twice", abs(lost), "", 0)
    yield Figure("intake: waiting for Temporal at the end", found["waiting_after"], "")
    yield Figure("intake: kept to be read in their turn", found["kept_to_be_read"], "")
    yield Figure("intake: until all was read and handed over", found["drain_seconds"], "s")
    for name, cost in found["cpu_ms"].items():
        yield Figure(f"intake: CPU of the {'senders' if name == 'driver' else name}, each message", cost, "ms")


def _list(found: dict[str, Any]) -> Iterator[Figure]:
    for name, one in found.items():
        why = strangers(one["foreign_percent"])
        slowest = max(one["ways"], key=lambda way: float(one["ways"][way]["p50"]))
        yield Figure(f"the list by any filter, on {name}: p99", one["all_ms"]["p99"], "ms", 50, why=why)
        yield Figure(f"the slowest ({slowest}), on {name}: p50", one["ways"][slowest]["p50"], "ms", 50, why=why)


def _growth(found: dict[str, Any]) -> Iterator[Figure]:
    for name, sizes in found.items():
        first, last = sizes[min(sizes, key=int)], sizes[most := max(sizes, key=int)]
        number, why = f"{int(most):,} open, {name}", strangers(last["foreign_percent"])
        wanted = 50 if name == "PostgreSQL" else None
        yield Figure(f"{number}: a page of the list, p99", last["due_list_ms"]["p99"], "ms", wanted, why=why)
        yield Figure(f"{number}: a page of the list, p50", last["due_list_ms"]["p50"], "ms")
        yield Figure(f"{number}: search, p99", last["search_ms"]["p99"], "ms", 200, why=why)
        yield Figure(f"{number}: search, p50", last["search_ms"]["p50"], "ms")
        for cost, what in (("case", "opening one"), ("store", "storing a new one"), ("scrape", "a scrape")):
            yield Figure(f"{number}: {what}, p50", last[f"{cost}_ms"]["p50"], "ms")
        yield Figure(f"{number}: the web process", last["web_mb"], "MB")
        grown = round(last["web_mb"] - first["web_mb"], 1)
        yield Figure(f"{number}: the web process, more than among the fewest", grown, "MB")
        yield Figure(f"{number}: records, each", last["records_kb_each"], "KB")


def _open(found: dict[str, Any]) -> Iterator[Figure]:
    number, why = f"{found['open']:,} open cases", strangers(found["due_list_foreign_percent"])
    yield Figure(f"{number}: in the engine's database, each", found["engine_kb_each"], "KB", 30)
    yield Figure(f"{number}: idle server", found["idle_percent"]["server"], "% of a core", 2.0)
    yield Figure(f"{number}: due list of 50, p99", found["due_list_ms"]["p99"], "ms", 50, why=why)
    yield Figure(f"{number}: due list of 50, p50", found["due_list_ms"]["p50"], "ms")
    if "report_ms" in found:
        why = strangers(found["report_foreign_percent"])
        seconds = round(found["report_ms"]["p50"] / 1000, 2)
        yield Figure(f"{number}: report of all their terms, p50", seconds, "s", 2.0, why=why)
    yield Figure("worker memory, each cached case", found["worker_kb_each"], "KB", 120)
