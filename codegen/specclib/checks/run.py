"""Runs the phases in order; the first that finds an error is the last."""

from ..resolve import resolve

PHASES = ()


def check(spec, diags):
	"""The model, or None when there are errors."""
	if diags.failed():
		return None
	model = resolve(spec, diags)
	for phase in PHASES:
		if diags.failed():
			return None
		phase(model, diags)
	return None if diags.failed() else model
