"""From the slices of all rounds to medians, and from medians to one table."""

from __future__ import annotations

from importlib import metadata
from statistics import median
from typing import TYPE_CHECKING, Any

from timing import BUSY, COMPARED_AFTER

if TYPE_CHECKING:
    from workloads import Workload

TOLERANCE = 1e-3
SAME_WEIGHTS = 1e-5
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
        base = peers.get(workload.base, {}).get("median")
        entry["base ratio"] = base / entry["median"] if base else None
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
        "base": workload.base,
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
        "weights": results[-1].get("weights", []),
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
    equal = f"{workload.check}: {middle:.6g} for all, to {spread:.0e}"
    weights = {p: entry["weights"] for p, entry in peers.items() if entry.get("weights")}
    if len(weights) < 2:
        return equal
    columns = [median(column) for column in zip(*weights.values(), strict=True)]
    far = {
        p: max(abs(w - m) for w, m in zip(mine, columns, strict=True))
        for p, mine in weights.items()
    }
    if max(far.values()) > SAME_WEIGHTS:
        listed = ", ".join(f"{p} {d:.0e}" for p, d in far.items() if d > SAME_WEIGHTS)
        return f"NOT EQUAL WORK: the weights after some steps differ: {listed}; {equal}"
    return f"{equal}; weights after {COMPARED_AFTER} to {max(far.values()):.0e}"


def table(summaries: dict[str, dict[str, Any]]) -> str:
    """One table, a section for each workload."""
    lines = []
    disturbed = False
    for name, result in summaries.items():
        unit = result["unit"]
        lines.append(f"{name}: {result['title']}")
        based = any(entry.get("base ratio") for entry in result["peers"].values())
        base = f"{result['base']} / peer" if based else ""
        lines.append(
            _row("peer", f"median {unit} ", "best", "rounds", "peer / ours", base, "target")
        )
        for peer, entry in result["peers"].items():
            if "skipped" in entry:
                lines.append(f"  {peer:<18}  skipped: {entry['skipped']}")
                continue
            mark = "!" if entry["disturbed"] > MOSTLY else " "
            disturbed |= mark == "!"
            middle = _digits(entry["median"]) + mark
            span = " - ".join(_digits(f(entry["rounds"])) for f in (min, max))
            ratio, base = (
                "" if entry[key] is None else f"{entry[key]:.2f}" for key in ("ratio", "base ratio")
            )
            best = _digits(entry["best"])
            lines.append(_row(peer, middle, best, span, ratio, base, _target(entry)))
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


def _row(peer: str, middle: str, best: str, span: str, ratio: str, base: str, target: str) -> str:
    row = f"  {peer:<18}{middle:>14}{best:>10}{span:>18}{ratio:>14}{base:>18}  {target}"
    return row.rstrip()


def _target(entry: dict[str, Any]) -> str:
    if "target" not in entry:
        return ""
    return entry["target"] + {True: "  ok", False: "  SHORT", None: "  undecided"}[entry["reached"]]


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:#.3g}"
