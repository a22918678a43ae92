"""The scores of examples/automl as plain scikit-learn gives them, with its own loop over folds."""

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

from sklearn.model_selection import StratifiedKFold, cross_val_score

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "automl"))
trainer = import_module("trainer")


def ranking(dataset: str) -> list[dict[str, Any]]:
    features, labels = trainer.DATASETS[dataset](return_X_y=True)
    folds = StratifiedKFold(n_splits=5, shuffle=True, random_state=0)
    rows: list[dict[str, Any]] = []
    for name, model in trainer.MODELS.items():
        scores = cross_val_score(model, features, labels, cv=folds)
        rows.append({"model": name, "mean": scores.mean(), "std": scores.std(), "folds": [*scores]})
    return sorted(rows, key=lambda row: -row["mean"])


if __name__ == "__main__":
    print(json.dumps({dataset: ranking(dataset) for dataset in trainer.DATASETS}))
