"""Runs the phases in order; the first that finds an error is the last."""

from ..resolve import resolve
from . import keys, layout, machines, names, shapes

PHASES = (layout.check, shapes.check, machines.check, keys.check)


def check(spec, diags):
	"""The model, or None when there are errors."""
	if diags.failed():
		return None
	names.check(spec, diags)
	model = resolve(spec, diags)
	for phase in PHASES:
		if diags.failed():
			return None
		phase(model, diags)
	return None if diags.failed() else model
