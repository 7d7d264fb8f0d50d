"""Diagnostics: collected, gated by phase, de-duplicated, sorted and printed with the source line."""

import difflib
from dataclasses import dataclass, field

from .ast import Loc


# Every code, with the phase that reports it.  `specc explain CODE` says more; tests/codegen/bad has an
# example of each.
CODES = {
	"syntax": "syntax",
	"undef": "names", "dup": "names", "dup-name": "names", "dup-value": "names", "range": "names",
	"unused-param": "names", "unnumbered": "names", "action": "names",
	"unbounded": "layout", "after-rest": "layout", "align": "layout", "underflow": "layout",
	"derived-loop": "layout", "type": "layout", "no-number": "layout", "no-payload": "layout",
	"open-switch": "layout", "algorithm": "layout",
	"ambiguous": "shapes", "too-large": "shapes", "redundant": "shapes", "integrity": "shapes",
	"clear-secret": "shapes", "emit-gap": "shapes",
	"nondet": "machines", "role": "machines", "no-shape": "machines", "guard-early": "machines",
	"unreachable": "machines", "dead-end": "machines", "loss": "machines", "deadlock": "machines",
	"uncovered": "machines", "prepare": "machines",
	"key-order": "keys", "key-avail": "keys",
}


@dataclass
class Diagnostic:
	severity: str			# error, warning
	code: str
	message: str
	loc: Loc
	notes: list = field(default_factory=list)	# (message, Loc or None)
	hints: list = field(default_factory=list)


class Diagnostics:
	"""Collects what the checks find.  `sources` maps a file name to its lines."""

	def __init__(self, sources):
		self.sources = sources
		self.found = []
		self.allowed = []	# (code, file, first line, last line)

	def report(self, severity, code, message, loc, notes=(), hint=None, hints=()):
		if code not in CODES:
			raise KeyError(code)
		all_hints = list(hints) + ([hint] if hint else [])
		self.found.append(Diagnostic(severity, code, message, loc, list(notes), all_hints))

	def error(self, code, message, loc, **more):
		self.report("error", code, message, loc, **more)

	def warning(self, code, message, loc, **more):
		self.report("warning", code, message, loc, **more)

	def allow(self, code, file, first, last):
		"""Silences the warnings of one code within the lines of one declaration."""
		self.allowed.append((code, file, first, last))

	def _silenced(self, d):
		return d.severity == "warning" and any(
			d.code == code and d.loc.file == file and first <= d.loc.line <= last
			for code, file, first, last in self.allowed)

	def final(self):
		"""What is to be shown: one report for each (place, code), in order of place."""
		seen, out = set(), []
		for d in sorted(self.found, key=lambda d: (d.loc.file, d.loc.line, d.loc.col, d.code)):
			key = (d.loc.file, d.loc.line, d.loc.col, d.code)
			if key in seen or self._silenced(d):
				continue
			seen.add(key)
			out.append(d)
		return out

	def errors(self):
		return sum(d.severity == "error" for d in self.found)

	def failed(self):
		return self.errors() > 0

	def text(self):
		return "\n".join(self._one(d) for d in self.final())

	def _one(self, d):
		lines = [head(d.loc, d.severity, d.message, d.code)]
		lines += self._excerpt(d.loc, "^")
		for message, loc in d.notes:
			if loc is None:
				lines.append("      = note: " + message)
			else:
				lines.append(head(loc, "note", message, None))
				lines += self._excerpt(loc, "-")
		lines += ["      = hint: " + h for h in d.hints]
		return "\n".join(lines) + "\n"

	def _excerpt(self, loc, mark):
		source = self.sources.get(loc.file)
		if source is None or not 1 <= loc.line <= len(source):
			return []
		line = source[loc.line - 1]
		before = line[:loc.col - 1]
		pad = "".join("\t" if c == "\t" else " " for c in before)
		return ["%5d | %s" % (loc.line, line), "      | %s%s" % (pad, mark * max(1, loc.length))]


def head(loc, severity, message, code):
	tail = " [%s]" % code if code else ""
	return "%s:%d:%d: %s: %s%s" % (loc.file, loc.line, loc.col, severity, message, tail)


def did_you_mean(word, known):
	"""A hint naming the nearest known word, or None."""
	close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
	return "did you mean '%s'?" % close[0] if close else None
