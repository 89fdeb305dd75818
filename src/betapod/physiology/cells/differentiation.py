"""Differentiation of engrafted cells into native lineages, and mal-differentiation."""

from __future__ import annotations

from ...model import Submodel


class CellDifferentiation(Submodel):
    """Product-derived differentiated cells of six lineages, and mal-differentiated cells in the kidney.

    An engrafted cell turns into a lineage at its rate ``xi`` times the deficit of that lineage: no replacement without loss. With
    `sw_deficit_gate` 0 the deficit counts as 1 (an upper bound, for use without host modules). The deficit is a softplus, which
    leaves ``gate_width*ln 2`` of it at health and never turns negative. What other modules get is the functional pool, native
    cells plus the functioning fraction of the product's. Where kidney and metabolism run, product-derived podocytes and beta cells
    live on in them (hooks `r_P` and `kneo`), so that their native numbers hold them already: `product_hosted` 1 keeps the pools
    from counting them twice. Endothelial, mesangial and tubular cells do so where they are claimed to arrive in their tissues
    (`arrive_end`, `arrive_mes`, `arrive_tub` 1; hooks `r_end`, `r_mes`, `r_N`).

    Each lineage has its switch. What a product can become may depend on its source and on the condition under which it was kept
    (`commitment_K`, `commitment_P`, set by an order): factors on the rates, 1 where nothing is known, as in every scenario but the claims.

    Mal-differentiation (adipocytes and fibroblasts in the glomerulus, Kunter 2007) happens after delivery through the renal
    artery or into the kidney.
    """

    reads = (
        "G_K [Mcell]",
        "G_P [Mcell]",
        "rejection [1/day]",
        "sw_differentiation [1]",
        *(f"sw_become_{lineage} [1]" for lineage in ("end", "pod", "mes", "tub", "beta", "ins")),
        "sw_ectopic [1]",
        "sw_conditions [1]",
        "commitment_K [1]",
        "commitment_P [1]",
        "sw_maldifferentiation [1]",
        "sw_deficit_gate [1]",
        "product_hosted [1]",
        "renal_delivery [1]",
        *(f"native_{lineage} [1]" for lineage in ("end", "pod", "mes", "tub", "beta", "ins")),
    )
    equations = """
    deficit(pool) = 1 - sw_deficit_gate*(1 - softplus(1 - pool, gate_width))                 [1]
    pool_end  = native_end  + (1 - product_hosted*arrive_end)*f_fun_end*Z_end/count_end       [1]  functional renal endothelial cells relative to normal
    pool_pod  = native_pod  + (1 - product_hosted)*f_fun_pod*Z_pod/count_pod       [1]  functional podocytes relative to normal
    pool_mes  = native_mes  + (1 - product_hosted*arrive_mes)*f_fun_mes*Z_mes/count_mes       [1]  functional mesangial cells relative to normal
    pool_tub  = native_tub  + (1 - product_hosted*arrive_tub)*f_fun_tub*Z_tub/count_tub       [1]  functional tubular cells relative to normal
    pool_beta = native_beta + (1 - product_hosted)*f_fun_beta*Z_beta/count_beta    [1]  functional beta cells relative to normal
    pool_ins  = sw_ectopic*native_ins + f_fun_ins*Z_ins/count_ins   [1]  functional extra-islet insulin cells relative to normal

    missing_beta = deficit(pool_beta)                     [1]  deficit of beta cells
    condition_K = 1 + sw_conditions*(commitment_K - 1)      [1]  condition and source of the product, on becoming kidney cells
    condition_P = 1 + sw_conditions*(commitment_P - 1)      [1]  condition and source of the product, on becoming insulin cells
    turn_end    = sw_differentiation*sw_become_end*xi_end*condition_K       [1/day]  differentiation into endothelium if all are missing
    turn_pod    = sw_differentiation*sw_become_pod*xi_pod*condition_K       [1/day]  differentiation into podocytes if all are missing
    turn_mes    = sw_differentiation*sw_become_mes*xi_mes*condition_K       [1/day]  differentiation into mesangial cells if all are missing
    turn_tub    = sw_differentiation*sw_become_tub*xi_tub*condition_K       [1/day]  differentiation into tubular cells if all are missing
    turn_beta   = sw_differentiation*sw_become_beta*xi_beta*condition_P     [1/day]  differentiation into beta cells if all are missing
    turn_ins    = sw_differentiation*sw_become_ins*sw_ectopic*xi_ins*condition_P
                                                                            [1/day]  differentiation into other insulin cells if all are missing
    become_end  = turn_end*deficit(pool_end)      [1/day]  differentiation into endothelium
    become_pod  = turn_pod*deficit(pool_pod)      [1/day]  differentiation into podocytes
    become_mes  = turn_mes*deficit(pool_mes)      [1/day]  differentiation into mesangial cells
    become_tub  = turn_tub*deficit(pool_tub)      [1/day]  differentiation into tubular cells
    become_beta = turn_beta*missing_beta          [1/day]  differentiation into beta cells
    become_ins  = turn_ins*deficit(pool_ins)      [1/day]  differentiation into other insulin cells
    become_mal  = sw_maldifferentiation*renal_delivery*xi_mal      [1/day]  mal-differentiation
    leaving_K   = become_end + become_pod + become_mes + become_tub + become_mal   [1/day]  leave the kidney niche
    leaving_P   = become_beta + become_ins                                         [1/day]  leave the pancreas niche

    lost_end  = (1/life_end  + rejection)*Z_end     [Mcell/day]  loss of product-derived endothelium
    lost_pod  = (1/life_pod  + rejection)*Z_pod     [Mcell/day]  loss of product-derived podocytes
    lost_mes  = (1/life_mes  + rejection)*Z_mes     [Mcell/day]  loss of product-derived mesangial cells
    lost_tub  = (1/life_tub  + rejection)*Z_tub     [Mcell/day]  loss of product-derived tubular cells
    lost_beta = (1/life_beta + rejection)*Z_beta    [Mcell/day]  loss of product-derived beta cells
    lost_ins  = (1/life_ins  + rejection)*Z_ins     [Mcell/day]  loss of product-derived insulin cells

    dZ_end/dt  = become_end*G_K - lost_end          [Mcell/day]
    dZ_pod/dt  = become_pod*G_K - lost_pod          [Mcell/day]
    dZ_mes/dt  = become_mes*G_K - lost_mes          [Mcell/day]
    dZ_tub/dt  = become_tub*G_K - lost_tub          [Mcell/day]
    dZ_beta/dt = become_beta*G_P - lost_beta        [Mcell/day]
    dZ_ins/dt  = become_ins*G_P - lost_ins          [Mcell/day]
    dZ_mal/dt  = become_mal*G_K                     [Mcell/day]
    Z_end(0)  = 0   [Mcell]  product-derived endothelial cells, kidney
    Z_pod(0)  = 0   [Mcell]  product-derived podocytes
    Z_mes(0)  = 0   [Mcell]  product-derived mesangial cells
    Z_tub(0)  = 0   [Mcell]  product-derived tubular cells
    Z_beta(0) = 0   [Mcell]  product-derived beta cells
    Z_ins(0)  = 0   [Mcell]  product-derived insulin cells outside islets
    Z_mal(0)  = 0   [Mcell]  mal-differentiated cells in the kidney

    Z_total    = Z_end + Z_pod + Z_mes + Z_tub + Z_beta + Z_ins + Z_mal                      [Mcell]  differentiated product cells
    deaths_Z   = lost_end + lost_pod + lost_mes + lost_tub + lost_beta + lost_ins            [Mcell/day]  their deaths
    share_beta = Z_beta/count_beta                      [1]  product-derived beta cells relative to a normal native number
    share_pod  = Z_pod/count_pod                        [1]  product-derived podocytes relative to a normal native number
    """
