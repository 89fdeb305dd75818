"""diffrax on JAX, processor, float64. ``--variant kvaerno5:map`` (one patient after the other) or ``kvaerno3:vmap:16`` (batches)."""

import os

os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false"

import harness
import numpy as np


def make(case):
    import jax

    jax.config.update("jax_enable_x64", True)
    import diffrax
    import jax.numpy as jnp

    method, style, *batch = (case.variant or "kvaerno5:map").split(":")
    lines = ["def rates(t, y, c):", *(f"    {line}" for line in harness.source(case.program, "jnp"))]
    lines.append("    return jnp.stack([" + ", ".join(f"jnp.asarray(r{i})" for i in range(len(case.states))) + "])")
    space = {"jnp": jnp}
    exec("\n".join(lines), space)  # noqa: S102 our own generated lines
    solver = {"kvaerno3": diffrax.Kvaerno3, "kvaerno5": diffrax.Kvaerno5}[method]()
    visits = jnp.asarray(case.visits)
    control = diffrax.PIDController(rtol=case.rtol, atol=case.atol, pcoeff=0.3, icoeff=0.4)

    def one(constants, initial):
        return diffrax.diffeqsolve(
            diffrax.ODETerm(space["rates"]), solver, visits[0], visits[-1], 1e-5, initial, args=constants,
            saveat=diffrax.SaveAt(ts=visits), stepsize_controller=control, max_steps=10_000_000, throw=False,
        ).ys  # fmt: skip

    if style == "vmap":
        size = int(batch[0])
        together = jax.jit(jax.vmap(one))

        def simulate(patients):
            padded = np.resize(patients, -(-len(patients) // size) * size)
            parts = [
                np.asarray(together(case.constants[padded[k : k + size]], case.initial[padded[k : k + size]]))
                for k in range(0, len(padded), size)
            ]
            return _failed_as_nan(np.concatenate(parts)[: len(patients)])
    else:
        alone = jax.jit(one)

        def simulate(patients):
            return _failed_as_nan(
                np.stack([np.asarray(alone(case.constants[patient], case.initial[patient])) for patient in patients])
            )

    return simulate


def _failed_as_nan(values):
    values = values.copy()
    values[~np.isfinite(values)] = np.nan
    return values


if __name__ == "__main__":
    from importlib.metadata import version

    # A forked process inherits threads of JAX that are not there.
    harness.main(make, "diffrax", f"{version('diffrax')}, jax {version('jax')}", start="spawn")
