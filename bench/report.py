"""What the bench says: a table for people, a JSON file for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.figures import Rounds, Spread
from bench.run import A_SECOND, GENTLY, Results
from bench.scenarios import AIM

AIMS = {"ratio": 0.6, "accept p99 ms": 25.0, "events to delivered": 17}

QUIET = 0.1
"""Of a core: what other programs may take while the rates still mean something."""


def as_json(results: Results) -> dict[str, Any]:
    """All figures."""
    about = {
        "at": results.at,
        "machine": results.machine,
        "plan": asdict(results.plan),
        "neighbours_late_ms": {name: asdict(one) for name, one in results.neighbours.items()},
    }
    if results.plan.alone:
        return about
    return {
        **about,
        "ratio": round(results.ratio, 3),
        "cpu_ratio": round(cpu_total(results.bare) / cpu_total(results.bellhop), 3),
        "bare": _side(results.bare),
        "bellhop": _side(results.bellhop),
        "accept_ms": {"paced": _spread(results.accept_paced), "saturated": _spread(results.accept_saturated)},
        "submit_to_provider_ms": _spread(results.to_provider),
        "submit_to_provider_gently_ms": _spread(results.to_provider_gently),
        "receipt_to_webhook_ms": _spread(results.receipt_to_webhook),
        "submit_to_closed_ms": _spread(results.to_closed),
        "lateness_ms": _spread(results.lateness),
        "cpu_ms_a_message_paced": results.paced_cpu,
        "history_events": results.events,
        "checked": results.checked,
    }


def cpu_total(rounds: Rounds) -> float:
    """Milliseconds of CPU a message, all processes together."""
    return sum(rounds.cpu_each().values())


def _side(rounds: Rounds) -> dict[str, Any]:
    return {
        "rate": round(rounds.rate, 2),
        "rates": rounds.rates,
        "messages": rounds.messages,
        "cpu_ms_a_message": rounds.cpu_each(),
        "cpu_ms_a_message_total": round(cpu_total(rounds), 2),
        "foreign_cpu_share": round(rounds.foreign / rounds.seconds, 3),
    }


def _spread(one: Spread | None) -> dict[str, float] | None:
    return None if one is None else asdict(one)


def write(results: Results, directory: Path) -> Path:
    """Keep the figures. Returns the file."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{results.at.replace(':', '')}.json"
    path.write_text(json.dumps(as_json(results), indent=2) + "\n", encoding="utf-8")
    return path


def table(results: Results) -> str:
    """The figures as a table."""
    if results.plan.alone:
        return "\n".join(_neighbours(results))
    bare, bellhop = results.bare, results.bellhop
    count = f"{results.plan.rounds} x {results.plan.messages}, {results.plan.at_once} in flight"
    lines = [
        "",
        f"Throughput, the middle round ({count})",
        f"  (a) bare workflow, SDK defaults   {bare.rate:7.1f} /s   rounds {_rates(bare)}",
        f"  (b) Bellhop, accept to closed     {bellhop.rate:7.1f} /s   rounds {_rates(bellhop)}",
        f"  (b) / (a)                         {results.ratio:7.2f}      aim {AIMS['ratio']}",
        f"  CPU of (a) / CPU of (b)           {cpu_total(bare) / cpu_total(bellhop):7.2f}",
        f"  spent by other programs meanwhile {_foreign(bare):>9} (a), {_foreign(bellhop)} (b) of a core",
        *_disturbed(results),
        "",
        "Times (ms)                                      p50      p99      max",
        _row(f"accept, at {A_SECOND:.0f} a second (aim p99 25)", results.accept_paced),
        _row("accept, at saturation", results.accept_saturated),
        _row(f"submit to provider, at {A_SECOND:.0f} a second", results.to_provider),
        _row(f"submit to provider, at {GENTLY:.0f} a second", results.to_provider_gently),
        _row(f"receipt to webhook, at {A_SECOND:.0f} a second", results.receipt_to_webhook),
        _row(f"submit to closed, at {A_SECOND:.0f} a second", results.to_closed),
        _row(f"lateness of {results.plan.burst} due at once", results.lateness),
        "",
        f"CPU (ms a message)                     (a)      (b)   (b) at {A_SECOND:.0f}/s",
    ]
    each_bare, each = bare.cpu_each(), bellhop.cpu_each()
    for name in each:
        lines.append(f"  {name:<30} {each_bare[name]:8.2f} {each[name]:8.2f} {results.paced_cpu.get(name, 0.0):8.2f}")
    paced = sum(results.paced_cpu.values())
    lines.append(f"  {'together':<30} {cpu_total(bare):8.2f} {cpu_total(bellhop):8.2f} {paced:8.2f}")
    lines += ["", f"History events (aim: at most {AIMS['events to delivered']} to delivered)"]
    lines += [f"  {name:<30} {', '.join(map(str, counts))}" for name, counts in results.events.items()]
    lines += ["", "Checked", *(f"  {line}" for line in results.checked), *_neighbours(results)]
    return "\n".join(lines)


def _neighbours(results: Results) -> list[str]:
    rows = (_row(name, one) for name, one in results.neighbours.items())
    return ["", f"How late a neighbour's are (ms; aim p99 {1000 * AIM:.0f})      p50      p99      max", *rows, ""]


def _disturbed(results: Results) -> list[str]:
    """A warning when other programs took what the sides were to share."""
    taken = max(one.foreign / one.seconds for one in (results.bare, results.bellhop))
    if taken <= QUIET:
        return []
    return ["  ! The machine was busy with other things: rates and times say little, only CPU a message compares"]


def _rates(rounds: Rounds) -> str:
    return " ".join(f"{rate:.1f}" for rate in rounds.rates or [])


def _foreign(rounds: Rounds) -> str:
    return f"{100 * rounds.foreign / rounds.seconds:.0f} %"


def _row(name: str, one: Spread | None) -> str:
    return f"  {name:<42}" + ("" if one is None else f"{one.p50:8.1f} {one.p99:8.1f} {one.max:8.1f}")
