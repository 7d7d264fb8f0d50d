"""Resolves columns, suites, reasons, protocols and options."""

import itertools
import re

from . import model as m

REASON_TYPES = ("u32", "u64", "string", "bytes", "addr", "endpoint", "subnet")
FAULT_PARAMS = ("where", "field", "offset", "got", "want")	# what every fault of the parsers brings
PROTOCOL_TYPES = ("flag", "u8", "u16", "u32", "u64", "string", "bytes", "addr", "subnet", "endpoint")
OPTION_TYPES = ("u8", "u16", "u32", "u64", "string", "path", "addr", "id", "subnet", "port", "enum", "data", "alg",
	"endpoint", "bytes", "duration", "classes")
STATUSES = "whack_status"
PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([A-Za-z0-9_]*)\}|[{}]")
COMMON_FORM = "common"


class PolicyResolver:
	def policy(self):
		for c in self.spec.columns:
			self.columns(c)
		for s in self.spec.suites:
			if s.name.text not in self.model.suites:
				self.suite(s, ())
		for r in self.spec.reasons:
			self.reason(r)
		for p in self.spec.protocols:
			self.protocol(p)
		self.options()

	def protocol_value(self, name):
		registry = self.model.registries.get(m.PROTOCOLS)
		if registry is None:
			self.undef("protocol", name, (), "declare registry %s" % m.PROTOCOLS)
			return None
		return self.symbol(name, registry)

	# ---- suites

	def columns(self, decl):
		protocol = self.protocol_value(decl.name)
		if protocol is None:
			return
		table = self.model.attributes_for.get(protocol)
		made = m.Columns(protocol, [], decl)
		for name, attribute in decl.columns:
			found = None
			if attribute is not None:
				found = self.lookup("attribute", attribute, table.by_name if table else {})
			made.columns.append((name.text, found))
		self.model.columns.setdefault(protocol, made)

	def suite(self, decl, busy):
		"""Resolves a suite after those it inherits."""
		protocol = self.protocol_value(decl.protocol)
		made = m.Suite(decl.name.text, protocol or 0, decl.protocol.text, [], decl.clauses.citation(), decl.doc,
			decl)
		columns = self.suite_columns(decl, protocol)
		for row in decl.rows:
			if hasattr(row, "cells"):
				if columns is not None:
					self.suite_row(made, columns, row, decl.heading)
				continue
			other = next((s for s in self.spec.suites if s.name.text == row.name.text), None)
			if other is None:
				self.undef("suite", row.name, [s.name.text for s in self.spec.suites])
			elif other.name.text in busy + (decl.name.text,):
				self.diags.error("undef", "suite '%s' inherits itself" % row.name.text, row.name.loc)
			else:
				if other.name.text not in self.model.suites:
					self.suite(other, busy + (decl.name.text,))
				inherited = self.model.suites.get(other.name.text)
				if inherited is not None:
					made.rows += [r for r in inherited.rows if not same_row(r, made.rows)]
		self.model.suites[made.name] = made

	def suite_columns(self, decl, protocol):
		known = self.model.columns.get(protocol)
		if known is None:
			if protocol is not None and decl.heading:
				self.undef("columns of", decl.protocol, (), "declare: columns for %s { ... }"
					% decl.protocol.text)
			return None
		by_name, found = dict(known.columns), []
		for h in decl.heading:
			if h.text not in by_name:
				self.undef("column", h, by_name)
				return None
			found.append(by_name[h.text])
		return found

	def suite_row(self, suite, columns, row, heading):
		choices = []
		for attribute, cell, head in zip(columns, row.cells, heading):
			registry = attribute.registry if attribute else self.transforms(suite.protocol)
			values = [self.suite_value(v, registry, head) for v in cell]
			if None in values:
				return
			choices.append([(attribute, v, n) for v, n in zip(values, cell)] or [(attribute, None, None)])
		for combination in itertools.product(*choices):
			made = m.SuiteRow(self.only_transform(suite.protocol), [], [], row)
			for attribute, value, name in combination:
				if value is None:
					continue
				made.names.append(name.text if hasattr(name, "text") else str(value))
				if attribute is None:
					made.transform = value
				else:
					made.cells.append((attribute.number, value))
			if same_row(made, suite.rows):
				self.diags.error("dup", "this transform is already in suite '%s'" % suite.name, row.loc,
					notes=[("here", same_row(made, suite.rows).decl.loc)])
			suite.rows.append(made)

	def transforms(self, protocol):
		switch = self.model.switches.get(m.TRANSFORMS)
		return switch.branches.get(protocol) if switch else None

	def only_transform(self, protocol):
		registry = self.transforms(protocol)
		named = [e for e in registry.entries if e.kind == "named"] if registry else []
		return named[0].lo if len(named) == 1 else 0

	def suite_value(self, v, registry, head):
		if hasattr(v, "value"):
			return v.value
		if registry is None:
			self.undef("value", v, (), "column '%s' takes numbers" % head.text)
			return None
		for e in registry.entries:
			if e.kind == "named" and v.text in (e.symbol, e.logged):
				return e.lo
		self.symbol(v, registry)
		return None

	# ---- reasons

	def reason(self, r):
		status = None
		if r.status is not None:
			registry = self.model.registries.get(STATUSES)
			status = self.symbol(r.status, registry) if registry else self.undef("status", r.status, ())
		params = []
		for p in r.params:
			kind = p.type.text
			if kind not in REASON_TYPES:
				self.undef("type of parameter", p.type, REASON_TYPES, "the types are " + ", ".join(REASON_TYPES))
			params.append((p.name.text, kind))
		made = m.Reason(r.name.text, params, self.notify(r.notify), status, r.status.text if r.status else None,
			self.template(r.template, r.template_loc, params),
			self.template(r.remedy, r.remedy_loc, params) if r.remedy is not None else None, r.text, r.doc, r)
		used = {piece[0] for piece in made.template + (made.remedy or []) if isinstance(piece, tuple)}
		for p in r.params:
			if p.name.text not in used and p.name.text not in FAULT_PARAMS:
				self.diags.warning("unused-param", "parameter '%s' of reason '%s' is in no text" % (
					p.name.text, r.name.text), p.name.loc)
		self.model.reasons.setdefault(made.name, made)

	def template(self, text, loc, params):
		"""Pieces of text, and (name, type) for each {name}; {{ and }} are braces."""
		types, pieces, at = dict(params), [], 0
		for match in PLACEHOLDER.finditer(text):
			if match.start() > at:
				pieces.append(text[at:match.start()])
			at = match.end()
			if match.group() in ("{{", "}}"):
				pieces.append(match.group()[0])
			elif match.group(1) is None or match.group(1) not in types:
				self.diags.error("undef", "the text names {%s}, which is no parameter" % (match.group(1) or ""),
					loc, hint=("the parameters are " + ", ".join(types)) if types else
					"declare it: NAME (%s TYPE)" % (match.group(1) or "x"))
			else:
				pieces.append((match.group(1), types[match.group(1)]))
		if at < len(text):
			pieces.append(text[at:])
		return pieces

	# ---- protocols and options

	def protocol(self, p):
		groups = [g.name.text for g in p.groups]
		for record in list(p.groups) + list(p.messages):
			for f in record.fields:
				name = f.type.text
				if name in PROTOCOL_TYPES or name in groups or name in self.model.registries \
					or name in self.model.bits:
					continue
				self.undef("type", f.type, list(PROTOCOL_TYPES) + groups + list(self.model.registries))

	def options(self):
		forms = {}
		for f in self.spec.forms:
			forms.setdefault(f.program.text, {})[f.name.text] = f
		by_form = {}
		for o in self.spec.options:
			if o.program.text not in forms:
				self.undef("program", o.program, forms)
				continue
			for form in o.forms:
				if form.text != COMMON_FORM:
					self.lookup("form", form, forms[o.program.text])
				by_form.setdefault((o.program.text, form.text), set()).add(o.name.text)
			if o.type is not None and o.type.text not in OPTION_TYPES:
				self.undef("type of value", o.type, OPTION_TYPES)
		for f in self.spec.forms:
			own = by_form.get((f.program.text, f.name.text), set())
			for r in f.requires:
				if r.text not in own:
					self.undef("option", r, own)


def same_row(row, rows):
	return next((r for r in rows if r.transform == row.transform and r.cells == row.cells), None)
