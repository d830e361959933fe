"""Who is measured: a blend refitted on held rows knows nothing of the bundle's own calibration."""

from dataclasses import replace

import numpy as np
import pytest

from nlp.calibrate import Blend, Calibration
from nlp.petition import HEADS
from training.calibrate import fit_calibration
from training.classifier import label_arrays
from training.systems import BLEND, bundle_systems, read_branches


class NoisyBundle:
    """Scores every text by what it is called, alike each time; its own calibration is sure of everything."""

    def __init__(self, taxonomy):
        self.labels = taxonomy.labels

    def runtime(self):
        return self

    def calibration(self):
        return Calibration(blends=dict.fromkeys(HEADS, Blend(encoder=20.0, linear=0.0)), labels=self.labels)

    def read(self, text):
        rng = np.random.default_rng(len(text))
        encoder, linear = (
            {head: rng.normal(size=len(self.labels[head])).astype(np.float32) for head in HEADS} for _ in range(2)
        )
        return Read(encoder=encoder, linear=linear)


class Read:
    def __init__(self, **branches):
        self.__dict__.update(branches)


@pytest.mark.parametrize("refit", [False, True])
def test_a_refitted_blend_is_fitted_on_the_held_rows_alone(examples, taxonomy, refit):
    bundle = NoisyBundle(taxonomy)
    held, rows = examples[:60], [replace(e, id=f"{e.id}-later") for e in examples[60:90]]
    calibration = bundle.calibration()
    if refit:
        truth = label_arrays(held, taxonomy)
        held_branches = read_branches(bundle, [e.text for e in held])
        calibration = fit_calibration(*held_branches, {head: truth[head] for head in HEADS}, taxonomy.labels)
    expected = calibration.scores(*read_branches(bundle, [e.text for e in rows]))
    blend = bundle_systems(bundle, held=held, rows=rows, taxonomy=taxonomy, refit=refit)[0]
    assert blend.name == BLEND
    for head in HEADS:
        assert blend.answers[head].probabilities == pytest.approx(expected.probabilities[head], abs=1e-6)
