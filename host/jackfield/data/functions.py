"""What a circuit's voltages are fitted to: functions of inputs, and dynamical systems from their trajectories."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from jackfield.errors import DesignError

__all__ = ["FUNCTIONS", "Trajectories", "trajectories"]

Floats = NDArray[np.float32]
TIMES = 4  # of a unit of time, at which trajectories are seen
GROWTH, MIGRATION = (2.0, 1.2), 0.6
STEEPNESS = 0.5


@dataclass(frozen=True, eq=False)
class Trajectories:
    """Inputs `x[example, input]` and `wanted[time, example, output]`, in machine units, for training and held out.

    One time is a function of the inputs; more of them, equally spaced in one unit of time, are trajectories.
    """

    name: str
    x_train: Floats
    wanted_train: Floats
    x_test: Floats
    wanted_test: Floats


def _saddle(random: np.random.Generator, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A function of two inputs: y = 0.5 (x1^2 - x2^2)."""
    x = random.uniform(-1, 1, (count, 2))
    return x, STEEPNESS * (x[:, :1] ** 2 - x[:, 1:] ** 2)[None]


def _populations(random: np.random.Generator, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two populations that grow logistically, u' = r u (1 - u), and migrate to and fro."""
    x, r = random.uniform(0.05, 0.95, (count, 2)), np.array(GROWTH)

    def slopes(t: float, flat: NDArray[np.float64]) -> NDArray[np.float64]:
        u = flat.reshape(-1, 2)
        return np.asarray((r * u * (1 - u) + MIGRATION * (u[:, ::-1] - u)).reshape(-1))

    seen = solve_ivp(slopes, (0, 1), x.reshape(-1), t_eval=np.arange(1, TIMES + 1) / TIMES, rtol=1e-8, atol=1e-10)
    return x, seen.y.T.reshape(TIMES, count, 2)


FUNCTIONS = {"saddle": _saddle, "populations": _populations}


def trajectories(name: str, count: int = 200, seed: int = 0) -> Trajectories:
    """`count` examples of the function or system `name`, every second one held out."""
    if name not in FUNCTIONS:
        raise DesignError(f"{name!r} is asked; there are {', '.join(FUNCTIONS)}")
    x, wanted = (part.astype(np.float32) for part in FUNCTIONS[name](np.random.default_rng(seed), count))
    title = f"{name}, {count} examples, seed {seed}"
    return Trajectories(title, x[::2], wanted[:, ::2], x[1::2], wanted[:, 1::2])
