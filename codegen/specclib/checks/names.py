"""Phase `names`, what resolving does not see: things declared twice, and numbers that do not fit."""

from ..parse_base import INTS


def check(spec, diags):
	"""Works on the syntax tree: runs beside resolve()."""
	declared_twice(spec, diags)
	for r in spec.registries:
		registry(r, diags)
	for b in spec.bits:
		bits(b, diags)
	for a in spec.attributes:
		attributes(a, diags)
	for s in spec.structs:
		unique(diags, "dup", "field '%s' of '" + s.name.text + "'", [p.name for p in s.params]
			+ [f.name for f in s.fields])
	for k in spec.keys:
		for i in k.inputs:
			for f in k.formulas:
				if f.name.text == i.name.text:
					twice(diags, "dup", "value '%s'" % f.name.text, f.name, i.name)
	for p in spec.protocols:
		protocol(p, diags)
	options(spec, diags)
	for r in spec.reasons:
		unique(diags, "dup", "parameter '%s'", [p.name for p in r.params])
	for s in spec.suites:
		unique(diags, "dup", "column '%s'", s.heading)
	vendors(spec, diags)
	state_numbers([s for d in spec.machines for s in d.states], diags)


STATE_NUMBERS = range(1, 100)


def state_numbers(states, diags):
	"""Whoever is told of a state by its number must find the same one after others have been added."""
	seen = {}
	for s in states:
		if s.number is None:
			continue
		if s.number.value not in STATE_NUMBERS:
			diags.error("range", "the number of a state is %d to %d" % (STATE_NUMBERS[0], STATE_NUMBERS[-1]),
				s.number.loc)
		if s.number.value in seen:
			other = seen[s.number.value]
			diags.error("dup-value", "number %d of state '%s' is already taken" % (s.number.value, s.name.text),
				s.number.loc, notes=[("by '%s'" % other.text, other.loc)])
		seen.setdefault(s.number.value, s.name)
	for s in states:
		if seen and s.number is None:
			free = next((n for n in STATE_NUMBERS if n > max(seen.keys() & set(STATE_NUMBERS))), None)
			diags.error("unnumbered", "state '%s' has no number, other states have" % s.name.text, s.name.loc,
				hint="'number %d' is free" % free if free else None)


def twice(diags, code, what, later, first):
	diags.error(code, "%s is already declared" % what, later.loc, notes=[("the other one", first.loc)])


def unique(diags, code, what, names, fold=False):
	"""Reports each Name of names that an earlier one equals; fold: as C constants they would be equal."""
	seen = {}
	for n in names:
		key = n.text.upper() if fold else n.text
		if key in seen:
			twice(diags, code, what % n.text, n, seen[key])
		else:
			seen[key] = n


def declared_twice(spec, diags):
	groups = (
		("type '%s'", [d.name for d in spec.registries + spec.bits + spec.structs]),
		("attributes '%s'", [d.name for d in spec.attributes]),
		("algorithm '%s'", [d.name for d in spec.algorithms]),
		("role '%s'", [d.name for d in spec.roles]),
		("value '%s'", [i.name for k in spec.keys for i in k.inputs]),
		("messages '%s'", [d.name for d in spec.messages]),
		("machine '%s'", [d.name for d in spec.machines] + [d.name for d in spec.oneways]),
		("state '%s'", [s.name for d in spec.machines for s in d.states]),
		("suite '%s'", [d.name for d in spec.suites]),
		("columns of '%s'", [d.name for d in spec.columns]),
		("limit '%s'", [d.name for d in spec.limits]),
		("timer '%s'", [d.name for d in spec.timers]),
		("reason '%s'", [d.name for d in spec.reasons]),
		("protocol '%s'", [d.name for d in spec.protocols]),
		("vendor '%s'", [d.name for d in spec.vendors]),
	)
	for what, names in groups:
		unique(diags, "dup", what, sorted(names, key=lambda n: (n.loc.file, n.loc.line, n.loc.col)))
	for a in spec.algorithms:
		unique(diags, "dup", "property '%s'", [name for name, _ in a.properties])
	for machine in spec.machines:
		if machine.selects:
			unique(diags, "dup", "variant '%s'", [v for v, _ in machine.selects.variants])
		unique(diags, "dup", "column '%s'", machine.heading)


def fits(diags, value, int_type, loc):
	if value >= 1 << INTS[int_type]:
		diags.error("range", "%d does not fit in %s" % (value, int_type), loc)
		return False
	return True


def registry(r, diags):
	unique(diags, "dup-name", "symbol '%s' of '" + r.name.text + "'", [e.symbol for e in r.entries if e.symbol],
		fold=True)
	for e in r.entries:
		if e.lo > e.hi:
			diags.error("range", "%d..%d is empty" % (e.lo, e.hi), e.loc)
		for v in {e.lo, e.hi} | {a.value for a in e.aliases}:
			fits(diags, v, r.int_type.text, e.loc)
	taken = []
	for e in r.entries:
		spans = [(e.lo, e.hi)] + [(a.value, a.value) for a in e.aliases]
		for lo, hi in spans:
			for olo, ohi, other in taken:
				if lo <= ohi and olo <= hi and other is not e:
					diags.error("dup-value", "value %s of '%s' in registry '%s' is already taken" % (
						show(lo, hi), label(e), r.name.text), place(e),
						notes=[("by '%s'" % label(other), place(other))])
					break
			taken.append((lo, hi, e))
	words = {}
	for e in r.entries:
		for w in e.words:
			if w in words:
				diags.error("dup-name", "word \"%s\" of registry '%s' is already taken" % (w, r.name.text), e.loc,
					notes=[("by '%s'" % label(words[w]), place(words[w]))])
			words.setdefault(w, e)


def show(lo, hi):
	return str(lo) if lo == hi else "%d..%d" % (lo, hi)


def label(e):
	return e.symbol.text if e.symbol else e.kind


def place(e):
	return e.symbol.loc if e.symbol else e.loc


def bits(b, diags):
	unique(diags, "dup-name", "symbol '%s' of '" + b.name.text + "'", [e.symbol for e in b.entries], fold=True)
	seen = {}
	for e in b.entries:
		if e.bit >= INTS[b.int_type.text]:
			diags.error("range", "%s has no bit %d" % (b.int_type.text, e.bit), e.loc)
		if e.bit in seen:
			diags.error("dup-value", "bit %d of '%s' is already taken" % (e.bit, b.name.text), e.symbol.loc,
				notes=[("by '%s'" % seen[e.bit].symbol.text, seen[e.bit].symbol.loc)])
		seen.setdefault(e.bit, e)


def attributes(a, diags):
	unique(diags, "dup-name", "attribute '%s'", [e.name for e in a.entries], fold=True)
	seen = {}
	for e in a.entries:
		if e.number.value > 32767:
			diags.error("range", "the type of an attribute has 15 bits: %d does not fit" % e.number.value,
				e.number.loc)
		if e.number.value in seen:
			diags.error("dup-value", "number %d of '%s' is already taken" % (e.number.value, e.name.text),
				e.name.loc, notes=[("by '%s'" % seen[e.number.value].text, seen[e.number.value].loc)])
		seen.setdefault(e.number.value, e.name)


def protocol(p, diags):
	unique(diags, "dup", "record '%s'", [g.name for g in p.groups] + [x.name for x in p.messages])
	if not 1 <= p.version <= 255:
		diags.error("range", "version %d does not fit in an octet, or is 0" % p.version, p.name.loc)
	for record in list(p.groups) + list(p.messages):
		unique(diags, "dup", "field '%s' of '" + record.name.text + "'", [f.name for f in record.fields])
		for f in record.fields[255:256]:
			diags.error("range", "a message has at most 255 fields", f.loc)
	seen = {}
	for x in p.messages:
		if not 1 <= x.number.value <= 255:
			diags.error("range", "the number of a message is 1 to 255", x.number.loc)
		if x.number.value in seen:
			diags.error("dup-value", "number %d of message '%s' is already taken" % (x.number.value,
				x.name.text), x.number.loc, notes=[("by '%s'" % seen[x.number.value].text,
				seen[x.number.value].loc)])
		seen.setdefault(x.number.value, x.name)


def options(spec, diags):
	forms = {}
	for f in spec.forms:
		forms.setdefault(f.program.text, []).append(f.name)
	for program, names in forms.items():
		unique(diags, "dup", "form '%s' of " + program, names)
	by_form = {}
	for o in spec.options:
		for form in o.forms:
			by_form.setdefault((o.program.text, form.text), []).extend((o.name,) + o.aliases)
		option(o, diags)
	for (program, form), names in by_form.items():
		unique(diags, "dup", "option '%s' of " + program + " " + form, names)
		if form != "common":
			common = {n.text: n for n in by_form.get((program, "common"), ())}
			for n in names:
				if n.text in common:
					twice(diags, "dup", "option '%s' of every form" % n.text, n, common[n.text])


def option(o, diags):
	unique(diags, "dup", "choice '%s'", o.choices)
	if o.type is None and any(x is not None for x in (o.default, o.min, o.max)):
		diags.error("range", "'%s' is a flag: it has no value to default or limit" % o.name.text, o.loc,
			hint="give it a metavariable and a type: %s NAME : TYPE" % o.name.text)
	low, high = o.min, o.max
	for what, value in (("min", low), ("max", high)):
		if value is not None and not isinstance(value, int):
			diags.error("range", "%s of '%s' is no number" % (what, o.name.text), o.loc)
			return
	if low is not None and high is not None and low > high:
		diags.error("range", "min %d of '%s' is above max %d" % (low, o.name.text, high), o.loc)
	elif isinstance(o.default, int) and ((low is not None and o.default < low)
			or (high is not None and o.default > high)):
		diags.error("range", "default %d of '%s' is not within its limits" % (o.default, o.name.text), o.loc)
	if o.choices and o.default is not None and o.default not in [c.text for c in o.choices]:
		diags.error("range", "default '%s' of '%s' is none of its choices" % (o.default, o.name.text), o.loc)


def vendors(spec, diags):
	seen = {}
	for v in spec.vendors:
		if v.data in seen:
			diags.error("dup-value", "the ID of vendor '%s' is already taken" % v.name.text, v.name.loc,
				notes=[("by '%s'" % seen[v.data].text, seen[v.data].loc)])
		seen.setdefault(v.data, v.name)
