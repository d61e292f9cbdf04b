"""Learn what weighs for an opt-out from the labelled replies: writes audience/replies/learned.txt anew.

    python tools/train_replies.py           trains on all sets, and writes the weights
    python tools/train_replies.py --judge   for each set, trains on the others and says how well it is read

Logistic regression by AdaGrad, the mean of a few runs in different orders. No randomness but fixed seeds, and nothing
but Python, so that the same sets give the same file.
"""

from __future__ import annotations

import json
import math
import random
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP))

from smsflow_plugin.audience.replies.learned import scale, traits  # noqa: E402
from smsflow_plugin.audience.replies.lexicon import lexicon  # noqa: E402
from smsflow_plugin.audience.replies.reading import heard, read_by_rules  # noqa: E402

SETS = TOP / "tests" / "replies"
OUT = TOP / "smsflow_plugin" / "audience" / "replies" / "learned.txt"
RUNS = 3
EPOCHS = 6
RATE = 0.2
#: A trait that only one row has is noise.
FEWEST_ROWS = 2
#: In hundredths: what weighs less is left out.
LIGHTEST = 8
THRESHOLDS = (0.5, 0.8, 1.0, 1.2, 1.5, 1.8, 2.0, 2.2, 2.3, 2.4, 2.5, 2.6, 3.0)

Row = tuple[dict[str, str], str]
Example = tuple[list[str], float]


def rows() -> list[Row]:
    return [
        (row, file.stem)
        for file in sorted(SETS.glob("*.jsonl"))
        for row in map(json.loads, file.read_text("utf-8").splitlines())
        if row["verdict"] in ("opt_out", "other")
    ]


def example(row: dict[str, str]) -> Example:
    parts, plain = heard(row["text"])
    return traits(parts, plain, lexicon()), float(row["verdict"] == "opt_out")


def train(examples: Sequence[Example]) -> dict[str, float]:
    """Return the weights, with that of ``bias`` for what every text has."""
    often = Counter(trait for found, _opts_out in examples for trait in found)
    kept = [([t for t in found if often[t] >= FEWEST_ROWS], scale(len(found)), wanted) for found, wanted in examples]
    total: dict[str, float] = {}
    for seed in range(RUNS):
        for trait, weight in _one_run(kept, random.Random(seed)).items():
            total[trait] = total.get(trait, 0.0) + weight / RUNS
    return total


def _one_run(examples: Sequence[tuple[list[str], float, float]], dice: random.Random) -> dict[str, float]:
    weights = {"bias": 0.0}
    squares = {"bias": 1e-2}
    order = list(range(len(examples)))
    for _epoch in range(EPOCHS):
        dice.shuffle(order)
        for at in order:
            found, length, wanted = examples[at]
            score = weights["bias"] + length * sum([weights.get(trait, 0.0) for trait in found])
            wrong = 1 / (1 + math.exp(-max(-30.0, min(30.0, score)))) - wanted
            if abs(wrong) < 1e-3:
                continue
            for trait, slope in (("bias", wrong), *((trait, wrong * length) for trait in found)):
                square = squares[trait] = squares.get(trait, 1e-2) + slope * slope
                weights[trait] = weights.get(trait, 0.0) - RATE * slope / math.sqrt(square)
    return weights


def write(weights: dict[str, float]) -> None:
    lines = [
        f"{trait}\t{hundredths}"
        for trait, weight in sorted(weights.items())
        if abs(hundredths := round(weight * 100)) >= LIGHTEST
    ]
    head = "// What weighs for an opt-out, in hundredths. Written by tools/train_replies.py; do not edit.\n"
    OUT.write_text(head + "\n".join(lines) + "\n", "utf-8")
    print(f"{len(lines)} weights, {OUT.stat().st_size // 1024} KB")


def judge(every: Sequence[Row], examples: Sequence[Example]) -> None:
    """Say for each threshold how many rows that the rules leave would become opt-outs, rightly and wrongly."""
    scores: list[tuple[float, str, str, str]] = []
    for held_out in sorted({name for _row, name in every}):
        weights = train([one for one, (_row, name) in zip(examples, every, strict=True) if name != held_out])
        for (found, _wanted), (row, name) in zip(examples, every, strict=True):
            if name == held_out:
                score = weights["bias"] + scale(len(found)) * sum(weights.get(trait, 0.0) for trait in found)
                reading = read_by_rules(row["text"], row["language"])
                scores.append(
                    (score, reading.verdict + (" by itself" if reading.settled else ""), row["verdict"], name)
                )
    for names, title in ((None, "all"), *(({name}, name) for name in sorted({name for _row, name in every}))):
        these = [one for one in scores if names is None or one[3] in names]
        print(title, dict(Counter(f"{verdict} is {wanted}" for _score, verdict, wanted, _name in these)))
        for verdict in ("other", "doubtful"):
            print(f"  {verdict:9}", *(_at(these, verdict, threshold) for threshold in THRESHOLDS))


def _at(scores: Sequence[tuple[float, str, str, str]], verdict: str, threshold: float) -> str:
    over = Counter(wanted for score, read, wanted, _name in scores if read == verdict and score > threshold)
    return f"{threshold}: +{over['opt_out']}/-{over['other']}"


def main() -> int:
    every = rows()
    examples = [example(row) for row, _name in every]
    if "--judge" in sys.argv[1:]:
        judge(every, examples)
    else:
        write(train(examples))
    return 0


if __name__ == "__main__":
    sys.exit(main())
