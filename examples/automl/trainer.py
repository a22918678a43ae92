"""Finds the best model for a data set: a loop over models and folds, each step a task."""

import os
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import sklearn
import thornback
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

Score = dict[str, Any]
FOLDS = StratifiedKFold(5, shuffle=True, random_state=0)
DATASETS = {"digits": load_digits, "breast cancer": load_breast_cancer}
MODELS: dict[str, Any] = {
    "gradient boosting": HistGradientBoostingClassifier(
        max_iter=50, learning_rate=0.2, random_state=0
    ),
    "random forest": RandomForestClassifier(200, random_state=0),
    "neural network": make_pipeline(
        StandardScaler(), MLPClassifier(64, learning_rate_init=0.005, max_iter=500, random_state=0)
    ),
    "support vector machine": make_pipeline(StandardScaler(), SVC(C=10)),
    "logistic regression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
    "nearest neighbours": make_pipeline(StandardScaler(), KNeighborsClassifier(3)),
}


@thornback.task
def evaluate(step: tuple[str, int], features: np.ndarray, labels: np.ndarray) -> Score:
    """Trains a model on all folds but one, and scores it on that one."""
    model, fold = step
    train, test = next(islice(FOLDS.split(features, labels), fold, None))
    estimator: Any = clone(MODELS[model])
    estimator.fit(features[train], labels[train])
    return {"model": model, "fold": fold, "accuracy": estimator.score(features[test], labels[test])}


@thornback.task
def warm_up() -> str:
    """A worker that has run this has imported scikit-learn."""
    return sklearn.__version__


@thornback.actor
class Trainer:
    def __init__(self, dataset: str) -> None:
        self.features, self.labels = DATASETS[dataset](return_X_y=True)
        self.steps = [(model, fold) for model in MODELS for fold in range(FOLDS.n_splits)]
        self.folds = {model: np.zeros(FOLDS.n_splits) for model in MODELS}

    def describe(self) -> dict[str, Any]:
        samples, features = self.features.shape
        size = {"samples": samples, "features": features, "steps": len(self.steps)}
        return {**size, "classes": len(np.unique(self.labels)), "pid": os.getpid()}

    def search(self) -> Iterator[Score]:
        """Each step is a task that reads the arrays in shared memory; scores come as they are."""
        features, labels = thornback.put(self.features), thornback.put(self.labels)
        pending = [evaluate.remote(step, features, labels) for step in self.steps]
        while pending:
            ready, pending = thornback.wait(pending)
            yield from map(self.note, thornback.get(ready))

    def search_alone(self) -> Iterator[Score]:
        """The same steps one after the other in this process, to compare with."""
        for step in self.steps:
            yield self.note(evaluate(step, self.features, self.labels))

    def note(self, score: Score) -> Score:
        self.folds[score["model"]][score["fold"]] = score["accuracy"]
        return score

    def result(self) -> dict[str, Any]:
        rows = [
            {"model": model, "mean": folds.mean(), "std": folds.std(), "folds": folds}
            for model, folds in self.folds.items()
        ]
        rows.sort(key=lambda row: -row["mean"])
        return {"ranking": rows, "bytesShared": thornback.stats()["bytes_shared"]}
