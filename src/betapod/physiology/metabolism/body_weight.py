"""Body weight, ectopic fat and systemic inflammation."""

from ...model import Submodel


class BodyWeight(Submodel):
    """Weight tends to the person's own, shifted by diet and drugs, to which people respond differently.

    Assumptions
        Weight of single people wanders from the mean course of their group; `dWt_own` is where a person's own change leads, from the
        start of what is simulated on (0 unless a population says otherwise). Response times assumed.
    """

    reads = ("dWt [kg]", "weight_response_time [day]", "age [year]")
    equations = """
    age_weighed   = age + t/day_per_year             [year]    age now; integrators look for jumps where time stands in exponents alone
    weight_target = Wt + dWt*dWt_response + dWt_own*(1 - exp(-(age_weighed - age)*day_per_year/tau_own_weight))   [kg]   weight aimed at
    dBW/dt = (weight_target - BW)/weight_response_time    [kg/day]  body weight
    BW(0)  = BW_start                                [kg]      body weight
    """


class EctopicFat(Submodel):
    """Fat in liver and muscle: 0 in lean people, about 1 in typical T2D.

    It grows with weight above a personal threshold and follows weight within weeks. Tuned to liver fat in DiRECT (taylor2018).
    """

    reads = ("BW [kg]",)
    equations = """
    dectopic_fat/dt = (softplus((BW - fat_threshold_weight - fat_threshold_shift)/fat_weight_scale, fat_smoothing) - ectopic_fat)/tau_fat
                                             [1/day]  ectopic fat, about 1 in typical T2D
    ectopic_fat(0)  = ectopic_fat_start      [1]      ectopic fat, about 1 in typical T2D
    """


class SystemicInflammation(Submodel):
    """Systemic inflammation: a baseline, ectopic fat, and what is added (cell therapy below 0, uraemia above). Assumed."""

    reads = ("ectopic_fat [1]", "dJ [1]", "dJ_uraemia [1]", "dJ_drug [1]")
    equations = """
    dsystemic_inflammation/dt = (inflammation_baseline + inflammation_fat*ectopic_fat + dJ + dJ_uraemia + dJ_drug
        - systemic_inflammation)/tau_inflammation
                                                        [1/day]  systemic inflammation
    systemic_inflammation(0)  = systemic_inflammation_start   [1]    systemic inflammation
    """
