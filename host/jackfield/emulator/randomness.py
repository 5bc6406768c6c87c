"""Random numbers that are a pure function of their name.

Each is keyed by (spec, profile, seed, quantity) and an index. The words come from the counter-based
Philox 4x64 generator, whose stream numpy guarantees; the transforms are our own, so that no library's
new version changes a board.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Randomness", "inverse_normal"]

Floats = NDArray[np.float64]
_LANES = 4  # 16-bit lanes of a word; Philox also makes its words four at a time
_LANE_MEAN = _LANES * 65535 / 2
_LANE_SIGMA = float(np.sqrt(_LANES * (65536.0**2 - 1) / 12))


@dataclass(frozen=True)
class Randomness:
    """All the random numbers of one board: name a quantity, get as many as wanted from an index on."""

    spec: str
    profile: str
    seed: int

    def words(self, quantity: str, count: int, start: int = 0) -> NDArray[np.uint64]:
        """Raw 64-bit words number `start` to `start + count - 1`."""
        name = "\0".join((self.spec, self.profile, str(self.seed), quantity))
        key = np.frombuffer(hashlib.sha256(name.encode()).digest()[:16], dtype="<u8")
        skip = start % _LANES
        generator = np.random.Philox(counter=start // _LANES, key=key)
        return np.asarray(generator.random_raw(skip + count), dtype=np.uint64)[skip:]

    def uniforms(self, quantity: str, count: int, start: int = 0) -> Floats:
        """Uniform in the open interval (0, 1)."""
        return ((self.words(quantity, count, start) >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53

    def within(self, quantity: str, limit: float) -> float:
        """One number, uniform in (-limit, limit): an instrument's error inside its specification."""
        return limit * (2.0 * float(self.uniforms(quantity, 1)[0]) - 1.0)

    def normals(self, quantity: str, count: int, start: int = 0) -> Floats:
        """Standard normal."""
        return inverse_normal(self.uniforms(quantity, count, start))

    def noise(self, quantity: str, count: int, start: int = 0) -> Floats:
        """Unit variance, nearly normal (a sum of four 16-bit uniforms; |x| < 3.47): fast, for long records."""
        lanes = self.words(quantity, count, start).astype("<u8").view("<u2").reshape(-1, _LANES)
        total = lanes[:, 0].astype(np.float64)
        for lane in range(1, _LANES):
            total += lanes[:, lane]
        total -= _LANE_MEAN
        total /= _LANE_SIGMA
        return total


# M. J. Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37 (1988): numerators and denominators for
# the centre, the tails and the far tails, highest power first. Relative error about 1e-16.
_CENTRE = (
    (
        2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
        1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0,
    ),
    (
        5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
        5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0,
    ),
)  # fmt: skip
_TAIL = (
    (
        7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
        1.27045825245236838258e0, 3.64784832476320460504e0, 5.76949722146069140550e0,
        4.63033784615654529590e0, 1.42343711074968357734e0,
    ),
    (
        1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
        1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e0,
        2.05319162663775882187e0, 1.0,
    ),
)  # fmt: skip
_FAR_TAIL = (
    (
        2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
        2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e0,
        5.46378491116411436990e0, 6.65790464350110377720e0,
    ),
    (
        2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
        7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1,
        5.99832206555887937690e-1, 1.0,
    ),
)  # fmt: skip


def inverse_normal(probability: Floats) -> Floats:
    """The standard normal's quantiles of probabilities strictly between 0 and 1."""
    q = probability - 0.5
    result = q * _ratio(_CENTRE, 0.180625 - q * q)
    outside = np.flatnonzero(np.abs(q) > 0.425)
    if outside.size:
        p = probability[outside]
        r = np.sqrt(-np.log(np.minimum(p, 1.0 - p)))
        tail = np.where(r <= 5.0, _ratio(_TAIL, r - 1.6), _ratio(_FAR_TAIL, r - 5.0))
        result[outside] = np.copysign(tail, q[outside])
    return result


def _ratio(pair: tuple[tuple[float, ...], tuple[float, ...]], x: Floats) -> Floats:
    top, bottom = (np.zeros_like(x) for _ in range(2))
    for a, b in zip(*pair, strict=True):
        top = top * x + a
        bottom = bottom * x + b
    return np.asarray(top / bottom)
