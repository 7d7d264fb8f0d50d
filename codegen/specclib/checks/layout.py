"""Phase `layout`: structs, payloads, attributes and algorithms."""

from .. import model as m

# Properties of an algorithm, by kind: those it must have.
PROPERTIES = {
	"hash": ("output", "block"),
	"cipher": ("key", "block", "iv"),
	"aead": ("key", "salt", "block", "iv", "icv"),
	"mac": ("hash", "key", "icv"),
	"modp": ("bits", "generator", "add", "exponent", "strength"),
	"ecp": ("bits", "exponent", "public", "shared", "strength"),
	"montgomery": ("bits", "exponent", "public", "shared", "strength"),
	"compression": ("window", "least"),
}
MAX_KEYS = 4
LISTS = ("bytes", "attributes", "slices", "structs")


def check(model, diags):
	for s in model.structs.values():
		for f in s.fields:
			if not f.inherited:
				one_field(model, s, f, diags)
		sequence(s, diags)
		underflow(s, diags)
	numbers(model, diags)
	for s in model.structs.values():
		for f in s.own_fields:
			if f.selector is not None and f.kind in ("uint", "attributes"):
				switch(model, s, f, diags)
	for table in model.attributes.values():
		for a in table.entries:
			attribute(a, diags)
	for a in model.algorithms.values():
		algorithm(a, diags)


# ---- fields

def one_field(model, s, f, diags):
	t = f.decl.type
	for dim in (t.dim, t.size):
		if dim is not None and dim.kind == "empty":
			diags.error("unbounded", "'%s' has no length" % f.name, dim.loc, hint="write %s[n], %s[len_field], "
				"%s[min..max] or %s[..]" % ((t.name.text,) * 4))
		elif dim is not None and dim.kind == "range" and dim.max is not None and dim.min > dim.max:
			diags.error("range", "%d..%d is empty" % (dim.min, dim.max), dim.loc)
	if f.kind == "structs" and f.element.base is None:
		diags.error("type", "'%s' cannot be listed: it has no header that gives its size" % f.element.name, t.loc,
			hint="let it extend a struct that has a field '= size(self)'")
	if f.kind == "slices" and f.slice_size is None:
		diags.error("type", "the size of each slice must be a field", t.size.loc)
	if f.chain and f.kind == "uint" and (f.registry is None or f.registry.name != m.PAYLOADS):
		diags.error("type", "'%s' is no chain: its type is not '%s'" % (f.name, m.PAYLOADS), f.loc)
	references(s, f, diags)
	constraint(f, diags)


def references(s, f, diags):
	names = [x.name for x in s.fields]
	t = f.decl.type
	for dim in (t.dim, t.size):
		if dim is None or dim.field is None or f.switch is not None:
			continue
		source = s.field(dim.field.text)
		if source is None:
			continue
		if source.kind != "uint":
			diags.error("type", "'%s' is no number, so it cannot be a length" % source.name, dim.field.loc,
				notes=[("declared here", source.loc)])
		elif names.index(source.name) >= names.index(f.name):
			diags.error("derived-loop", "the length of '%s' comes after it" % f.name, dim.field.loc,
				notes=[("here", source.loc)], hint="move '%s' before '%s'" % (source.name, f.name))
		elif source.constraint in ("size_self", "size_message"):
			diags.error("derived-loop", "the length of '%s' is the size of all, itself included" % f.name,
				dim.field.loc, notes=[("here", source.loc)])
		elif source.counts == f.name and f.decl.type.size is None:
			diags.error("derived-loop", "'%s' counts '%s', and '%s' has as many as '%s' says" % (
				source.name, f.name, f.name, source.name), dim.field.loc, notes=[("it counts here", source.loc)],
				hint="give '%s' its own end: [1..]" % f.name)
	if f.counts is not None:
		counted = s.field(f.counts)
		if counted is not None and counted.kind not in ("structs", "slices"):
			diags.error("type", "'%s' is no list, so it cannot be counted" % f.counts, f.decl.constraint.loc,
				notes=[("declared here", counted.loc)])


def constraint(f, diags):
	c = f.decl.constraint
	if c is None:
		return
	if f.constraint in ("const", "range", "oneof", "count", "size_self", "size_message") and f.kind != "uint":
		diags.error("type", "'%s' is no number: only 'nonzero' can be asked of it" % f.name, c.loc)
		return
	if f.constraint == "bits" and f.bitset is None:
		diags.error("type", "'%s' has no bits" % f.name, c.loc, hint="write = NAME, or declare its type as bits")
		return
	for v in f.values if f.kind == "uint" else ():
		if v >= 1 << f.bits:
			diags.error("range", "%d does not fit in u%d" % (v, f.bits), c.loc)
	if f.constraint == "range" and f.values[0] > f.values[1]:
		diags.error("range", "%d..%d is empty" % f.values, c.loc)


def sequence(s, diags):
	rest, bit = None, 0
	for f in s.fields:
		if rest is not None:
			diags.error("after-rest", "field '%s' can never be reached: '%s' already takes the rest of the %s" % (
				f.name, rest.name, s.kind), f.decl.name.loc,
				notes=[("no length: extends to the end", rest.decl.name.loc)],
				hint="give '%s' a length, e.g. %s[%s_len]" % (rest.name, rest.decl.type.name.text, rest.name))
		if f.takes_rest and f.decl.type.dim.kind != "empty":
			rest = rest or f
		if bit % 8 and (f.kind != "uint" or f.bits % 8 == 0):
			diags.error("align", "'%s' starts at bit %d of an octet" % (f.name, bit % 8), f.decl.name.loc,
				hint="fill the octet with another u4")
			bit = 0
		bit += f.bits if f.kind == "uint" else 0
	if bit % 8:
		diags.error("align", "'%s' ends at bit %d of an octet" % (s.name, bit % 8), s.fields[-1].decl.name.loc,
			hint="fill the octet with another u4")


def bounds(f):
	"""The least and the greatest value of a number."""
	high = (1 << f.bits) - 1
	if f.constraint == "range":
		return f.values
	if f.constraint in ("const", "oneof") and f.values:
		return min(f.values), max(f.values)
	if f.constraint == "nonzero":
		return 1, high
	return 0, high


def underflow(s, diags):
	"""What the size of the struct can hold, against what its fields may ask for."""
	size = next((f for f in s.fields if f.constraint == "size_self"), None)
	if size is None:
		return
	most = (1 << size.bits) - 1
	lengths = [(f, s.field(f.length_field)) for f in s.fields if f.length_field and f.kind == "bytes"
		and s.field(f.length_field) is not None]
	least = s.min_size + sum(bounds(n)[0] for _, n in lengths)
	if least > most:
		big = max(s.fields, key=lambda f: f.min if f.kind in LISTS else 0)
		diags.error("underflow", "'%s' has at least %d octets, its size counts to %d" % (s.name, least, most),
			big.decl.name.loc, notes=[("the size", size.decl.name.loc)])
		return
	for f, n in lengths:
		left = most - least + bounds(n)[0]
		low, high = bounds(n)
		if high > left and n.notify is None and n.constraint is None:
			diags.error("underflow", "%s may be %d..%d but at most %d octets are left: add 0..%d or an else" % (
				n.name, low, high, left, left), n.decl.name.loc,
				notes=[("it gives the length of '%s'" % f.name, f.decl.name.loc)])


# ---- payloads and their numbers

def numbers(model, diags):
	registry = model.registries.get(m.PAYLOADS)
	if registry is None:
		return
	for s in model.payloads.values():
		if s.number is None:
			diags.error("no-number", "payload '%s' has no number" % s.name, s.decl.name.loc,
				notes=[("the numbers", registry.decl.name.loc)], hint="add a line: NUMBER %s" % s.name)
	for e in registry.entries:
		if e.kind == "named" and e.lo != 0 and e.symbol not in model.payloads:
			diags.error("no-payload", "no layout for payload '%s'" % e.symbol, e.decl.symbol.loc,
				hint="declare: payload %s : ... , or make the number 'reserved' or 'private'" % e.symbol)


def switch(model, s, f, diags):
	"""Every value that the selecting field may have needs a table."""
	tables = f.switch.branches if f.kind == "uint" else model.attributes_for
	what = f.switch.name if f.kind == "uint" else "attributes"
	arg = f.decl.type.arg or f.decl.type.dim.field
	for source in selectors(model, s, f.selector):
		registry = source.registry
		if registry is None:
			diags.error("type", "'%s' selects by '%s', which has no registry" % (f.name, f.selector), arg.loc,
				notes=[("declared here", source.loc)])
			continue
		if source.constraint in ("const", "oneof"):
			values = source.values
		elif not registry.closed or source.lax:
			diags.error("open-switch", "'%s' may have values that no %s table is for" % (source.name, what), arg.loc,
				notes=[("it is %s" % ("lax" if source.lax else "of the open registry '%s'" % registry.name),
					source.decl.name.loc)], hint="make the registry closed, or list the values: A | B")
			continue
		else:
			values = [e.lo for e in registry.entries if e.kind == "named"]
		for v in values:
			if v not in tables:
				e = registry.find(v)
				diags.error("open-switch", "no %s table for %s %s" % (what, source.name,
					e.symbol if e and e.symbol else v), arg.loc,
					hint="declare: registry ... for %s[%s]" % (what, e.symbol) if f.kind == "uint" and e
					else None)
				break


def selectors(model, s, name):
	"""The fields that a selector stands for: its own, or those given where s is listed."""
	own = s.field(name)
	if own is not None:
		return [own]
	found = []
	for outer in model.structs.values():
		for f in outer.fields:
			if f.kind == "structs" and f.element is s and f.selector is not None:
				found += selectors(model, outer, f.selector)
	return found


# ---- attributes and algorithms

def attribute(a, diags):
	t = a.decl.type
	if t.dim is not None and t.dim.kind == "empty":
		diags.error("unbounded", "'%s' has no length" % a.name, t.dim.loc,
			hint="write %s[min..max] or %s[1..]" % (t.name.text, t.name.text))
	if a.basic and (a.kind != "uint" or t.kind in ("uint", "bytes")):
		diags.error("type", "basic attribute '%s' must be a number of 16 bits" % a.name, t.loc,
			hint="write 'variable', or u16 or a registry")
	elif a.basic and a.bits > 16:
		diags.error("range", "u%d does not fit in a basic attribute" % a.bits, t.loc, hint="write 'variable'")
	elif not a.basic and t.kind not in ("uint", "bytes"):
		diags.error("type", "variable attribute '%s' is uint[..] or bytes[..]" % a.name, t.loc)
	if t.kind == "uint" and t.dim.kind == "range" and (t.dim.max or 9) > 8:
		diags.error("range", "uint has at most 8 octets", t.dim.loc, hint="write uint[1..8]")
	if a.step < 1 or (a.step > 1 and (a.kind != "bytes" or a.min % a.step or (a.max or 0) % a.step)):
		diags.error("type", "'%s' cannot come in steps of %d octets" % (a.name, a.step), a.decl.step.loc,
			hint="step N is for bytes[..] whose bounds are multiples of N")
	if a.after == a.name:
		diags.error("derived-loop", "'%s' follows itself" % a.name, a.decl.after.loc)


def algorithm(a, diags):
	if a.kind not in PROPERTIES:
		diags.error("algorithm", "unknown kind of algorithm '%s'" % a.kind, a.decl.kind.loc,
			hint="the kinds are " + ", ".join(PROPERTIES))
		return
	wanted = PROPERTIES[a.kind]
	for name, values in a.decl.properties:
		if name.text not in wanted:
			diags.error("algorithm", "a %s has no property '%s'" % (a.kind, name.text), name.loc,
				hint="it has " + ", ".join(wanted))
		elif len(values) > (MAX_KEYS if name.text == "key" and a.kind in ("cipher", "aead") else 1):
			diags.error("algorithm", "property '%s' has too many values" % name.text, name.loc)
		elif (name.text == "hash") != (not hasattr(values[0], "value")):
			diags.error("algorithm", "property '%s' is %s" % (name.text, "a hash" if name.text == "hash"
				else "a number"), name.loc)
	for name in wanted:
		if name not in a.properties:
			diags.error("algorithm", "%s '%s' has no '%s'" % (a.kind, a.name, name), a.decl.name.loc)
	of = a.get("hash", None)
	if of is not None and hasattr(of, "kind") and of.kind != "hash":
		diags.error("algorithm", "'%s' is no hash" % of.name, a.decl.name.loc, notes=[("declared here",
			of.decl.name.loc)])
