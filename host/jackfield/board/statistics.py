"""The spread of boards of one kind, as the spec's profiles give it.

Standard deviations, one draw per board, as fractions of full scale unless the name says otherwise: gain of
the gain range, threshold of the threshold range, currents of the cell's output limit, voltages of the rail.
"""

__all__ = ["OSCILLATOR_STATISTICS", "STATISTICS"]

STATISTICS = {
    "gain_relative": "cell gain, relative to its own value",
    "gain_zero_lsb": "gain at code zero, in LSB",
    "gain_inl_lsb": "integral non-linearity of the gain DAC, in LSB",
    "threshold_offset": "threshold offset, of the threshold range",
    "cell_current_offset": "current that flows whatever the voltages, of the output limit",
    "knee": "width of the cell's knee, of the rail (the same for every cell)",
    "saturation": "current at which a cell saturates, of the output limit (the same for every cell)",
    "capacitance_relative": "node capacitance",
    "leak_mean": "mean leak, as the relative loss in C_ref over 100 us",
    "leak_relative": "spread of the leak, relative to its mean",
    "node_offset_current": "offset current of a node, of the output limit",
    "preset_gain": "gain of the preset DAC and of the trim DAC, relative",
    "preset_offset": "offset of the preset DAC, of the rail",
    "probe_gain": "gain of a probe, relative",
    "probe_offset": "offset of a probe, of the rail",
    "droop_per_slot": "relative loss of a held node in one slot",
    "node_noise": "noise of a node, one value a run, of the rail",
    "readout_noise": "noise of a probe, one value a sample, of the rail",
    "gain_drift_per_k": "gain drift, relative, a kelvin from 25 C",
    "offset_drift_per_k": "threshold drift, of its range, a kelvin from 25 C",
    "walk_per_hour": "random walk of gain (relative) and threshold (of its range) in one hour",
    "defect_rate": "dead, open, stuck and swapped cells, each",
    "bank_switch_charge": "voltage step of a node at a bank switch, of the rail (unknown to the twin)",
    "crosstalk": "share of the neighbouring probe in a probe's output (unknown to the twin)",
}

OSCILLATOR_STATISTICS = {
    "frequency_relative": "resonance of a resonator",
    "quality_relative": "Q of a resonator",
    "gain_relative": "gain of a cell, relative to its own value",
    "phase_offset_deg": "constant phase between a resonator and what its probe shows, in degrees",
    "comparator_jitter": "noise of one spike of a phase comparator, in periods",
    "probe_gain": "gain of a probe, relative",
    "probe_offset": "offset of a probe, of the rail",
    "crosstalk": "share of the neighbouring probe in a probe's output (unknown to the host)",
    "readout_noise": "noise of a probe, one value a sample, of the rail",
}
"""The same of boards of kind "oscillator"."""
