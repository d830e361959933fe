"""From texts and labels to a bundle: pre-training, fine-tuning, calibration, evaluation, export."""
