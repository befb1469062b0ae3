"""Powers of two, the same bits wherever they are computed: what is left of a point after a time is one.

The platform's `pow` differs from machine to machine in the last bit, and compiled code may use another one than Python does; a score
that differs in its last bit may cross a threshold elsewhere. So the power is plain arithmetic of our own: a table of the powers of
2^(1/32), and the exponential series for the rest.
"""

import math
from decimal import Decimal, localcontext

import numpy as np

from schemas.compiling import compiled

_LEAST, _MOST = -1074, 1023
_PARTS = 32


def _rounded_once() -> tuple[list[float], list[float]]:
    """2^(k/32) for k < 32, and ln(2)^k / k! from k = 6 down to 0: each rounded once, from forty digits."""
    with localcontext(prec=40):
        natural = Decimal(2).ln()
        roots = [float(Decimal(2) ** (Decimal(part) / _PARTS)) for part in range(_PARTS)]
        return roots, [float(natural**power / math.factorial(power)) for power in range(6, -1, -1)]


_ROOTS, _TERMS = map(np.array, _rounded_once())
_WHOLE = np.array([math.ldexp(1.0, exponent) for exponent in range(_LEAST, _MOST + 1)])


@compiled
def power_of_two(exponent: float) -> float:
    """2 to the power of `exponent`: within two units in the last place, exact for whole numbers."""
    if exponent < _LEAST:
        return 0.0
    if exponent > _MOST:
        return np.inf
    parts = int(math.floor(exponent * _PARTS + 0.5))  # noqa: RUF046  (compiled, floor gives a float)
    fraction = exponent - parts / _PARTS
    power = _TERMS[0]
    for place in range(1, _TERMS.size):
        power = power * fraction + _TERMS[place]
    return float(power * _ROOTS[parts % _PARTS] * _WHOLE[parts // _PARTS - _LEAST])
