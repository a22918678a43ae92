import numpy as np
from numpy.typing import NDArray


def column_means(matrix: NDArray[np.float64], first: int, last: int) -> NDArray[np.float64]:
    """Reads the matrix where it lies, in shared memory: `matrix` is a read-only view."""
    assert not matrix.flags.owndata
    assert not matrix.flags.writeable
    return matrix[:, first:last].mean(axis=0)


def identity(size: int) -> NDArray[np.float64]:
    return np.eye(size)
