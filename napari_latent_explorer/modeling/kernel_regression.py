r"""Kernel regression with the neural tangent kernel, for many targets of the same people at once.

Up to `MAX_CHOLESKY` people :math:`(K + \lambda I)\,a = y` is solved exactly, for a grid of :math:`\lambda` of which the
validation people choose, target by target (the paper: "similar results can be obtained with regularized regression").
Above, kernel and factor would not fit into memory; there EigenPro iterates ridge-less regression, as in the paper, and
the validation people say, target by target, when to stop. Up to `MAX_KEPT` people the kernel is made once, in single
precision, above in blocks each time they are needed.

EigenPro's idea: plain gradient descent is as slow as the ratio of the kernel's first to its last eigenvalue. From a
sample *S* of people the first *q* eigenvectors are computed, and each step is shrunk along them to the *q*-th
eigenvalue, so that a step may be longer by that ratio and still converges to the same solution.

References
----------
Ma and Belkin, Kernel machines that adapt to GPUs for effective large batch training (EigenPro 2; 2019).
"""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.modeling.ntk import kernel_diagonal, neural_tangent_kernel

MAX_CHOLESKY = 20_000
"""People up to whom the kernel is solved exactly; its matrix and factor then take 6.4 GB."""
MAX_KEPT = 40_000
"""People up to whom EigenPro keeps the kernel, which then takes 6.4 GB."""
RIDGES = tuple(float(ridge) for ridge in np.logspace(-3, 3, 10))
"""Penalties to choose from, in units of the kernel's mean diagonal."""
N_SAMPLE = 2_000
N_SHRUNK = 160
"""EigenPro's sample and how many of its eigenvectors are shrunk."""
BATCH = 2_000
MAX_EPOCHS = 40
MAX_VALIDATION = 5_000
"""People by whom EigenPro is stopped; their kernel with all others is kept."""
PATIENCE = 4
"""Epochs without improvement of any target before EigenPro stops."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class KernelModel:
    """A fitted regression.

    Attributes
    ----------
    center, scale
        ``(n_inputs,)``: inputs are standardised by these, and divided by the root of `n_inputs`.
    support
        ``(n, n_inputs)`` standardised inputs of the people learned from.
    coefficients
        ``(n, n_targets)`` weights of their kernels.
    offset, unit
        ``(n_targets,)`` mean and standard deviation of each target.
    depth
        Of the kernel.
    chosen
        ``(n_targets,)`` what validation chose: the penalty in units of the mean diagonal, or EigenPro's epochs.
    solver
        ``cholesky`` or ``eigenpro``.
    """

    center: Floats
    scale: Floats
    support: Tensor
    coefficients: Tensor
    offset: Floats
    unit: Floats
    depth: int
    chosen: Floats
    solver: str

    def predict(self, x: NDArray[np.floating]) -> Floats:
        """Predict targets ``(m, n_targets)`` of inputs ``(m, n_inputs)``."""
        inputs = _standardised(x, self.center, self.scale, self.support)
        parts = [
            neural_tangent_kernel(part, self.support, self.depth) @ self.coefficients
            for part in torch.split(inputs, BATCH)
        ]
        standard = torch.cat(parts).double().cpu().numpy() if parts else np.zeros((0, len(self.unit)))
        return np.asarray(standard * self.unit + self.offset)


def fit_kernel_regression(
    x: NDArray[np.floating],
    y: Floats,
    x_valid: NDArray[np.floating],
    y_valid: Floats,
    *,
    depth: int = 1,
    max_cholesky: int = MAX_CHOLESKY,
    max_epochs: int = MAX_EPOCHS,
) -> Generator[Progress, None, KernelModel]:
    """Fit one regression per target on shared inputs.

    Parameters
    ----------
    x, y
        Inputs ``(n, n_inputs)`` and targets ``(n, n_targets)`` of the people to learn from; NaN for unknown targets.
        Yes and no are regressed as 1 and 0.
    x_valid, y_valid
        The same of the people who choose penalty or epoch.
    depth
        Hidden layers of the kernel's network.
    max_cholesky
        People up to whom it is solved exactly.
    max_epochs
        At most so many passes of EigenPro.

    Yields
    ------
    Progress
        After each penalty, or each batch.
    """
    x64 = np.asarray(x, dtype=np.float64)
    center, scale = x64.mean(axis=0), x64.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    offset, unit = np.nanmean(y, axis=0), np.nanstd(y, axis=0)
    unit = np.where(unit > 0, unit, 1.0)
    exact = len(x64) <= max_cholesky
    like = torch.empty(0, dtype=torch.float64 if exact else torch.float32, device=_device())
    support = _standardised(x64, center, scale, like)
    valid = _standardised(x_valid, center, scale, like)
    targets = torch.as_tensor((y - offset) / unit, dtype=like.dtype, device=like.device)
    goals = torch.as_tensor((y_valid - offset) / unit, dtype=like.dtype, device=like.device)
    if exact:
        coefficients, chosen = yield from _solve_exactly(support, targets, valid, goals, depth)
    else:
        coefficients, chosen = yield from _iterate(support, targets, valid, goals, depth, max_epochs)
    return KernelModel(
        center, scale, support, coefficients, offset, unit, depth, chosen, "cholesky" if exact else "eigenpro"
    )


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _standardised(x: NDArray[np.floating], center: Floats, scale: Floats, like: Tensor) -> Tensor:
    standard = (np.asarray(x, dtype=np.float64) - center) / (scale * np.sqrt(len(center)))
    return torch.as_tensor(standard, dtype=like.dtype, device=like.device)


def _errors(predicted: Tensor, goals: Tensor) -> Tensor:
    """Mean squared error ``(n_targets,)`` over the known; infinite where it is not a number."""
    return torch.nan_to_num((predicted - goals).square().nanmean(dim=0), nan=torch.inf, posinf=torch.inf)


# ------------------------------------------------------------------------------------------------------------ Cholesky


def _solve_exactly(
    support: Tensor, targets: Tensor, valid: Tensor, goals: Tensor, depth: int
) -> Generator[Progress, None, tuple[Tensor, Floats]]:
    """Coefficients and chosen penalties; targets that are known of the same people share the factorisation."""
    coefficients = torch.zeros_like(targets)
    chosen = np.full(targets.shape[1], np.nan)
    groups = _known_together(targets)
    total = len(groups) * len(RIDGES)
    yield Progress(0, total, "making the kernel")
    kernel = neural_tangent_kernel(support, support, depth)
    crossed = neural_tangent_kernel(valid, support, depth)
    unit = float(kernel.diagonal().mean())
    for number, (people, columns) in enumerate(groups):
        whole = len(people) == len(support)
        part, across = (kernel, crossed) if whole else (kernel[people][:, people], crossed[:, people])
        best = torch.full((len(columns),), torch.inf, dtype=kernel.dtype, device=kernel.device)
        for step, ridge in enumerate(RIDGES):
            found = _solve(part, unit * ridge, targets[people][:, columns])
            errors = _errors(across @ found, goals[:, columns])
            for better in torch.nonzero(errors < best).ravel().tolist():
                coefficients[people, columns[better]] = found[:, better]
                chosen[columns[better]] = ridge
            best = torch.minimum(best, errors)
            yield Progress(number * len(RIDGES) + step + 1, total, f"kernel regression on {len(people)} people")
    return coefficients, chosen


def _known_together(targets: Tensor) -> list[tuple[Tensor, list[int]]]:
    """Rows of the people, and the columns of the targets that are known of exactly these."""
    known = torch.isfinite(targets).cpu()
    groups: dict[bytes, list[int]] = {}
    for column in range(targets.shape[1]):
        groups.setdefault(known[:, column].numpy().tobytes(), []).append(column)
    rows = [(torch.nonzero(known[:, columns[0]]).ravel().to(targets.device), columns) for columns in groups.values()]
    return [(people, columns) for people, columns in rows if len(people)]


def _solve(kernel: Tensor, ridge: float, targets: Tensor) -> Tensor:
    matrix = kernel.clone()
    matrix.diagonal().add_(ridge)
    return torch.cholesky_solve(targets, torch.linalg.cholesky(matrix, out=matrix))


# ------------------------------------------------------------------------------------------------------------ EigenPro


@dataclass(frozen=True, slots=True, eq=False)
class _Preconditioner:
    """First eigenvectors ``(n_sample, q)`` of the kernel of a sample, and how much each is shrunk."""

    rows: Tensor
    vectors: Tensor
    shrinkage: Tensor
    largest_eigenvalue: float
    largest_diagonal: float

    @classmethod
    def of(cls, support: Tensor, depth: int) -> "_Preconditioner":
        random = torch.Generator().manual_seed(0)
        rows = torch.randperm(len(support), generator=random)[:N_SAMPLE].to(support.device)
        sample = support[rows].double()
        kernel = neural_tangent_kernel(sample, sample, depth)
        values, vectors = torch.linalg.eigh(kernel)
        q = min(N_SHRUNK, len(rows) // 4 + 1)
        values, vectors = values.flip(0)[: q + 1], vectors.flip(1)[:, :q]
        shrinkage = (1.0 - values[q] / values[:q]) / values[:q]
        left = kernel_diagonal(sample, depth) - ((kernel @ vectors).square() * shrinkage).sum(dim=1)
        kind = support.dtype
        return cls(
            rows, vectors.to(kind), shrinkage.to(kind), float(values[q] / len(rows)), float(left.max().clamp_min(1e-12))
        )

    def step(self, batch: int) -> float:
        """Longest step of a batch that surely converges."""
        return 0.95 * batch / (self.largest_diagonal + (batch - 1) * self.largest_eigenvalue)

    def correction(self, kernel: Tensor, residuals: Tensor) -> Tensor:
        """Return what to add on the sample's people, from their kernel with a batch and its residuals."""
        return self.vectors @ (self.shrinkage[:, None] * (self.vectors.T @ (kernel @ residuals)))


def _iterate(
    support: Tensor, targets: Tensor, valid: Tensor, goals: Tensor, depth: int, max_epochs: int
) -> Generator[Progress, None, tuple[Tensor, Floats]]:
    """Coefficients at each target's best step, and its epoch; noise is learned soon, so every step is validated."""
    yield Progress(0, max_epochs, "preparing EigenPro")
    precondition = _Preconditioner.of(support, depth)
    valid, goals = valid[:MAX_VALIDATION], goals[:MAX_VALIDATION]
    crossed = neural_tangent_kernel(valid, support, depth)
    current, best = torch.zeros_like(targets), torch.zeros_like(targets)
    errors = _errors(torch.zeros_like(goals), goals)
    chosen = np.zeros(targets.shape[1])
    random = torch.Generator().manual_seed(1)
    kept = (yield from _kernel_in_blocks(support, depth, max_epochs)) if len(support) <= MAX_KEPT else None
    for epoch in range(max_epochs):
        batches = torch.split(torch.randperm(len(support), generator=random).to(support.device), BATCH)
        for number, rows in enumerate(batches):
            kernel = neural_tangent_kernel(support[rows], support, depth) if kept is None else kept[rows]
            residuals = torch.nan_to_num(kernel @ current - targets[rows], nan=0.0)
            step = precondition.step(len(rows)) / len(rows)
            current[rows] -= step * residuals
            current[precondition.rows] += step * precondition.correction(kernel[:, precondition.rows].T, residuals)
            now = _errors(crossed @ current, goals)
            better = now < errors
            best[:, better], errors[better] = current[:, better], now[better]
            chosen[better.cpu().numpy()] = epoch + (number + 1) / len(batches)
            yield Progress(epoch, max_epochs, f"EigenPro on {len(support)} people")
        if epoch + 1 - chosen.max() >= PATIENCE:
            break
    return best, chosen


def _kernel_in_blocks(support: Tensor, depth: int, max_epochs: int) -> Generator[Progress, None, Tensor]:
    """Kernel ``(n, n)`` of the people with each other, with places to stop on the way."""
    kernel = support.new_empty(len(support), len(support))
    for start in range(0, len(support), BATCH):
        kernel[start : start + BATCH] = neural_tangent_kernel(support[start : start + BATCH], support, depth)
        yield Progress(0, max_epochs, f"making the kernel of {len(support)} people")
    return kernel
