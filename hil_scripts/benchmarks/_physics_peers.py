"""Other ways to run a circuit forward and back: the published layer, clean torch, odeint_adjoint, diffrax."""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torchdiffeq import odeint, odeint_adjoint

from jackfield.physics import Circuit, EdgeSet, Slice, Topology, integrate

__all__ = ["Problem", "adjoint", "clean", "diffrax_job", "ours", "problem", "published"]

Job = Callable[[], tuple[Tensor, Tensor]]  # -> v(T) [batch, node], the loss's gradient to all parameters


@dataclass(frozen=True)
class Problem:
    """A slice of one time unit, its parameters (leaves) and v(0); `steps` of the 3/8 rule."""

    name: str
    topology: Topology
    law: str
    parameters: dict[str, Tensor]
    v0: Tensor
    steps: int

    def to(self, dtype: torch.dtype) -> "Problem":
        """The same numbers in another precision."""
        parameters = {name: x.detach().to(dtype).requires_grad_() for name, x in self.parameters.items()}
        return Problem(self.name, self.topology, self.law, parameters, self.v0.to(dtype), self.steps)


def problem(name: str, topology: Topology, batch: int, steps: int, law: str = "shifted_relu") -> Problem:
    """Parameters as a network's training begins with: thresholds N(0, 0.05), gains N(0, 0.5/sqrt(degree))."""
    draw = torch.Generator().manual_seed(0)
    count = len(topology.source)
    spread = {"threshold": 0.05, "c": 0.05}
    degree = math.sqrt(count / topology.nodes)
    names = {"shifted_relu": ("gain", "threshold"), "tanh_diff": ("a", "b", "c")}[law]
    parameters = {}
    for parameter in names:
        size = spread.get(parameter, 0.5 / degree if parameter != "b" else 1.0)
        parameters[parameter] = (size * torch.randn(count, generator=draw)).requires_grad_()
    return Problem(name, topology, law, parameters, torch.rand(batch, topology.nodes, generator=draw), steps)


def _finished(p: Problem, v: Tensor) -> tuple[Tensor, Tensor]:
    gradients = torch.autograd.grad(v.square().mean(), list(p.parameters.values()))
    return v.detach(), torch.cat(gradients)


def ours(p: Problem, steps: int | None = None, method: str = "rk4") -> Job:
    """The kernel."""
    edges = EdgeSet(p.law, p.topology.source, p.topology.destination, p.parameters)
    nodes, dtype = p.topology.nodes, p.v0.dtype
    circuit = Circuit(nodes, (Slice(1.0, (edges,)),), torch.ones(nodes, dtype=dtype), torch.zeros(nodes, dtype=dtype))
    return lambda: _finished(p, integrate(circuit, p.v0, steps=steps or p.steps, method=method)[-1])


class _PublishedLayer(nn.Module):
    """The published form: batch first with ground as a column, gather both ends, law, scatter-add into each end."""

    def __init__(self, p: Problem) -> None:
        super().__init__()
        self.law, self.count = p.law, p.topology.nodes + 1
        self.source = p.topology.source.expand(len(p.v0), -1)
        self.destination = p.topology.destination.expand(len(p.v0), -1)
        self.values = nn.ParameterDict({name: nn.Parameter(x.detach()) for name, x in p.parameters.items()})
        self.free = torch.ones(self.count, dtype=p.v0.dtype).index_fill(0, torch.tensor(0), 0.0)

    def forward(self, _t: Tensor, v: Tensor) -> Tensor:
        """dv/dt of [batch, 1 + node]."""
        v_s, v_d = torch.gather(v, 1, self.source), torch.gather(v, 1, self.destination)
        i = _current(self.law, v_s, v_d, self.values)
        into = torch.zeros_like(v).scatter_add(1, self.destination, i).scatter_add(1, self.source, -i)
        return into * self.free


def _current(law: str, v_s: Tensor, v_d: Tensor, values: Any) -> Tensor:
    if law == "shifted_relu":
        current: Tensor = values["gain"] * torch.relu(v_s - v_d - values["threshold"])
    else:
        current = values["a"] * torch.tanh(values["b"] * (v_s - v_d) + values["c"])
    return current


def _grounded(v0: Tensor) -> Tensor:
    return torch.cat([torch.zeros_like(v0[:, :1]), v0], dim=1)


def _layer_gradient(layer: nn.Module, v: Tensor) -> tuple[Tensor, Tensor]:
    v = v[:, 1:]
    gradients = torch.autograd.grad(v.square().mean(), list(layer.parameters()))
    return v.detach(), torch.cat(gradients)


def published(p: Problem) -> Job:
    """The published layer through torchdiffeq's rk4, autograd through the steps."""
    layer, grid = _PublishedLayer(p), torch.linspace(0, 1, p.steps + 1, dtype=p.v0.dtype)
    return lambda: _layer_gradient(layer, odeint(layer, _grounded(p.v0), grid, method="rk4")[-1])


def adjoint(p: Problem, tolerance: float) -> Job:
    """The published layer and setting: odeint_adjoint by dopri5."""
    layer, ends = _PublishedLayer(p), torch.tensor([0.0, 1.0], dtype=p.v0.dtype)
    options: dict[str, Any] = {"method": "dopri5", "rtol": tolerance, "atol": tolerance}
    return lambda: _layer_gradient(layer, odeint_adjoint(layer, _grounded(p.v0), ends, **options)[-1])


def clean(p: Problem, sparse: bool) -> Job:
    """As good as torch alone gets: node first, no copy of ground; index_add, or products with sparse incidences."""
    source, destination = p.topology.source, p.topology.destination
    grid = torch.linspace(0, 1, p.steps + 1, dtype=p.v0.dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sparse CSR is in beta, torch says
        drop, gather = (_incidence(p, turned) for turned in (True, False))

    nothing = torch.zeros((), dtype=p.v0.dtype)

    def field(_t: Tensor, v: Tensor) -> Tensor:
        values = {name: x[:, None] for name, x in p.parameters.items()}
        if sparse:
            return gather @ _current(p.law, drop @ v, nothing, values)
        full = torch.cat([torch.zeros_like(v[:1]), v])
        i = _current(p.law, full.index_select(0, source), full.index_select(0, destination), values)
        return torch.zeros_like(full).index_add(0, destination, i).index_add(0, source, -i)[1:]

    return lambda: _finished(p, odeint(field, p.v0.T.contiguous(), grid, method="rk4")[-1].T)


def _incidence(p: Problem, turned: bool) -> Tensor:
    """v_s - v_d [edge, node] of nodes if `turned`, else currents into nodes [node, edge]; ground left out."""
    source, destination, edge = p.topology.source, p.topology.destination, torch.arange(len(p.topology.source))
    rows, columns = torch.cat([source, destination]), torch.cat([edge, edge])
    values = torch.cat([torch.ones(len(edge)), -torch.ones(len(edge))]).to(p.v0.dtype)
    kept = rows > 0
    where = torch.stack([rows[kept] - 1, columns[kept]])
    shape = (p.topology.nodes, len(edge))
    if turned:
        return torch.sparse_coo_tensor(where.flip(0), values[kept], shape[::-1]).to_sparse_csr()
    return torch.sparse_coo_tensor(where, -values[kept], shape).to_sparse_csr()


def diffrax_job(p: Problem) -> Job:
    """diffrax under jax.jit with the same scheme, taught as a tableau; reverse mode through the recorded steps.

    Raises ImportError where the extra `peers` is missing.
    """
    import jax
    import jax.numpy as jnp
    import numpy as np

    source, destination = (jnp.asarray(x.numpy()) for x in (p.topology.source, p.topology.destination))
    values = {name: jnp.asarray(x.detach().numpy()) for name, x in p.parameters.items()}
    start = jnp.asarray(_grounded(p.v0).numpy().T.copy())

    def field(_t: Any, v: Any, values: Any) -> Any:
        v_s, v_d = v[source], v[destination]
        columns = {name: x[:, None] for name, x in values.items()}
        if p.law == "shifted_relu":
            i = columns["gain"] * jax.nn.relu(v_s - v_d - columns["threshold"])
        else:
            i = columns["a"] * jnp.tanh(columns["b"] * (v_s - v_d) + columns["c"])
        return jnp.zeros_like(v).at[destination].add(i).at[source].add(-i).at[0].set(0.0)

    run = jax.jit(jax.value_and_grad(_diffrax_loss(field, p.steps), has_aux=True))

    def job() -> tuple[Tensor, Tensor]:
        (_, v), gradients = run(values, start)
        flat = [torch.from_numpy(np.asarray(gradients[name]).copy()) for name in values]
        return torch.from_numpy(np.asarray(v).T.copy()), torch.cat(flat)

    return job


def _diffrax_loss(field: Any, steps: int) -> Any:
    import diffrax
    import jax.numpy as jnp
    import numpy as np

    class ThreeEighths(diffrax.AbstractERK):  # type: ignore[misc]
        """The rule of the kernel."""

        tableau = diffrax.ButcherTableau(
            c=np.array([1 / 3, 2 / 3, 1.0]),
            b_sol=np.array([1 / 8, 3 / 8, 3 / 8, 1 / 8]),
            b_error=np.zeros(4),
            a_lower=(np.array([1 / 3]), np.array([-1 / 3, 1.0]), np.array([1.0, -1.0, 1.0])),
        )
        interpolation_cls = diffrax.ThirdOrderHermitePolynomialInterpolation.from_k

        def order(self, terms: Any) -> int:
            """Of convergence."""
            return 4

    def loss(values: Any, v0: Any) -> Any:
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(field), ThreeEighths(), 0.0, 1.0, 1.0 / steps, v0, values,
            stepsize_controller=diffrax.ConstantStepSize(), saveat=diffrax.SaveAt(t1=True), max_steps=steps + 1,
            adjoint=diffrax.RecursiveCheckpointAdjoint(checkpoints=steps + 1),
        )  # fmt: skip
        v = solution.ys[-1][1:]
        return jnp.mean(v**2), v

    return loss
