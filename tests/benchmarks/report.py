"""From the slices of all rounds to medians, and from medians to one table."""

from __future__ import annotations

from importlib import metadata
from statistics import median
from typing import TYPE_CHECKING, Any

from timing import BUSY

if TYPE_CHECKING:
    from compare import Workload

TOLERANCE = 1e-3
MOSTLY = 0.5  # share of disturbed slices beyond which a number decides nothing
PACKAGES = ("numpy", "torch", "jax", "mygrad", "autograd", "micrograd")


def summary(workload: Workload, rounds: list[dict[str, dict[str, Any]]]) -> dict[str, Any]:
    """What the table shows of one workload, ready to be written as JSON."""
    peers = {p: _peer(workload, [r[p] for r in rounds if p in r]) for p in workload.peers}
    mine = peers["ours"].get("median")
    noisy = {p for p, entry in peers.items() if entry.get("disturbed", 0) > MOSTLY}
    for peer, entry in peers.items():
        if "median" not in entry:
            continue
        entry["ratio"] = entry["median"] / mine if mine else None
        if peer in workload.targets:
            least = workload.targets[peer]
            entry["target"] = f"at least {least:g}"
            sure = mine and not noisy & {"ours", peer}
            entry["reached"] = entry["ratio"] >= least if sure else None
    if workload.ceiling is not None and mine:
        peers["ours"]["target"] = f"at most {workload.ceiling:g} {workload.unit}"
        peers["ours"]["reached"] = mine <= workload.ceiling if "ours" not in noisy else None
    return {
        "title": workload.title,
        "unit": workload.unit,
        "peers": peers,
        "agreement": _agreement(workload, peers),
    }


def _peer(workload: Workload, results: list[dict[str, Any]]) -> dict[str, Any]:
    """The median over rounds of the median over the blocks of one process."""
    for result in results:
        if "skipped" in result:
            return {"skipped": result["skipped"]}
    slices = [s for result in results for s in result["slices"]]
    disturbed = sum(s["others"] > BUSY for s in slices) / len(slices)
    # Slices measured while other processes were busy are left out, if that leaves enough.
    limit = BUSY if disturbed <= MOSTLY else float("inf")
    processes = []
    for result in results:
        times = [t for s in result["slices"] if s["others"] <= limit for t in s["times"]]
        if times:
            processes.append([t * workload.scale for t in times])
    medians = [median(times) for times in processes]
    return {
        "median": median(medians),
        "rounds": medians,
        "best": min(min(times) for times in processes),
        "disturbed": disturbed,
        "check": results[-1]["check"],
    }


def _agreement(workload: Workload, peers: dict[str, Any]) -> str | None:
    """Whether all peers computed the same, so that equal work was compared."""
    checks = {peer: entry.get("check") for peer, entry in peers.items()}
    values = {peer: value for peer, value in checks.items() if value is not None}
    if len(values) < 2:
        return None
    middle = median(values.values())
    off = {peer: v for peer, v in values.items() if not abs(v - middle) <= TOLERANCE}
    if off:
        listed = ", ".join(f"{peer} {v:.6g}" for peer, v in off.items())
        return f"NOT EQUAL WORK: {workload.check} {middle:.6g}, but {listed}"
    spread = max(values.values()) - min(values.values())
    return f"{workload.check}: {middle:.6g} for all, to {spread:.0e}"


def table(summaries: dict[str, dict[str, Any]]) -> str:
    """One table, a section for each workload."""
    lines = []
    disturbed = False
    for name, result in summaries.items():
        unit = result["unit"]
        lines.append(f"{name}: {result['title']}")
        lines.append(_row("peer", f"median {unit} ", "rounds", "peer / ours", "target"))
        for peer, entry in result["peers"].items():
            if "skipped" in entry:
                lines.append(f"  {peer:<18}  skipped: {entry['skipped']}")
                continue
            mark = "!" if entry["disturbed"] > MOSTLY else " "
            disturbed |= mark == "!"
            middle = _digits(entry["median"]) + mark
            span = " - ".join(_digits(f(entry["rounds"])) for f in (min, max))
            ratio = "" if entry["ratio"] is None else f"{entry['ratio']:.2f}"
            lines.append(_row(peer, middle, span, ratio, _target(entry)))
        if result["agreement"]:
            lines.append(f"  ({result['agreement']})")
        lines.append("")
    if disturbed:
        lines.append("! Other processes were busy most of the time: repeat on an idle machine.")
    lines.append(", ".join(f"{name} {version}" for name, version in versions().items()))
    return "\n".join(lines)


def versions() -> dict[str, str]:
    """The versions of the libraries that are installed."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _row(peer: str, middle: str, span: str, ratio: str, target: str) -> str:
    return f"  {peer:<18}{middle:>14}{span:>18}{ratio:>14}  {target}".rstrip()


def _target(entry: dict[str, Any]) -> str:
    if "target" not in entry:
        return ""
    return entry["target"] + {True: "  ok", False: "  SHORT", None: "  undecided"}[entry["reached"]]


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:#.3g}"
