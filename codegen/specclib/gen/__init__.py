"""Finds the generators: every module of this package that has outputs(model)."""

import importlib
import pkgutil


def generators():
	"""(name, module) of each generator, in name order."""
	found = []
	for info in sorted(pkgutil.iter_modules(__path__), key=lambda i: i.name):
		module = importlib.import_module(__name__ + "." + info.name)
		if hasattr(module, "outputs"):
			found.append((info.name, module))
	return found
